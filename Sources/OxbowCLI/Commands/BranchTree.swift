import Oxbow

/// Draws branches under those that they were forked from.
///
///     main            L1A2B  2026-04-08T22:56:02Z
///     ├─ pr-1432      L1B00  2026-04-08T23:01:10Z
///     │  └─ attempt   L1C40  2026-04-08T23:07:33Z
///     └─ rescue       L1D10  2026-04-08T23:12:00Z  protected
struct BranchTree {
    private let all: [BranchID: BranchInfo]
    private let children: [BranchID?: [BranchInfo]]
    private let names: [BranchID: String]

    /// Deleted branches are in it only where a living one descends from them, or if all are
    /// wanted.
    init(_ branches: [BranchInfo], all wantsAll: Bool) {
        var known: [BranchID: BranchInfo] = [:]
        for branch in branches { known[branch.id] = branch }
        var wanted: Set<BranchID> = []
        for branch in branches where wantsAll || branch.deleted == nil {
            var next: BranchInfo? = branch
            // Parents are older than their children, so this ends.
            while let current = next, wanted.insert(current.id).inserted {
                next = current.parent.flatMap { known[$0] }
            }
        }
        var children: [BranchID?: [BranchInfo]] = [:]
        for branch in branches where wanted.contains(branch.id) {
            let parent = branch.parent.flatMap { known[$0]?.id }
            children[parent, default: []].append(branch)
        }
        all = known
        self.children = children
        names = known.mapValues(\.name)
    }

    /// The branches in the order of drawing, each with what is drawn before its name.
    var rows: [(drawing: String, branch: BranchInfo)] {
        var rows: [(String, BranchInfo)] = []
        var open: [(first: String, rest: String, branch: BranchInfo)] =
            (children[nil] ?? []).reversed().map { ("", "", $0) }
        // Without recursion: a chain of forks can be long.
        while let (first, rest, branch) = open.popLast() {
            rows.append((first, branch))
            let below = children[branch.id] ?? []
            for (place, child) in below.enumerated().reversed() {
                let isLast = place == below.count - 1
                open.append(
                    (rest + (isLast ? "└─ " : "├─ "), rest + (isLast ? "   " : "│  "), child)
                )
            }
        }
        return rows
    }

    var lines: [String] {
        var table = Table([("BRANCH", .left), ("HEAD", .left), ("WRITTEN", .left), ("", .left)])
        for (drawing, branch) in rows {
            table.add([
                drawing + branch.name, "\(branch.head.lsn)", Text.time(branch.head.time),
                BranchDescription(info: branch, names: names).notes,
            ])
        }
        return table.lines
    }
}
