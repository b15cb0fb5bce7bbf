import WriteAheadLog

/// How a store is made and run.
///
///     var options = StoreOptions()
///     options.cacheBytes = 256 << 20
///     let store = try Store.open("/var/lib/app", options)
public struct StoreOptions: Sendable {
    /// Who takes the steps that keep a store going: flushing, checkpoints, expiry, reclaim.
    public enum Upkeep: Sendable {
        /// A thread of the store's own.
        case automatic
        /// The caller, by calling ``Store/step()`` and its like: for tests that must be the same
        /// each time.
        case manual
    }

    /// Whether opening a folder that holds no store makes one there, and the folder with it;
    /// otherwise that is an error of kind ``OxbowError/Kind/notFound``.
    public var createIfMissing = true
    /// Bytes in a page of a new store: a power of two from 512 to 65,536.
    public var pageSize = 8192
    /// The size of a new store's segments: 2 to this power, from 16 to 32.
    public var segmentBits = 26
    /// How much memory the caches of pages, and of nodes and indexes, take at most, together.
    public var cacheBytes = 64 << 20
    /// Who takes the steps that keep the store going.
    public var upkeep = Upkeep.automatic
    /// A buffered commit is durable after this long at the latest.
    public var bufferedFlushMilliseconds = 200
    /// A checkpoint is due after so many bytes of log,
    public var checkpointBytes: UInt64 = 64 << 20
    /// or so many changes.
    public var checkpointChanges = 32_768
    /// How long history is kept in a new store.
    public var window = Duration.seconds(7 * 86_400)
    /// How many bytes of log a new store keeps for history at most; nil for a fifth of the disk.
    public var windowBytes: UInt64?
    /// How far ahead of its end the log's blocks are written; nil for 4 MiB where upkeep is
    /// automatic, and not at all where it is not.
    package var zeroAheadBytes: Int?
    /// Whether its expiry must be stated where a branch is made, handed over or brought back.
    public var requiresExpiry = false

    /// The defaults: what most users want.
    public init() {}
}

/// When a branch goes by itself.
public enum Expiry: Sendable, Equatable {
    /// So long after now.
    case after(Duration)
    /// At a moment.
    case at(LogTime)
    /// Not by itself.
    case never
}

/// When a commit survives a crash.
public enum Durability: Sendable {
    /// When it returns.
    case synced
    /// With the next flush, whoever asks for it, or after
    /// ``StoreOptions/bufferedFlushMilliseconds``.
    case buffered
}

/// Who does something, and what they want to be known of it: kept in the history of branches, and
/// not interpreted.
public struct Author: Sendable, Equatable {
    /// Who: at most 128 bytes.
    public var actor: String
    /// Anything: at most 32 labels of 2,048 bytes together.
    public var labels: [String: String]

    /// Names an actor, and labels.
    public init(_ actor: String = "", labels: [String: String] = [:]) {
        self.actor = actor
        self.labels = labels
    }
}

/// What a commit was given.
public struct Commit: Sendable, Equatable {
    /// Where it stands in the log.
    public let lsn: LSN
    /// When it was made, by the log's time.
    public let time: LogTime
}
