/// How a branch server is run.
public struct ServerOptions: Sendable {
    /// The store's folder, made where it is missing.
    public var dataPath: String
    /// The address to listen on, in digits or as `localhost`. One that is not this machine's own
    /// makes TLS a must.
    public var host = "127.0.0.1"
    /// The port; 0 for one of the system's choice.
    public var port: UInt16 = 5433
    /// The certificate for TLS and its key; where nil, one is made and kept with the data.
    public var certificate: (path: String, keyPath: String)?
    /// The account that PostgreSQL runs as where the server is root.
    public var user = "postgres"
    /// So many computes run at once.
    public var computeLimit = 16
    /// So much memory all computes together are set up for.
    public var memoryMegabytes = 4096
    /// The store's caches of pages, nodes and indexes take at most so much.
    public var cacheBytes = 64 << 20
    /// So many forks of the branch that was forked last are kept ready, with a compute that runs,
    /// while it does not change. Where computes have no view of their own, none.
    public var preparedForks = 1
    /// After so long without a session a compute is stopped; never where nil.
    public var idleSeconds: Int? = 300
    /// The same for the computes of moments.
    public var momentIdleSeconds = 60
    /// A compute that accepts nobody for so long after its start is ended.
    public var startSeconds = 600
    /// Who finds all computes in use waits so long for one to be given back.
    public var waitSeconds = 10
    /// How computes come to the files of branches.
    public enum Files: Sendable {
        /// They are mounted, by FUSE.
        case mount
        /// Each compute gets a copy, and nothing can be written: where there is no FUSE.
        case copies
    }
    /// How computes come to the files of branches.
    public var files = Files.mount
    /// Whether a cluster is made in `main` where it has none. Nothing is made with copies.
    public var makesCluster = true

    /// A server of the store in a folder.
    public init(dataPath: String) { self.dataPath = dataPath }
}
