import BranchServer
import FuseMount
import Glibc
import Oxbow
import PostgresWire
import Primitives
import Synchronization
import Volume

/// A branch server without a front: mounts a store, runs computes on its branches, and does what it
/// is told, a line at a time. A process of its own, so that it can be killed.
///
/// Arguments: the store, the mount, the run folder, how many may run, their idle seconds, and how
/// long one waits for a place.
@main enum ComputeWorker {
    static func main() throws {
        let arguments = CommandLine.arguments
        let store = try Store.open(arguments[1])
        let mount = try Mount(store, at: arguments[2])
        var options = ComputeOptions(
            mountPath: arguments[2],
            runPath: arguments[3],
            logPath: arguments[1] + "/logs"
        )
        options.limit = Int(arguments[4]) ?? 4
        options.idleSeconds = Int(arguments[5])
        options.waitSeconds = Int(arguments[6]) ?? 2
        let server = Server(store, mount, try Computes(options))
        say("serving")
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            do { say(try server.run(words).replacing("\n", with: "|")) } catch {
                say("error: \("\(error)".replacing("\n", with: "|"))")
            }
        }
        server.leases.withLock { $0 = [:] }
        server.computes.end()
        mount.end()
        try store.close()
        say("closed")
    }

    private static func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}

// Safe to share: what changes has locks of its own.
private final class Server: @unchecked Sendable {
    let store: Store
    let mount: Mount
    let computes: Computes
    let leases = Guarded<[String: [ComputeLease]]>([:])
    private let cuts = Atomic<UInt64>(0)
    private let book: RoleBook
    private let said = Lines()

    init(_ store: Store, _ mount: Mount, _ computes: Computes) {
        self.store = store
        self.mount = mount
        self.computes = computes
        let said = said
        book = RoleBook(
            role: computes.options.role,
            changed: { mount.forget($0, of: $1) },
            log: { said.add($0) }
        )
    }

    func run(_ words: [String]) throws -> String {
        switch words[0] {
        case "init":
            let files = try BranchFiles.open(store.branch(words[1]))
            try computes.initialize(target(words[1]), in: files, password: "secret") {
                self.mount.forget($0, in: $1, of: files)
            }
            return "done"
        case "acquire": return try acquire(words[1])
        case "past": return try past(words[1], words[2])
        case "race": return try race(words[1], Int(words[2]) ?? 2)
        case "release":
            leases.withLock { $0[words[1]] = nil }
            return "done"
        case "stop":
            computes.stop(try key(words[1]))
            return "done"
        case "give-up": return try giveUp(words[1], words[2])
        case "status": return try status(words[1])
        case "starts": return try start(words[1])
        case "logs": return try computes.logs(of: key(words[1]))
        case "cut":
            cuts.store(1, ordering: .relaxed)
            return "done"
        case "head": return "\(try store.branch(words[1]).point(at: .head).lsn)"
        case "fork":
            try store.fork(words[2], from: store.branch(words[1]))
            return "done"
        case "learn":
            try book.learn(store.branch(words[1]), from: computes, target(words[1]))
            return "done"
        case "refresh":
            return "\(book.refresh(try store.branch(words[1]), socketPath: try socket(words[1])))"
        case "login": return try logIn(words[1], words[2], words[3])
        case "confirm": return try confirm(words[1], words[2], words[3])
        case "wal": return try walPoint(words[1], words[2])
        case "fork-at":
            let branch = try store.branch(words[1])
            let point = try branch.point(at: Moment(parsing: words[3]))
            try store.fork(words[2], from: point)
            return "done"
        case "names": return try store.branches().map(\.name).joined(separator: " ")
        default: return "error: what is \(words[0])?"
        }
    }

    /// The socket of a compute that is ready.
    private func socket(_ name: String) throws -> String {
        guard let status = try find(name), status.state == .ready else { return "" }
        return "\(computes.options.runPath)/\(status.key)/sockets/.s.PGSQL.5432"
    }

    private func proof(_ verifier: SCRAMVerifier, _ password: String) throws -> SCRAMVerifier {
        try SCRAMVerifier(
            password: Array(password.utf8),
            salt: verifier.salt,
            iterations: verifier.iterations
        )
    }

    /// Whether a role's password would be let in, as far as is known before anything is started.
    private func logIn(_ name: String, _ user: String, _ password: String) throws -> String {
        let socket = try socket(name)
        let verifier = try book.verifier(
            of: WireString(user),
            on: try store.branch(name),
            socketPath: socket.isEmpty ? nil : socket
        )
        guard let verifier else { return said.last }
        return "\(try proof(verifier, password) == verifier)"
    }

    /// Logs in, starts the compute, and has it confirm what was proved.
    private func confirm(_ name: String, _ user: String, _ password: String) throws -> String {
        let branch = try store.branch(name)
        let user = WireString(user)
        guard let verifier = try book.verifier(of: user, on: branch, socketPath: nil),
            try proof(verifier, password) == verifier
        else { return "rejected" }
        let lease = try computes.acquire(target(name))
        return "\(try book.confirm(user, verifier, on: branch, socketPath: lease.socketPath))"
    }

    /// The record at which PostgreSQL's log reached a position, and the one before it.
    private func walPoint(_ name: String, _ text: String) throws -> String {
        let parts = text.split(separator: "/").compactMap { UInt64($0, radix: 16) }
        guard parts.count == 2 else { return "error: what is \(text)?" }
        let position = WALPosition(rawValue: parts[0] << 32 | parts[1])
        let branch = try store.branch(name)
        let point = try WALPositionSearch(branch).point(of: position)
        let before = try branch.point(at: .lsn(LSN(rawValue: point.lsn.rawValue - 1)))
        return "\(point.lsn) \(before.lsn)"
    }

    /// Asks for a compute, and stops it when it has come to a place: as soon as it is asked for, or
    /// as soon as it has a process.
    private func giveUp(_ name: String, _ place: String) throws -> String {
        let (target, key) = (try target(name), try key(name))
        let answer = Guarded("")
        let asking = WorkerThread { [computes] in
            do throws(ComputeError) {
                let lease = try computes.acquire(target)
                answer.withLock { $0 = lease.socketPath }
            } catch { answer.withLock { $0 = "\(error.kind)" } }
        }
        while true {
            let status = computes.statuses.first { $0.key == key }
            if let status, place == "asked" || status.process != nil { break }
            usleep(100)
        }
        computes.stop(key)
        asking.join()
        return answer.withLock { $0 }
    }

    private func key(_ name: String) throws -> String {
        name.contains("@") ? name : "\(try store.branch(name).id)"
    }

    private func target(_ name: String) throws -> ComputeTarget {
        var target = ComputeTarget(key: try key(name), files: .branch(name))
        target.isFork = name != "main"
        target.hasCutBlocks = { [self] in cuts.load(ordering: .relaxed) > 0 }
        return target
    }

    private func acquire(_ name: String) throws -> String {
        let lease = try computes.acquire(target(name))
        leases.withLock { $0[name, default: []].append(lease) }
        return lease.socketFolder
    }

    /// Many at once; says how many got it, and how often it was started.
    private func race(_ name: String, _ count: Int) throws -> String {
        let target = try target(name)
        let got = Atomic(0)
        let computes = computes
        let threads = (0..<count).map { _ in
            Worker {
                if let lease = try? computes.acquire(target) {
                    got.add(1, ordering: .relaxed)
                    _ = lease.socketPath
                }
            }
        }
        for thread in threads { thread.join() }
        return "\(got.load(ordering: .relaxed)) \(try status(name))"
    }

    private func past(_ name: String, _ moment: String) throws -> String {
        let branch = try store.branch(name)
        let point = try branch.point(at: Moment(parsing: moment))
        let key = "\(branch.id)@\(point.lsn)"
        let (store, mount) = (store, mount)
        let target = ComputeTarget(
            key: key,
            files: .moment {
                let fork = try store.fork(
                    "past-" + key.replacing("@", with: "-").lowercased(),
                    from: point
                )
                return ComputeFork(name: try fork.info().name) {
                    try? fork.delete()
                    mount.refresh()
                }
            }
        )
        let lease = try computes.acquire(target)
        leases.withLock { $0[key, default: []].append(lease) }
        return "\(key) \(lease.socketFolder)"
    }

    private func find(_ name: String) throws -> ComputeStatus? {
        let key = try key(name)
        return computes.statuses.first { $0.key == key }
    }

    private func status(_ name: String) throws -> String {
        guard let status = try find(name) else { return "none" }
        return "\(status.state) \(status.sessions) \(status.starts) \(status.process ?? 0)"
    }

    private func start(_ name: String) throws -> String {
        guard let start = try find(name)?.lastStart else { return "none" }
        return "files \(start.filesMicroseconds) preflight \(start.preflightMicroseconds)"
            + " spawn \(start.spawnMicroseconds) postgres \(start.postgresMicroseconds)"
    }
}

/// The last of what was said.
private final class Lines: Sendable {
    private let line = Guarded("")
    func add(_ text: String) { line.withLock { $0 = text } }
    var last: String { line.withLock { $0 } }
}

/// A thread.
private struct Worker {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    private let thread: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            {
                if let body = $0 { Unmanaged<Body>.fromOpaque(body).takeRetainedValue().run() }
                return nil
            },
            Unmanaged.passRetained(Body(body)).toOpaque()
        )
        self.thread = thread
    }

    func join() { pthread_join(thread, nil) }
}
