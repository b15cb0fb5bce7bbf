import Oxbow

/// `oxbow snapshot create`, `list` and `delete`.
enum SnapshotCommands {
    private static let name = Positional(
        "NAME",
        help: "The snapshot's name",
        parse: Values.snapshotName
    )
    private static let of = Option(
        "of",
        "BRANCH[@POINT]",
        isRequired: true,
        help: "What to keep: a branch as it is now, or as it was at a point",
        parse: Values.branchMoment
    )

    private static func keys(_ prefix: String) -> [Command.Key] {
        [
            .init("\(prefix).name", "the snapshot's name"),
            .init("\(prefix).branch.id", "the branch whose point it is"),
            .init("\(prefix).branch.name", "that branch's name"),
            .init("\(prefix).lsn", "the record that it keeps"),
            .init("\(prefix).time", "the time of that record"),
            .init("\(prefix).created", "when the snapshot was made"),
            .init("\(prefix).actor", "who made it"),
            .init("\(prefix).labels", "what they said of it: an object of strings"),
        ]
    }

    private static func json(_ info: SnapshotInfo, _ names: [BranchID: String]) -> JSON {
        [
            "name": .string(info.name),
            "branch": ["id": JSON(info.branch), "name": JSON(names[info.branch])],
            "lsn": JSON(info.lsn), "time": JSON(info.time), "created": JSON(info.created),
            "actor": .string(info.author.actor), "labels": JSON(info.author.labels),
        ]
    }

    static let create = Command(
        "snapshot create",
        "Give a point a name, and keep it",
        positionals: [name],
        options: [of] + Common.authoring,
        discussion: [
            "A named point is kept however old it gets. Its name is a moment: BRANCH@NAME. "
                + "Branches "
                + "and snapshots share their names."
        ],
        examples: [
            .init("oxbow snapshot create before-migration --of main", "main as it is now"),
            .init("oxbow snapshot create good --of main@10m", "as it was ten minutes ago"),
        ],
        keys: keys("snapshot")
    ) { call in
        let (name, of) = (try call.value(name), try call.value(of))
        try call.withStore { store in
            if of.text == nil { try call.environment.host?.prepareFork(store.find(of.branch)) }
            try store.createSnapshot(name, of: store.point(of), by: call.author)
            guard let info = try store.snapshots().last(where: { $0.name == name }) else {
                throw Failure("defect", "snapshot \(name) is not there after it was made")
            }
            let names = try store.branchNames()
            if call.wantsJSON {
                try call.output.json(["snapshot": json(info, names)])
            } else {
                let branch = names[info.branch] ?? "\(info.branch)"
                try call.output.line(
                    "\(name) keeps \(branch)@\(info.lsn) (\(Text.time(info.time)))"
                )
            }
        }
    }

    static let list = Command(
        "snapshot list",
        "List the named points",
        examples: [.init("oxbow snapshot list", "oldest first")],
        keys: keys("snapshots[]")
    ) { call in
        try call.withStore { store in
            let (all, names) = (try store.snapshots(), try store.branchNames())
            if call.wantsJSON {
                try call.output.json(["snapshots": .array(all.map { json($0, names) })])
                return
            }
            var table = Table([
                ("SNAPSHOT", .left), ("OF", .left), ("TIME", .left), ("MADE", .left), ("BY", .left),
            ])
            for info in all {
                table.add([
                    info.name, "\(names[info.branch] ?? "\(info.branch)")@\(info.lsn)",
                    Text.time(info.time), Text.time(info.created), Text.author(info.author) ?? "",
                ])
            }
            try call.output.lines(table.lines)
        }
    }

    static let delete = Command(
        "snapshot delete",
        "Let go of a named point",
        positionals: [name],
        options: Common.authoring,
        discussion: ["What it kept goes when the history around it does."],
        examples: [.init("oxbow snapshot delete before-migration", "it went well")],
        keys: [.init("deleted", "the name that is free again")]
    ) { call in
        let name = try call.value(name)
        try call.withStore { store in
            try store.deleteSnapshot(name, by: call.author)
            if call.wantsJSON {
                try call.output.json(["deleted": .string(name)])
            } else {
                try call.output.line("deleted snapshot \(name)")
            }
        }
    }
}
