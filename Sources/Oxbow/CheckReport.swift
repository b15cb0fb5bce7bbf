/// What a check found.
public struct CheckReport: Sendable, Equatable {
    /// Records of the log that were read and found sound.
    public internal(set) var records = 0
    /// Nodes of maps that were read and found sound.
    public internal(set) var nodes = 0
    /// Page versions that were read and found sound.
    public internal(set) var pages = 0
    /// Bytes that were read.
    public internal(set) var bytes: UInt64 = 0
    /// What is not as it must be; empty for a sound store.
    public internal(set) var problems: [CheckProblem] = []
    /// Whether there can be more problems than are listed: there were too many, or the store does
    /// not open.
    public internal(set) var isCutShort = false

    /// Whether nothing is wrong.
    public var isSound: Bool { problems.isEmpty }

    static let limit = 1000

    init() {}

    /// What can be said of a store that does not open: see ``OxbowError/problem``.
    public init(unopened problem: CheckProblem) {
        problems = [problem]
        isCutShort = true
    }

    mutating func add(_ problem: CheckProblem) {
        if problems.count < Self.limit { problems.append(problem) } else { isCutShort = true }
    }
}

/// One thing that is not as it must be.
public struct CheckProblem: Sendable, Equatable, CustomStringConvertible {
    /// Where in the log it stands.
    public internal(set) var lsn: LSN
    /// The segment's number, and the file that holds it.
    public internal(set) var file: String
    /// What is wrong.
    public internal(set) var what: String
    /// The object whose pages are lost, where it is known.
    public internal(set) var object: ObjectID?
    /// The page that is lost; of a lost node, the first that it holds.
    public internal(set) var page: PageNumber?
    /// The branches and snapshots that show it now.
    public internal(set) var branches: [String] = []
    /// The points of kept history that show it: at each of these checkpoints somebody does.
    public internal(set) var points: [LSN] = []

    /// All of it in a sentence.
    public var description: String {
        var text = "\(what) at \(lsn) in \(file)"
        if let object, let page { text += ", page \(page) of object \(object)" }
        if !branches.isEmpty { text += "; shown by \(branches.joined(separator: ", "))" }
        if let first = points.first, let last = points.last {
            text += "; in history at " + (first == last ? "\(first)" : "\(first) to \(last)")
        }
        return text
    }
}
