import CLinux
import Glibc
import Primitives

/// A command that came in, with what it reads and writes. The descriptors are the socket's, which
/// closes them when the command has ended.
package struct ControlCommand: Sendable {
    package let request: ControlRequest
    package let input: Int32
    package let results: Int32
    package let messages: Int32
    /// Readable when the client is gone: nobody wants to know any more.
    package let connection: Int32
}

// Safe to share: what changes is guarded by the lock.
/// The socket through which commands reach a server, for its own user and for root.
///
/// Each command has a thread of its own. At most ``Limits/connections`` are there at once, and who
/// says nothing has five seconds.
package final class ControlSocket: @unchecked Sendable {
    package struct Limits: Sendable {
        package var connections = 64
        package var requestMilliseconds = 5000

        package init() {}
    }

    private let folder: String
    private let listener: Int32
    private let alarm: Int32
    private let limits: Limits
    private let isAllowed: @Sendable (UInt32) -> Bool
    private let handler: @Sendable (ControlCommand) -> Int32
    private let lock = Lock()
    /// Guarded by `lock`: those whose command runs or is awaited.
    private var connections: Set<Int32> = []
    /// Guarded by `lock`.
    private var isEnded = false
    private var thread: WorkerThread?

    /// Listens in a folder, which must be there and be for its owner alone.
    package init(
        folder: String,
        limits: Limits = Limits(),
        isAllowed: @escaping @Sendable (UInt32) -> Bool = { $0 == 0 || $0 == geteuid() },
        handler: @escaping @Sendable (ControlCommand) -> Int32
    ) throws(SystemError) {
        self.folder = folder
        self.limits = limits
        self.isAllowed = isAllowed
        self.handler = handler
        listener = try ControlChannel.withPath(in: folder) { path throws(SystemError) in
            let listener = try Sockets.listen(path: path)
            _ = unsafe chmod(path, 0o600)
            return listener
        }
        alarm = oxbow_make_alarm()
        invariant(alarm >= 0, "no descriptor for an alarm")
        thread = WorkerThread { [self] in accept() }
    }

    /// How many commands are there.
    package var count: Int { lock.withLock { connections.count } }

    /// Takes no more commands, lets those that run end for a while, and tells the others that
    /// nobody waits for them. Call once.
    package func end(graceMilliseconds: Int) {
        lock.withLock { isEnded = true }
        oxbow_ring(alarm)
        thread?.join()
        try? ControlChannel.withPath(in: folder) { path in _ = unsafe unlink(path) }
        close(listener)
        wait(atMostMilliseconds: graceMilliseconds)
        lock.withLock {
            for connection in connections { _ = shutdown(connection, Int32(SHUT_RDWR)) }
        }
        wait(atMostMilliseconds: max(1000, graceMilliseconds))
        close(alarm)
    }

    private func wait(atMostMilliseconds limit: Int) {
        var left = limit
        lock.withLock {
            while !connections.isEmpty, left > 0 {
                lock.wait(atMostMilliseconds: 20)
                left -= 20
            }
        }
    }

    // MARK: At work

    private func accept() {
        while true {
            var watched = [
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
                pollfd(fd: alarm, events: Int16(POLLIN), revents: 0),
            ]
            _ = unsafe poll(&watched, 2, -1)
            if lock.withLock({ isEnded }) { return }
            do throws(SystemError) {
                while let (connection, _) = try Sockets.accept(listener) { take(connection) }
            } catch {
                // No descriptor is free. They wait until one is.
                usleep(50_000)
            }
        }
    }

    private func take(_ connection: Int32) {
        guard let user = ControlChannel.user(of: connection), isAllowed(user) else {
            return refuse(connection, "this server's commands are for its own user and for root")
        }
        let isIn = lock.withLock { () -> Bool in
            guard connections.count < limits.connections else { return false }
            connections.insert(connection)
            return true
        }
        guard isIn else {
            return refuse(
                connection,
                "the server works on \(limits.connections) commands already: try again later"
            )
        }
        WorkerThread.detached { [self] in
            serve(connection)
            lock.withLock {
                connections.remove(connection)
                close(connection)
                lock.wakeAll()
            }
        }
    }

    /// On the accepting thread: what does not fit into the socket at once is not said.
    private func refuse(_ connection: Int32, _ sentence: String) {
        ControlChannel.sendAll(ControlReply.refused(sentence).encoded, on: connection)
        close(connection)
    }

    private func serve(_ connection: Int32) {
        Sockets.setBlocking(connection, true)
        Sockets.setTimeout(connection, milliseconds: limits.requestMilliseconds)
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        let reply: ControlReply
        do {
            let request = try read(connection, &descriptors)
            let command = ControlCommand(
                request: request,
                input: descriptors[0],
                results: descriptors[1],
                messages: descriptors[2],
                connection: connection
            )
            reply = .exit(handler(command))
        } catch let error as Malformed {
            reply = .refused("a command that cannot be read: \(error.what)")
        } catch {
            reply = .refused("a command that did not come whole: \(error)")
        }
        ControlChannel.sendAll(reply.encoded, on: connection)
    }

    private func read(_ connection: Int32, _ descriptors: inout [Int32]) throws -> ControlRequest {
        let size = ControlRequest.headerBytes
        let first = try ControlChannel.receive(size, on: connection)
        descriptors = first.descriptors
        guard descriptors.count == ControlChannel.descriptorCount else {
            throw Malformed("it came with \(descriptors.count) descriptors", at: 0)
        }
        let rest = try ControlChannel.receiveAll(size - first.bytes.count, on: connection)
        let length = try ControlRequest.bodyLength(header: first.bytes + rest)
        return try ControlRequest(
            body: try ControlChannel.receiveAll(length, on: connection)
        )
    }
}
