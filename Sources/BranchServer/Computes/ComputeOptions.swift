/// What holds for all computes of a server.
public struct ComputeOptions: Sendable {
    /// Where the branches are mounted, `mountPath/BRANCH`, unless ``treePath`` says otherwise. A
    /// compute in a space of its own sees its branch in this folder.
    public var mountPath: String
    /// Where the branches are: `treePath/BRANCH`. Below ``mountPath``, that can be for the server
    /// alone, while each compute sees its branch in its place.
    public var treePath: String
    /// A folder on a disk of the system for sockets and settings, made where it is missing, and
    /// gone when all computes have ended.
    public var runPath: String
    /// A folder for what the computes say, made where it is missing.
    public var logPath: String
    /// The account that PostgreSQL runs as where the server is root.
    public var user = "postgres"
    /// The role that new clusters have.
    public var role = "postgres"
    /// So many run at once.
    public var limit = 16
    /// So much memory all of them together are set up for.
    public var memoryMegabytes = 4096
    /// After so long without a session a compute is stopped; never where nil.
    public var idleSeconds: Int? = 300
    /// A compute that accepts nobody for so long after its start is ended.
    public var startSeconds = 600
    /// Who finds all computes in use waits so long for one to be given back.
    public var waitSeconds = 10

    /// Options for branches that are mounted at a path.
    public init(mountPath: String, runPath: String, logPath: String) {
        self.mountPath = mountPath
        treePath = mountPath
        self.runPath = runPath
        self.logPath = logPath
    }

    /// So many places are kept free while somebody is idle.
    var spareCount: Int { limit / 8 }

    /// What one compute is set up for.
    var megabytesEach: Int { max(32, memoryMegabytes / max(1, limit)) }
}

/// When a compute is stopped that nobody uses.
public enum ComputeIdle: Sendable, Hashable {
    /// After so long without a session.
    case after(seconds: Int)
    /// Never.
    case never

    /// 10,000 days.
    static let largestSeconds: Int64 = 864_000_000
}

/// A branch to run PostgreSQL on, or a moment of one.
public struct ComputeTarget: Sendable {
    /// What the files are, and how long.
    public enum Files: Sendable {
        /// A branch's own, by the name of its folder in the mount.
        case branch(String)
        /// Those of a moment: a fork of it that is made for the compute, and given back after it.
        case moment(@Sendable () throws -> ComputeFork)
    }

    /// What tells it from all others, whatever its name: the branch's id, and the record's.
    public let key: String
    /// The files.
    public let files: Files
    /// Whether the branch began as a fork: what talks to others by itself is off there.
    public var isFork = false
    /// When it is stopped that nobody uses. As the server's options say where nil.
    public var idle: ComputeIdle?
    /// Looks at the data folder of the branch of a name without a process, where that can be done.
    var look: @Sendable (_ name: String, _ isMoment: Bool) throws -> PostgresPreflight? = {
        _,
        _ in nil
    }
    /// Leaves word in the data folder that a standby is to end its recovery.
    var promote: @Sendable () throws -> Void = {}
    /// Whether a write of a block that `full_page_writes` is there for came in pieces since the
    /// volume was opened.
    public var hasCutBlocks: @Sendable () -> Bool = { false }

    /// A target; `key` is letters, digits, `@`, `-` and `_`.
    public init(key: String, files: Files) {
        self.key = key
        self.files = files
    }

    var isMoment: Bool { if case .moment = files { true } else { false } }
}

/// A fork that stands in for a moment: PostgreSQL has to write to read.
public struct ComputeFork: Sendable {
    /// The name of its folder in the mount.
    public let name: String
    /// Deletes it.
    public let discard: @Sendable () -> Void

    /// A fork, and how it goes away.
    public init(name: String, discard: @escaping @Sendable () -> Void) {
        self.name = name
        self.discard = discard
    }
}

/// What somebody holds who uses a compute. It is not idle until all are given back.
public final class ComputeLease: Sendable {
    /// The folder of the socket, for a driver's `host`.
    public let socketFolder: String
    /// The number in the socket's name, for a driver's `port`.
    public let port = ComputePlace.port
    private let compute: Compute

    /// The socket itself.
    public var socketPath: String { compute.place.socketPath }

    init(_ compute: Compute) {
        self.compute = compute
        socketFolder = compute.place.sockets
    }

    deinit { compute.release() }
}
