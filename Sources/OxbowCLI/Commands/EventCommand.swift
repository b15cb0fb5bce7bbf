import Oxbow

/// `oxbow events`, and how events read.
enum EventCommand {
    static let command = Command(
        "events",
        "Show what was done with the store itself, and who did it",
        discussion: [
            "Snapshots that were deleted, windows that were set and jumps of the clock, oldest "
                + "first. Kept for good. What was done with a branch, `oxbow branch show` has."
        ],
        examples: [.init("oxbow events", "who deleted that snapshot")],
        keys: keys("snapshot deleted, window, clock jump")
    ) { call in
        try call.withStore { store in
            let events = try store.events()
            if call.wantsJSON { return try call.output.json(["events": json(events)]) }
            try call.output.lines(table(events))
        }
    }

    static func keys(_ actions: String) -> [Command.Key] {
        [
            .init("events[].lsn", "the record that says so"),
            .init("events[].time", "when it was done"),
            .init("events[].action", "what: \(actions)"),
            .init("events[].detail", "the name, the point, or what else belongs to it"),
            .init("events[].actor", "who did it"),
            .init("events[].labels", "what they said of it: an object of strings"),
        ]
    }

    static func table(_ events: [LifecycleEvent]) -> [String] {
        var table = Table([("TIME", .left), ("LSN", .left), ("WHAT", .left), ("BY", .left)])
        for event in events {
            let what = [event.action, Text.plain(event.detail)].filter { !$0.isEmpty }
            table.add([
                Text.time(event.time), "\(event.lsn)", what.joined(separator: " "),
                Text.author(event.author) ?? "",
            ])
        }
        return table.lines
    }

    static func json(_ events: [LifecycleEvent]) -> JSON {
        .array(
            events.map { event in
                [
                    "lsn": JSON(event.lsn), "time": JSON(event.time),
                    "action": .string(event.action), "detail": .string(event.detail),
                    "actor": .string(event.author.actor), "labels": JSON(event.author.labels),
                ]
            }
        )
    }
}
