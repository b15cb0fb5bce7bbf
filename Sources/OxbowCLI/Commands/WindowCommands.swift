import Oxbow

/// `oxbow window show` and `oxbow window set`.
enum WindowCommands {
    private static let time = Option(
        "time",
        "DURATION",
        help: "How long history is kept, such as 12h or 7d",
        parse: Values.duration
    )
    private static let bytes = Option(
        "bytes",
        "BYTES",
        help: "How much log is kept for history at most, such as 2G",
        parse: Values.byteCount
    )
    private static let branch = Option(
        "branch",
        "BRANCH",
        help: "Set the window of this branch alone, by its name or its id",
        parse: Values.branch
    )
    private static let clear = Flag(
        "clear",
        help: "Take the branch's own window away: the store's counts for it again"
    )

    private static let keys: [Command.Key] = [
        .init("store.nanoseconds", "how long the store keeps history"),
        .init("store.bytes", "how much log it keeps for that at most"),
        .init("branches[].id", "a branch with a window of its own"),
        .init("branches[].name", "its name"),
        .init("branches[].nanoseconds", "how long it asks for"),
        .init("branches[].bytes", "how much log it asks for"),
        .init("inEffect.nanoseconds", "the longest that a branch asks for"),
        .init("inEffect.bytes", "the most log that one asks for"),
    ]

    static let show = Command(
        "window show",
        "Show how far back history is kept",
        discussion: [
            "The store has a window, and a branch can have one of its own in its place. All "
                + "branches share one log, so what counts is the most that a branch asks for, "
                + "until it has been deleted for that long."
        ],
        examples: [.init("oxbow window show", "of the store, and of branches")],
        keys: keys
    ) { call in
        try call.withStore { store in try tell(call, store) }
    }

    static let set = Command(
        "window set",
        "Say how far back history is kept",
        options: [time, bytes, branch, clear] + Common.authoring,
        discussion: [
            "What is not given stays as it is. History that a shorter window lets go of gives its "
                + "space back with the next reclaim: a store in use does that by itself, and "
                + "`oxbow reclaim` does it at once."
        ],
        examples: [
            .init("oxbow window set --time 7d --bytes 2G", "for all branches without one"),
            .init("oxbow window set --time 30d --branch main", "longer for this one"),
            .init("oxbow window set --clear --branch main", "as the store has it again"),
        ],
        keys: keys
    ) { call in
        let changes = call.has(time) || call.has(bytes)
        if call[clear], changes || !call.has(branch) {
            throw Misuse("--clear takes a branch's own window away: say --branch BRANCH beside it")
        }
        if !call[clear], !changes {
            throw Misuse("window set what? Say --time DURATION, --bytes BYTES, or both")
        }
        try call.withStore { store in
            try change(call, store)
            try tell(call, store)
        }
    }

    private static func change(_ call: Invocation, _ store: Store) throws {
        guard let reference = call[branch] else {
            let now = try store.window()
            try store.setWindow(
                call[time] ?? now.duration,
                bytes: call[bytes] ?? now.bytes,
                by: call.author
            )
            return
        }
        let branch = try store.find(reference)
        if call[clear] { return try branch.clearWindow(by: call.author) }
        let now = try branch.window() ?? store.window()
        try branch.setWindow(
            call[time] ?? now.duration,
            bytes: call[bytes] ?? now.bytes,
            by: call.author
        )
    }

    private static func tell(_ call: Invocation, _ store: Store) throws {
        let (common, inEffect) = (try store.window(), try store.windowInEffect())
        var own: [(info: BranchInfo, window: HistoryWindow)] = []
        for info in try store.branches() {
            if let window = try store.branch(info.id).window() { own.append((info, window)) }
        }
        if call.wantsJSON {
            let branches = own.map { branch in
                JSON.object(
                    [("id", JSON(branch.info.id)), ("name", .string(branch.info.name))]
                        + fields(branch.window)
                )
            }
            return try call.output.json([
                "store": .object(fields(common)), "branches": .array(branches),
                "inEffect": .object(fields(inEffect)),
            ])
        }
        var table = Table([("WINDOW OF", .left), ("TIME", .right), ("BYTES", .right)])
        // No name has parentheses.
        table.add(["(the store)"] + cells(common))
        for branch in own { table.add([branch.info.name] + cells(branch.window)) }
        table.add(["(in effect)"] + cells(inEffect))
        try call.output.lines(table.lines)
    }

    private static func fields(_ window: HistoryWindow) -> [(String, JSON)] {
        [
            ("nanoseconds", .integer(window.duration.wholeNanoseconds)),
            ("bytes", JSON(window.bytes)),
        ]
    }

    private static func cells(_ window: HistoryWindow) -> [String] {
        [Text.duration(window.duration), Text.bytes(window.bytes)]
    }
}
