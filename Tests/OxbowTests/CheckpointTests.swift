import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// What is done beside a checkpoint, and what one that fails leaves behind.
@Suite struct CheckpointTests {
    let base = SimulatedDisk(seed: 8)
    let clock = SimulatedClock(seed: 8)

    /// A store whose trees are in the log and not in memory, and what its branches show.
    private func grown() throws -> (HookedDisk, Store, [String: [Int: Int]]) {
        var store = try TestStore.open(base, clock)
        let main = try store.branch("main")
        var pages: [Int: Int] = [:]
        for start in stride(from: 0, to: 600, by: 50) {
            for page in start..<start + 50 { pages[page] = page + 1 }
            try main.write(pages.filter { $0.key >= start })
        }
        try store.fork("child", from: main)
        try store.checkpoint()
        // Few enough to be in memory, and not in a root of their own.
        var changed: [Int: Int] = [:]
        for page in stride(from: 0, to: 600, by: 40) { changed[page] = 1000 + page }
        try main.write(changed)
        pages.merge(changed) { $1 }
        try store.fork("unsaved", from: main)
        try store.sync()
        let disk = HookedDisk(base.kill())
        store = try TestStore.open(disk, clock)
        let child = Dictionary(uniqueKeysWithValues: (0..<600).map { ($0, $0 + 1) })
        return (disk, store, ["main": pages, "unsaved": pages, "child": child])
    }

    private func compare(_ store: Store, _ expected: [String: [Int: Int]]) throws {
        #expect(try store.branches().map(\.name).sorted() == expected.keys.sorted())
        for (name, pages) in expected {
            let branch = try store.branch(name)
            #expect(try branch.difference(from: pages) == nil, "\(name)")
            #expect(try branch.view().difference(from: pages) == nil, "\(name)")
        }
    }

    /// Changes the store in every way that a checkpoint has to reckon with.
    private func change(_ store: Store, _ pages: inout [String: [Int: Int]]) throws {
        let main = try store.branch("main")
        try store.fork("beside", from: main)
        pages["beside"] = pages["main"]
        try main.write([5: 7001, 700: 7002])
        pages["main"]?[5] = 7001
        pages["main"]?[700] = 7002
        try store.fork("later", from: main)
        pages["later"] = pages["main"]
        try store.branch("unsaved").commit(.buffered) { try $0.delete(30..<90) }
        for page in 30..<90 { pages["unsaved"]?[page] = 0 }
        try store.branch("child").rename(to: "renamed")
        pages["renamed"] = pages.removeValue(forKey: "child")
    }

    @Test(arguments: [true, false])
    func `what is done beside a checkpoint is there, at once and after a crash`(
        isKept: Bool
    ) throws {
        let (disk, store, grown) = try grown()
        var pages = grown
        var problem: (any Error)?
        disk.onNext(.read) { () throws(DiskError) in
            do { try change(store, &pages) } catch { problem = error }
        }
        try store.checkpoint()
        #expect(!disk.isWaiting && problem == nil)
        try compare(store, pages)
        if !isKept { try store.checkpoint() }
        try compare(store, pages)
        try store.sync()
        let again = try TestStore.open(disk.base.crash(CrashModel(.everythingLost)), clock)
        try compare(again, pages)
        #expect(try again.check().problems == [])
    }

    @Test func `a commit that comes first after a checkpoint's cut is part of the past`() throws {
        let (disk, store, grown) = try grown()
        let main = try store.branch("main")
        var commit: Commit?
        disk.onNext(.read) { () throws(DiskError) in commit = try? main.write([5: 7001]) }
        try store.checkpoint()
        let first = try #require(commit)
        var pages = try #require(grown["main"])
        pages[5] = 7001
        for round in 0..<3 {
            try main.write([5: 8000 + round])
            let point = try main.point(at: .lsn(first.lsn))
            #expect(point.lsn == first.lsn)
            #expect(try main.view(at: point).difference(from: pages) == nil)
            try store.checkpoint()
        }
    }

    @Test func `a checkpoint that fails leaves all as it was, and the next one saves it`() throws {
        let (disk, store, grown) = try grown()
        var pages = grown
        var problem: (any Error)?
        disk.onNext(.read) { () throws(DiskError) in
            do { try change(store, &pages) } catch { problem = error }
            throw .full(operation: "a test")
        }
        #expect(kind { try store.checkpoint() } == .full)
        #expect(problem == nil)
        try compare(store, pages)
        try store.branch("main").write([6: 7003])
        pages["main"]?[6] = 7003
        for _ in 0..<2 {
            try store.checkpoint()
            try compare(store, pages)
        }
        let again = try TestStore.open(disk.base.crash(CrashModel(.everythingLost)), clock)
        try compare(again, pages)
        #expect(try again.check().problems == [])
    }

    @Test func `branches with the same map in the log keep what each has changed`() throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1, 2: 2])
        try test.store.checkpoint()
        for index in 0..<4 {
            let branch = try test.store.fork("b\(index)", from: main)
            if index < 3 { try branch.write([1: 10 + index]) }
            if index == 2 { try branch.commit(.buffered) { try $0.delete(2..<3) } }
        }
        for _ in 0..<2 {
            try test.store.checkpoint()
            try test.crash()
            for index in 0..<4 {
                let branch = try test.store.branch("b\(index)")
                let pages = [1: index < 3 ? 10 + index : 1, 2: index == 2 ? 0 : 2]
                #expect(try branch.difference(from: pages) == nil)
            }
        }
    }

    @Test func `what a checkpoint saved of expiries and names still holds after the next ones`()
        throws
    {
        let test = try TestStore()
        let main = try test.store.branch("main")
        try test.store.fork("short", from: main, expires: .after(.seconds(100)))
        try test.store.createSnapshot("named", of: main.point(at: .head))
        for _ in 0..<4 {
            try main.write([1: 1])
            try test.store.checkpoint()
        }
        _ = try test.store.point(snapshot: "named")
        #expect(kind { try test.store.fork("named", from: main) } == .conflict)
        test.clock.advance(by: .seconds(101))
        try test.store.step()
        #expect(try test.store.branches().map(\.name) == ["main"])
    }
}
