import CLinux
import Glibc

/// The system's calls of the control socket: descriptors that travel, and who is at the other end.
enum ControlChannel {
    /// What a command reads, and where its results and its messages go.
    static let descriptorCount = 3
    /// Room for more than are asked for, so that those that should not be there can be closed.
    private static let mostDescriptors = 16

    /// What stands before descriptors in a message's control part: laid out as `cmsghdr`.
    private struct Header {
        var length: Int
        var level: Int32
        var kind: Int32
    }

    private static let rights: Int32 = 1

    /// Sends a part of bytes, and with it descriptors. Returns how many bytes went, or -1.
    static func send(_ bytes: [UInt8], with descriptors: [Int32], on socket: Int32) -> Int {
        let size = MemoryLayout<Header>.size
        var control = [UInt64](repeating: 0, count: (size + descriptors.count * 4 + 7) / 8)
        unsafe control.withUnsafeMutableBytes { raw in
            let header = Header(
                length: size + descriptors.count * 4,
                level: SOL_SOCKET,
                kind: rights
            )
            unsafe raw.storeBytes(of: header, as: Header.self)
            for (index, descriptor) in descriptors.enumerated() {
                let offset = size + index * 4
                unsafe raw.storeBytes(of: descriptor, toByteOffset: offset, as: Int32.self)
            }
        }
        let controlBytes = control.count * 8
        return unsafe bytes.withUnsafeBytes { content in
            unsafe control.withUnsafeMutableBytes { control in
                var part = unsafe iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: content.baseAddress),
                    iov_len: content.count
                )
                return unsafe withUnsafeMutablePointer(to: &part) { part in
                    var message = unsafe msghdr()
                    unsafe message.msg_iov = part
                    unsafe message.msg_iovlen = 1
                    unsafe message.msg_control = control.baseAddress
                    unsafe message.msg_controllen = controlBytes
                    return unsafe sendmsg(socket, &message, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }

    /// Reads at most that many bytes, and the descriptors that came with them, which are the
    /// caller's to close. An empty array of bytes is an end.
    static func receive(
        _ count: Int,
        on socket: Int32
    ) throws(SystemError) -> (bytes: [UInt8], descriptors: [Int32]) {
        var bytes = [UInt8](repeating: 0, count: count)
        var control = [UInt64](repeating: 0, count: 2 + mostDescriptors / 2)
        var controlBytes = control.count * 8
        let received: Int = unsafe bytes.withUnsafeMutableBytes { content in
            unsafe control.withUnsafeMutableBytes { control in
                var part = unsafe iovec(iov_base: content.baseAddress, iov_len: content.count)
                return unsafe withUnsafeMutablePointer(to: &part) { part in
                    var message = unsafe msghdr()
                    unsafe message.msg_iov = part
                    unsafe message.msg_iovlen = 1
                    unsafe message.msg_control = control.baseAddress
                    unsafe message.msg_controllen = controlBytes
                    let result = again { unsafe recvmsg(socket, &message, closeOnExec) }
                    controlBytes = unsafe message.msg_controllen
                    return result
                }
            }
        }
        guard received >= 0 else { throw SystemError("read a command") }
        bytes.removeLast(count - received)
        return (bytes, descriptors(in: control, controlBytes))
    }

    private static let closeOnExec: Int32 = 0x4000_0000

    private static func descriptors(in control: [UInt64], _ count: Int) -> [Int32] {
        let size = MemoryLayout<Header>.size
        guard count >= size else { return [] }
        return unsafe control.withUnsafeBytes { raw in
            let header = unsafe raw.load(as: Header.self)
            guard header.level == SOL_SOCKET, header.kind == rights else { return [] }
            let end = min(header.length, count, raw.count)
            return stride(from: size, to: end - 3, by: 4).map {
                unsafe raw.load(fromByteOffset: $0, as: Int32.self)
            }
        }
    }

    /// Reads exactly that many bytes; what comes with them is dropped by the system.
    static func receiveAll(_ count: Int, on socket: Int32) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                let start = unsafe buffer.baseAddress?.advanced(by: done)
                return again { unsafe recv(socket, start, count - done, 0) }
            }
            if got == 0 { throw SystemError("read a command", ECONNRESET) }
            if got < 0 { throw SystemError("read a command") }
            done += got
        }
        return bytes
    }

    /// Sends all; false where the other end is gone, or takes nothing.
    @discardableResult
    static func sendAll(_ bytes: [UInt8], on socket: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                return again {
                    unsafe Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                }
            }
            if count < 0 { return false }
            done += count
        }
        return true
    }

    // Safe to call: the pointers of a body are good for as long as it runs.
    @safe
    private static func again(_ body: () -> Int) -> Int {
        while true {
            let result = body()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    /// The user at the other end, as the kernel knows it.
    static func user(of socket: Int32) -> UInt32? {
        // Laid out as `ucred`: process, user, group.
        var known: (Int32, UInt32, UInt32) = (0, 0, 0)
        var size = socklen_t(MemoryLayout<(Int32, UInt32, UInt32)>.size)
        guard unsafe getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &known, &size) == 0 else {
            return nil
        }
        return known.1
    }

    /// Whether the other end is gone, or says something though it should only wait.
    static func isOver(_ socket: Int32) -> Bool {
        var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&watched, 1, 0) > 0
    }

    /// Calls with the path of the socket in a folder, which is short however long the folder's is.
    static func withPath<Result>(
        in folder: String,
        _ body: (String) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open \(folder)") }
        defer { close(descriptor) }
        return try body("/proc/self/fd/\(descriptor)/\(name)")
    }

    /// What the socket is called in a store's `server` folder.
    static let name = "control"
}
