import Testing

@Suite struct EventCommandTests {
    @Test func `who deleted a snapshot or set the window can be read back`() throws {
        let tool = try Tool.withStore()
        try tool.lines("snapshot", "create", "s1", "--of", "main")
        try tool.lines("snapshot", "delete", "s1", "--actor", "bob", "--label", "why=cleanup")
        try tool.lines("window", "set", "--time", "3d")
        let events = try tool.json("events").list("events")
        #expect(
            events.map { $0.text("action") }.suffix(2) == ["snapshot deleted", "window"]
        )
        let deletion = events[events.count - 2]
        #expect(deletion.text("detail") == "s1")
        #expect(deletion.text("actor") == "bob")
        #expect(deletion.text("labels.why") == "cleanup")
        let lines = try tool.lines("events")
        #expect(lines[0].hasPrefix("TIME"))
        #expect(lines.count == events.count + 1)
        #expect(lines[lines.count - 2].contains("snapshot deleted s1"))
        #expect(lines[lines.count - 2].contains("bob why=cleanup"))
    }
}
