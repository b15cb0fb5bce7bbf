import Oxbow

/// `oxbow branch list` and `oxbow branch show`.
enum BranchListing {
    private static let tree = Flag(
        "tree",
        help: "Draw each branch under the one it was forked from"
    )
    private static let all = Flag(
        "all",
        letter: "a",
        help: "Deleted branches too, and those that a server keeps for itself"
    )

    static let list = Command(
        "branch list",
        "List the branches",
        options: [tree, all],
        discussion: [
            "Oldest first, each with its last record, where it was forked from, and when it goes "
                + "by "
                + "itself. In a tree, a deleted branch is drawn where living ones descend from it."
        ],
        examples: [
            .init("oxbow branch list --tree", "what was forked from what"),
            .init("oxbow branch list --all --json", "every branch there ever was, for a program"),
        ],
        keys: BranchDescription.keys("branches[]")
    ) { call in
        try call.withStore { store in
            let every = try store.branches(includingDeleted: call[all] || call[tree])
            let branches = every.filter { call[all] || !$0.isServersOwn }
            let names = try store.branchNames()
            let wanted = branches.filter { call[all] || $0.deleted == nil }
            if call.wantsJSON {
                let list = wanted.map { BranchDescription(info: $0, names: names).json }
                try call.output.json(["branches": .array(list)])
            } else if call[tree] {
                try call.output.lines(BranchTree(branches, all: call[all]).lines)
            } else {
                try call.output.lines(table(wanted, names))
            }
        }
    }

    private static func table(_ branches: [BranchInfo], _ names: [BranchID: String]) -> [String] {
        var table = Table([
            ("BRANCH", .left), ("ID", .left), ("HEAD", .left), ("WRITTEN", .left), ("FROM", .left),
            ("", .left),
        ])
        for branch in branches {
            let description = BranchDescription(info: branch, names: names)
            table.add([
                branch.name, "\(branch.id)", "\(branch.head.lsn)", Text.time(branch.head.time),
                description.from ?? "", description.notes,
            ])
        }
        return table.lines
    }

    static let show = Command(
        "branch show",
        "Show a branch, and all that was done with it",
        positionals: [Common.branch],
        discussion: [
            "Finds deleted branches too: by their id, or by a name that no living branch has."
        ],
        examples: [.init("oxbow branch show pr-1432", "who made it, from what, and its fate")],
        keys: BranchDescription.keys("branch")
            + EventCommand.keys(
                "created, deleted, undeleted, renamed, protected, unprotected, expiry, reset, "
                    + "undo, snapshot, ..."
            )
    ) { call in
        let reference = try call.value(Common.branch)
        try call.withStore { store in
            let branch = try store.findEvenDeleted(reference)
            let description = try store.describe(branch)
            let events = try branch.events()
            if call.wantsJSON {
                return try call.output.json([
                    "branch": description.json, "events": EventCommand.json(events),
                ])
            }
            try call.output.lines(description.lines)
            try call.output.line()
            try call.output.lines(EventCommand.table(events))
        }
    }
}

extension BranchInfo {
    /// Whether a server made it, so that a moment can be read or a fork is ready, and takes it away
    /// by itself.
    var isServersOwn: Bool { ["moment", "prepared"].contains(author.labels["oxbow.use"]) }
}
