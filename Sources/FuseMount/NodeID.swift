import Volume

/// How the kernel knows a file: which tree, and which file in it. Never given to another.
struct NodeID: Hashable {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(tree: UInt64, _ number: InodeNumber) {
        rawValue = tree << Self.numberBits | number.rawValue
    }

    /// A tree's files have numbers of so many bits; more than a million million files were never
    /// made in one branch.
    static let numberBits: UInt64 = 40
    static let treeLimit: UInt64 = 1 << (64 - numberBits)

    /// The folder that all branches are in.
    static let top = NodeID(rawValue: 1)

    var tree: UInt64 { rawValue >> Self.numberBits }
    var number: InodeNumber {
        InodeNumber(rawValue: rawValue & (1 << Self.numberBits - 1))
    }
}
