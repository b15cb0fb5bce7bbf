import Oxbow

/// `oxbow restore`, `oxbow sync` and `oxbow default`: of a store, served or not.
enum StoreCommands {
    private static let target = Option(
        "to",
        "POINT",
        isRequired: true,
        help: "A moment of the branch, or BRANCH@POINT of another",
        parse: Values.resetTarget
    )

    static let restore = Command(
        "restore",
        "Put a branch back to a moment, for all who use it",
        positionals: [Common.branch],
        options: [target] + Common.authoring,
        discussion: [
            "Its name and its URL stay. Sessions on it are told, and closed; who connects again "
                + "sees the moment. Nothing is lost: `oxbow branch undo` returns, and what the "
                + "branch showed meanwhile can be read at its moments.",
            "To look first: `oxbow psql BRANCH@POINT`.",
        ],
        examples: [
            .init("oxbow restore main --to 10m", "as it was ten minutes ago"),
            .init("oxbow restore main --to 2026-04-08T22:56:02Z", "before the accident"),
        ],
        keys: BranchDescription.keys("branch") + [
            .init("lsn", "the record whose state it shows"), .init("time", "the time of that"),
        ]
    ) { call in
        let reference = try call.value(Common.branch)
        let target = try call.value(target)
        try call.withStore { store in
            let (branch, point) = try ResetCommands.reset(call, store, reference, target)
            let description = try store.describe(branch)
            if call.wantsJSON {
                return try call.output.json([
                    "branch": description.json, "lsn": JSON(point.lsn), "time": JSON(point.time),
                ])
            }
            let name = description.info.name
            try call.output.line(
                "\(name) is as it was at \(point.lsn) (\(Text.time(point.time))): `oxbow branch "
                    + "undo \(name)` returns"
            )
        }
    }

    static let sync = Command(
        "sync",
        "Make everything done so far durable",
        discussion: [
            "What was written to any branch, also through a mount, survives a loss of power "
                + "afterwards."
        ],
        examples: [.init("oxbow sync", "before the machine is switched off")],
        keys: [.init("durable", "the end of the log that is durable, an LSN")]
    ) { call in
        try call.withStore { store in
            try store.sync()
            if call.wantsJSON { return try call.output.json(["durable": JSON(store.durableLSN)]) }
            try call.output.line("durable up to \(store.durableLSN)")
        }
    }

    private static let branch = Positional(
        "BRANCH",
        isOptional: true,
        help: "Make this the default branch, from now on",
        parse: Values.branch
    )

    static let usual = Command(
        "default",
        "Show or set the branch of connections that name none",
        positionals: [branch],
        examples: [
            .init("oxbow default", "which it is"),
            .init("oxbow default staging", "and now another"),
        ],
        keys: [.init("branch", "the default branch")]
    ) { call in
        let reference = call[branch]
        try call.withStore { store in
            if let reference {
                try DefaultBranch.set(call, store.find(reference).info())
            }
            let name = DefaultBranch.name(call) ?? "main"
            if call.wantsJSON { return try call.output.json(["branch": .string(name)]) }
            try call.output.line(name)
        }
    }
}
