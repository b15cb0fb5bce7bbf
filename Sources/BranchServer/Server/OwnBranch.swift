import DiskIO
import Oxbow

/// Branches that the server makes for its own use, and takes away again. They are known by a label,
/// so that what a server left that was killed is found by the next.
enum OwnBranch: String {
    /// Stands in for a moment that somebody reads.
    case moment
    /// Belongs to one connection.
    case connection
    /// Is kept ready for whoever forks its parent next.
    case prepared

    /// Whether nobody is shown it among branches.
    var isHidden: Bool { self != .connection }

    /// Labels that begin with `oxbow.` are the server's.
    static let label = "oxbow.use"

    func author(_ actor: String) -> Author {
        Author(actor, labels: [Self.label: rawValue])
    }

    /// A name that no other branch has.
    var newName: String {
        let mark = String(SystemEntropy.draw() & 0xffff_ffff_ffff, radix: 36)
        return "\(rawValue)-\(mark)"
    }

    /// What the server uses a branch for; nil for one of its users'.
    init?(_ info: BranchInfo) {
        guard let use = info.author.labels[Self.label] else { return nil }
        self.init(rawValue: use)
    }
}
