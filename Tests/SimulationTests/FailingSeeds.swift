/// Seeds whose run failed once, and what they found.
enum FailingSeeds {
    static let found: [(seed: UInt64, what: String)] = [
        (1, "two nodes in one shard of the cache threw each other out for ever"),
        (4, "a page written and deleted in one commit was there after it"),
        (14, "the spilled pages of a commit that was not made stood in the history"),
        (28, "a tail that was never synced was taken for durable, and its loss for damage"),
        (3, "a rewritten segment kept deletions, and counted too many live bytes"),
        (34, "a closing index that a crash tore was never written anew"),
        (35, "a fork of an empty past asked for a history that was gone"),
        (41, "a fork's first state hung on its parent's history"),
        (61, "a fork from a snapshot had the snapshot's timeline for its origin"),
        (182, "the older checkpoint was opened with a log that had begun"),
        (247, "deletions made a commit too long for a record"),
        (20015, "a store whose close had failed was looked at"),
        (50766, "a superblock whose name was never durable was opened and gone on with"),
    ]

    static var all: [UInt64] { Array(Set(found.map(\.seed))).sorted() }
}
