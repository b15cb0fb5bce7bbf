#if Server
import BranchServer
import CLinux
import DiskIO
import FuseMount
import Glibc
import Oxbow
import Primitives

/// `oxbow serve`.
enum ServeCommand {
    private static let data = Option(
        "data",
        "DIR",
        help: "The store's folder, made where it is missing; the same as --store",
        parse: Values.text
    )
    private static let listen = Option(
        "listen",
        "HOST:PORT",
        help: "Where to listen; by default 127.0.0.1:5433, and port 0 is the system's choice",
        parse: Values.listenAddress
    )
    private static let idle = Option(
        "idle",
        "DURATION",
        help: "How long a compute stays without a session, or never; by default 5m",
        parse: Values.idleTime
    )
    private static let computes = Option(
        "computes",
        "N",
        help: "How many computes run at once; by default 16",
        parse: Values.number("count of computes", 1...10_000)
    )
    private static let prepare = Option(
        "prepare",
        "N",
        help: "How many forks are kept ready of the branch that was forked last; by default 1",
        parse: Values.number("count of forks", 0...1000)
    )
    private static let memory = Option(
        "memory",
        "SIZE",
        help: "What all computes together are set up for; by default 4G",
        parse: Values.byteCount
    )
    private static let cache = Option(
        "cache",
        "SIZE",
        help: "What the store's caches take at most, of the server's own memory; by default 64M",
        parse: Values.byteCount
    )
    private static let certificate = Option(
        "cert",
        "FILE",
        help: "The certificate for TLS; by default one is made and kept with the data",
        parse: Values.localPath
    )
    private static let key = Option(
        "key",
        "FILE",
        help: "The certificate's key",
        parse: Values.localPath
    )
    private static let user = Option(
        "user",
        "NAME",
        help: "The account that PostgreSQL runs as where root serves; by default postgres",
        parse: Values.text
    )

    private static let demo = Flag(
        "demo",
        help: "Load a catalog of services of 63 MB into the database catalog, to try things on"
    )

    static let command = Command(
        "serve",
        "Serve every branch, at any moment, to any PostgreSQL client",
        options: [
            data, listen, idle, computes, prepare, memory, cache, certificate, key, user, demo,
        ],
        discussion: [
            "Makes the store where there is none, with a PostgreSQL cluster in main and a random "
                + "password in DIR/server/password. A database is named app for the default "
                + "branch, app@pr-1432 for another, app@main@10m for a moment, and app@main+ for "
                + "a fork that goes when the connection ends.",
            "PostgreSQL is started on a branch when somebody connects, and stopped when nobody "
                + "has for a while. On another address than this machine's own only TLS is taken.",
            "Without FUSE it says what would enable it, and serves every branch and moment "
                + "read-only, from copies that go with their last session.",
            "Other oxbow commands on the same store are done by the server while it runs. SIGTERM "
                + "or Ctrl-C ends it: sessions get ten seconds to finish what is under way.",
        ],
        examples: [
            .init("oxbow serve --data ./data", "then psql with the URL that it prints"),
            .init("oxbow serve --data ./data --demo", "with something in it"),
            .init("oxbow serve --data ./data --listen 0.0.0.0:5433", "for other machines, by TLS"),
            .init("oxbow serve --data ./data --idle never", "computes stay once started"),
        ],
        keys: [
            .init("url", "a URL of the default branch that works; null where none does"),
            .init("host", "the address it listens on"), .init("port", "and the port"),
            .init("process", "the server's process"), .init("data", "the store's folder"),
            .init("branch", "the default branch"),
            .init("files", "mount, or copies where there is no FUSE: read-only then"),
        ],
        place: .here
    ) { call in
        let signals = EndSignals.hold()
        oxbow_limit_memory_pools(Int32(clamping: sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        var options = try options(call)
        _ = try InitCommand.holdsStore(options.dataPath)
        if let obstacle = Mount.obstacle() {
            call.output.message(
                "\(obstacle.message)\nUntil then every branch and moment is served from a copy of "
                    + "its files, and can only be read."
            )
            options.files = .copies
        }
        let server: Server
        do throws(ServerError) { server = try Server(options) } catch { throw Failure(error) }
        let host = StoreHost(server)
        let control: ControlSocket
        do throws(ServerError) {
            control = try server.listenForCommands { Forwarding.serve($0, host) }
        } catch {
            server.end(graceSeconds: 0)
            throw Failure(error)
        }
        defer {
            control.end(graceMilliseconds: graceSeconds * 1000)
            server.end(graceSeconds: graceSeconds)
        }
        if !isLocal(options.host) {
            call.output.message("other machines can reach \(options.host): only with TLS")
        }
        let isEmpty = try !server.holdsCluster(server.defaultBranch)
        if options.files == .copies, isEmpty {
            call.output.message(
                "the branch \(server.defaultBranch) holds no cluster, and none can be made without "
                    + "FUSE, so nobody can log in"
            )
        }
        let canEnter = !isEmpty && server.canBeEntered(server.defaultBranch)
        if !server.canBeEntered(server.defaultBranch) {
            call.output.message(
                "no role of \(server.defaultBranch) has a SCRAM password, so nobody can log in: "
                    + "set one where the cluster came from, and import it anew"
            )
        }
        if call[demo], options.files == .mount {
            let address = BranchAddress(server, branch: server.defaultBranch)
            try DemoData.load(address, call.output) {
                if signals.wait(atMostMilliseconds: 0) { throw Failure.interrupted }
            }
        }
        try tell(call, server, canEnter: canEnter)
        while !signals.wait(atMostMilliseconds: 1000) {}
        call.output.message("ending: what is under way has \(graceSeconds) seconds")
    }

    private static let graceSeconds = 10

    private static func isLocal(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    private static func options(_ call: Invocation) throws -> ServerOptions {
        if call.has(data), call.has(Globals.store) {
            throw Misuse("the folder is given twice: say --data or --store, and not both")
        }
        var options = ServerOptions(dataPath: call[data] ?? call.folder)
        if let address = call[listen] {
            options.host = address.host
            options.port = address.port
        }
        if let time = call[idle] { options.idleSeconds = time.seconds }
        if let count = call[computes] { options.computeLimit = count }
        if let count = call[prepare] { options.preparedForks = count }
        if let bytes = call[memory] { options.memoryMegabytes = max(32, Int(bytes >> 20)) }
        if let bytes = call[cache] {
            guard bytes <= SystemMemory.byteCount else {
                throw Misuse("--cache is more than this machine's memory")
            }
            options.cacheBytes = Int(bytes)
        }
        if let name = call[user] { options.user = name }
        switch (call[certificate], call[key]) {
        case (nil, nil): break
        case (let certificate?, let key?):
            options.certificate = (
                String(decoding: certificate.resolved, as: UTF8.self),
                String(decoding: key.resolved, as: UTF8.self)
            )
        default: throw Misuse("--cert and --key belong together: say both, or neither")
        }
        return options
    }

    private static func tell(_ call: Invocation, _ server: Server, canEnter: Bool) throws {
        let folder = call[data] ?? call.folder
        let hasDemo = call[demo] && server.options.files == .mount
        let url = server.url(database: hasDemo ? DemoData.database : "postgres")
        if call.wantsJSON {
            try call.output.json([
                "url": canEnter ? .string(url) : nil, "host": .string(server.options.host),
                "port": JSON(Int(server.port)), "process": JSON(Int(getpid())),
                "data": .string(folder), "branch": .string(server.defaultBranch),
                "files": .string(server.options.files == .mount ? "mount" : "copies"),
            ])
            return try call.output.flush()
        }
        let here = folder == "." ? "" : " -s \(Shell.quoted(folder))"
        let branch = server.defaultBranch
        guard canEnter else {
            try call.output.lines([
                "serving \(folder) on \(server.options.host) port \(server.port)", "",
                "In another terminal:", "",
                "  oxbow import --from FOLDER\(here)  the files of a cluster that is stopped", "",
                "Ctrl-C ends it; with FUSE, the next start makes a cluster.",
            ])
            return try call.output.flush()
        }
        let database = hasDemo ? " -d \(DemoData.database)" : ""
        var next = Fields()
        next.add("oxbow psql\(here)\(database)", "the branch \(branch)")
        next.add("oxbow branch create try --from \(branch)\(here)", "a branch of it, at once")
        next.add("oxbow psql try\(here)\(database)", "and that")
        let age = LogTime.now.since(try server.store.branch(branch).info().created)
        let caution = age < .seconds(60) ? ", once it is that old" : ""
        next.add("oxbow psql \(branch)@1m\(here)\(database)", "as it was a minute ago\(caution)")
        try call.output.lines(
            [
                "serving \(folder) on \(server.options.host) port \(server.port)", "",
                "  \(url)", "", "In another terminal:", "",
            ] + next.lines + ["", "Ctrl-C ends it."]
        )
        try call.output.flush()
    }
}

/// Where to listen.
package struct ListenAddress: Sendable, Equatable {
    package let host: String
    package let port: UInt16
}

/// How long something may do nothing.
package struct IdleTime: Sendable, Equatable {
    /// Nil for ever.
    package let seconds: Int?
}

extension Values {
    /// Reads `HOST:PORT`, `[HOST]:PORT`, `:PORT`, or one of the two.
    package static func listenAddress(_ text: String) throws(Misuse) -> ListenAddress {
        let wrong = Misuse(
            "\"\(shown(text))\" is no address: write HOST:PORT, such as 127.0.0.1:5433"
        )
        var host = "127.0.0.1"
        var port = text
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            if colon > text.startIndex { host = String(text[..<colon]) }
            port = String(text[text.index(after: colon)...])
        } else if !text.allSatisfy({ $0.isASCII && $0.isNumber }) {
            (host, port) = (text, "5433")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, let number = UInt16(port) else { throw wrong }
        return ListenAddress(host: host, port: number)
    }

    package static func idleTime(_ text: String) throws(Misuse) -> IdleTime {
        if text == "never" { return IdleTime(seconds: nil) }
        let seconds = try duration(text).components.seconds
        guard (1...1_000_000_000).contains(seconds) else {
            throw Misuse("\"\(shown(text))\" is no idle time: write 1s or more, or never")
        }
        return IdleTime(seconds: Int(seconds))
    }
}

extension Failure {
    init(_ error: ServerError) { self.init(error.kind.rawValue, error.message) }
}

extension StoreHost {
    /// What a running server does for commands.
    init(_ server: Server) {
        self.init(
            store: server.store,
            hold: { name in
                try Failure.telling { () throws(ServerError) in try server.hold(name) }
            },
            prepareFork: { server.prepareFork(of: $0) },
            fork: { name, parent, expiry, author in
                try Failure.telling { () throws(ServerError) in
                    try server.fork(name, from: parent, expires: expiry, by: author)
                }
            },
            madeOfPast: { server.learnRolesIfOld(of: $0) },
            checkReset: { branch, point in
                try Failure.telling { () throws(ServerError) in
                    try server.checkReset(of: branch, to: point)
                }
            },
            isComputing: { server.isComputing($0) },
            forget: { server.forget($2, in: $1, of: $0) }
        )
        self.server = server
    }
}

extension Failure {
    /// Does something of a server's, and says of what went wrong in the words of a command.
    static func telling<Result>(
        _ body: () throws(ServerError) -> Result
    ) throws(Failure) -> Result {
        do throws(ServerError) { return try body() } catch { throw Failure(error) }
    }
}
#endif
