import Oxbow
import Primitives
import Simulation
import Testing

/// Windows as they are set and told, and what a view keeps that left them.
@Suite struct WindowTests {
    @Test func `windows are told as they were set, also after a crash`() throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        #expect(try test.store.window().duration == .seconds(7 * 86_400))
        #expect(try main.window() == nil)
        try test.store.setWindow(.seconds(60), bytes: 1000)
        try main.setWindow(.seconds(30), bytes: 2000)
        try test.store.fork("side", from: main)
        try test.store.sync()
        try test.crash()
        let again = try test.store.branch("main")
        let own = try #require(try again.window())
        #expect(own.duration == .seconds(30) && own.bytes == 2000)
        let common = try test.store.window()
        #expect(common.duration == .seconds(60) && common.bytes == 1000)
        // The other branch asks for the longer time, this one for more bytes.
        let inEffect = try test.store.windowInEffect()
        #expect(inEffect.duration == .seconds(60) && inEffect.bytes == 2000)
        try again.clearWindow()
        #expect(try again.window() == nil)
        #expect(try test.store.windowInEffect() == common)
        try test.store.sync()
        try test.crash()
        #expect(try test.store.branch("main").window() == nil)
    }

    /// Work and passes of reclaim, by which what no window covers goes.
    private func work(_ test: TestStore) throws {
        for round in 1...4 {
            for page in 10..<20 {
                try test.store.branch("main").write([page: round * 100 + page], .synced)
            }
            try test.store.reclaim()
        }
    }

    @Test func `a deleted branch can be undeleted as long as its own window says`() throws {
        var test = try TestStore()
        try test.store.setWindow(.zero, bytes: 0)
        let branch = try test.store.fork("kept", from: test.store.branch("main"))
        try branch.write([1: 1])
        try branch.setWindow(.seconds(86_400), bytes: 1 << 40)
        try branch.delete()
        for _ in 0..<2 {
            #expect(try test.store.windowInEffect().duration == .seconds(86_400))
            try work(test)
            let clock = test.clock
            try test.reopen { clock.advance(by: .seconds(40_000)) }
        }
        try test.store.undelete(branch.id)
        let back = try test.store.branch("kept")
        #expect(try back.difference(from: [1: 1]) == nil)
        try back.delete()
        test.clock.advance(by: .seconds(86_401))
        #expect(try test.store.windowInEffect().duration == .zero)
        try work(test)
        #expect(kind { try test.store.undelete(branch.id) } == .notFound)
        #expect(try test.store.check().problems == [])
    }

    @Test func `a deleted branch keeps no more bytes of history than its window says`() throws {
        let test = try TestStore()
        try test.store.setWindow(.zero, bytes: 0)
        let branch = try test.store.fork("gone", from: test.store.branch("main"))
        try branch.setWindow(.seconds(86_400), bytes: 4096)
        try branch.delete()
        try work(test)
        #expect(kind { try test.store.undelete(branch.id) } == .notFound)
    }

    @Test func `a window can be set on a full disk`() throws {
        let disk = SimulatedDisk(seed: 5, capacity: 2 << 20)
        let store = try TestStore.open(disk, SimulatedClock(seed: 5))
        let main = try store.branch("main")
        var content = 0
        while kind(of: { try main.write([1: content], .synced) }) != .full {
            content += 1
            try #require(content < 20_000)
        }
        // More than is left of the segment that the log is in.
        for round in 0..<200 { try store.setWindow(.seconds(200 - round), bytes: 1000) }
        try main.setWindow(.seconds(1), bytes: 1000)
        try main.clearWindow()
        try store.close()
    }

    @Test func `a held view can be forked when its point is not kept any more`() throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1, 2: 2])
        var pages = [1: 1, 2: 2]
        for page in 10..<60 {
            try main.write([page: page])
            pages[page] = page
        }
        try test.store.checkpoint()
        try main.write([1: 100])
        pages[1] = 100
        let branch: Branch
        do {
            let view = try main.view()
            try test.store.setWindow(.zero, bytes: 0)
            for round in 0..<400 { try main.write([1 + round % 60: 1000 + round]) }
            for _ in 0..<3 { try test.store.reclaim() }
            #expect(kind { try test.store.fork("no", from: view.point) } == .notFound)
            branch = try test.store.fork("yes", from: view)
            #expect(try branch.view().difference(from: pages) == nil)
        }
        for round in 0..<400 { try main.write([1 + round % 60: 5000 + round]) }
        for _ in 0..<3 { try test.store.reclaim() }
        #expect(try branch.view().difference(from: pages) == nil)
        try test.reopen()
        let again = try test.store.branch("yes")
        #expect(try again.view().difference(from: pages) == nil)
        try again.write([2: 7])
        #expect(try again.difference(from: [1: 100, 2: 7]) == nil)
        #expect(try again.history().count == 2)
        #expect(try test.store.check().problems == [])
    }

    @Test func `a fork of a view survives the crash after it`() throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1])
        let view = try main.view()
        try main.write([1: 2])
        try test.store.fork("x", from: view)
        try test.store.sync()
        try test.crash()
        #expect(try test.store.branch("x").difference(from: [1: 1]) == nil)
        #expect(try test.store.check().problems == [])
    }
}
