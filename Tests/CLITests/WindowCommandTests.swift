import Foundation
import Testing

@Suite struct WindowCommandTests {
    @Test func `a window is set in part, and told`() throws {
        let tool = try Tool()
        try tool.run("init", "data", "--window", "1h", "--window-bytes", "1M")
        #expect(
            try tool.lines("window", "show") == [
                "WINDOW OF     TIME    BYTES",
                "(the store)  1h 0m  1.0 MiB",
                "(in effect)  1h 0m  1.0 MiB",
            ]
        )
        try tool.lines("branch", "create", "side", "--from", "main")
        let set = try tool.json("window", "set", "--time", "7d")
        #expect(set.number("store.nanoseconds") == 7 * 86_400 * 1_000_000_000)
        #expect(set.number("store.bytes") == 1 << 20)
        #expect(try tool.json("window", "set", "--bytes", "2G").number("store.bytes") == 2 << 30)
        try tool.lines("window", "set", "--time", "30d", "--branch", "side")
        #expect(
            try tool.lines("window", "show") == [
                "WINDOW OF      TIME    BYTES",
                "(the store)   7d 0h  2.0 GiB",
                "side         30d 0h  2.0 GiB",
                "(in effect)  30d 0h  2.0 GiB",
            ]
        )
        let own = try tool.json("window", "set", "--bytes", "3G", "--branch", "side")
        #expect(own.text("branches.0.name") == "side")
        #expect(own.number("branches.0.bytes") == 3 << 30)
        #expect(own.number("branches.0.nanoseconds") == 30 * 86_400 * 1_000_000_000)
        #expect(own.number("inEffect.bytes") == 3 << 30)
        #expect(own.number("store.bytes") == 2 << 30)
        let cleared = try tool.json("window", "set", "--clear", "--branch", "side")
        #expect(cleared.list("branches").isEmpty)
        #expect(cleared.number("inEffect.bytes") == 2 << 30)
        let events = try tool.json("branch", "show", "side").list("events")
        #expect(events.filter { $0.text("action") == "window" }.count == 3)
        #expect(events.last?.text("actor") == Tool.actor)
    }

    @Test func `a shorter window frees what it lets go of`() throws {
        let tool = try Tool()
        try tool.run("init", "data", "--page-size", "4096", "--segment-size", "64K")
        var noise = SystemRandomNumberGenerator()
        for _ in 0..<12 {
            let bytes = (0..<8 * Tool.pageSize).map { _ in
                UInt8.random(in: 0...255, using: &noise)
            }
            try tool.lines("page", "write", "main", "1", "0", input: bytes)
        }
        func freed() throws -> Int {
            var all = 0
            for _ in 0..<3 { all += try tool.json("reclaim").number("freedBytes") ?? 0 }
            return all
        }
        let before = try freed()
        try tool.lines("window", "set", "--time", "0s", "--bytes", "0")
        #expect(try freed() > before + 100_000)
        #expect(try tool.json("check").flag("sound") == true)
    }
}
