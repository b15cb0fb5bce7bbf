import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// What others do while reclaim frees what their copy of the catalog reaches, and nothing newer
/// does: at each place where they read from the disk, since nothing is cached.
@Suite struct ReadingBesideReclaimTests {
    struct Situation {
        let disk: HookedDisk
        let store: Store
        let old: Branch
        let point: Point
    }

    /// A store whose catalog and pages lie in many segments, and whose window is nothing.
    static func situation() throws -> Situation {
        let disk = HookedDisk(SimulatedDisk(seed: 7))
        let store = try TestStore.open(disk, SimulatedClock(seed: 7))
        let old = try store.fork("old", from: store.branch("main"))
        _ = try store.fork("busy", from: store.branch("main"))
        try store.setWindow(.zero, bytes: 0)
        // So many that a map has nodes above its leaves.
        for start in stride(from: 1, to: 1000, by: 50) {
            try old.write(
                Dictionary(uniqueKeysWithValues: (start..<start + 50).map { ($0, $0) })
            )
        }
        for number in 0..<300 { try store.fork("x\(number)", from: old) }
        try churn(store, 1)
        try old.write([1: 1000])
        let point = try old.point(at: .head)
        try old.write([2: 1000])
        try store.checkpoint()
        return Situation(disk: disk, store: store, old: old, point: point)
    }

    /// Changes what all maps of the catalog hold, twice, and lets go of what was before.
    static func churn(_ store: Store, _ round: Int, isWriting: Bool = true) throws {
        let busy = try store.branch("busy")
        for part in 0..<2 {
            let name = "b\(round)-\(part)"
            let branch = try store.fork(name, from: busy)
            try branch.setExpiry(.after(.seconds(1_000_000)))
            try store.createSnapshot("s\(name)", of: busy.point(at: .head))
            for content in 1..<60 {
                try busy.write([content % 50: content + part * 1000, 900: content])
            }
            if isWriting { try store.branch("old").write([3: round, 500: round]) }
            // Something in each leaf of the maps of branches and timelines.
            for number in stride(from: part, to: 300, by: 60) {
                try store.branch("x\(number)").protect()
            }
            try store.checkpoint()
        }
        try store.reclaim()
        try store.reclaim()
    }

    /// Does something as often as it reads from the disk, and each time at another of its reads
    /// everything is made anew and what was before is freed.
    private func interrupt(
        _ what: String,
        writing: Bool = true,
        _ body: (Situation) throws -> Void
    ) throws {
        var skipped = 0
        while true {
            let situation = try Self.situation()
            let (disk, store, place) = (situation.disk, situation.store, skipped)
            // Safe to share: one thread does all of this.
            nonisolated(unsafe) var left = skipped
            @Sendable func arm() {
                disk.onNext(.read) { () throws(DiskError) in
                    if left == 0 {
                        do { try Self.churn(store, 2, isWriting: writing) } catch {
                            Issue.record("\(what), read \(place), churn: \(error)")
                        }
                        return
                    }
                    left -= 1
                    arm()
                }
            }
            arm()
            do { try body(situation) } catch {
                Issue.record("\(what), read \(skipped): \(error)")
            }
            if disk.isWaiting { return disk.forget() }
            skipped += 1 + skipped / 2
        }
    }

    /// A point can be gone by the time that it is asked for.
    private static func unlessGone(_ body: () throws -> Void) throws {
        do { try body() } catch {
            guard let told = error as? OxbowError, told.kind == .notFound else { throw error }
        }
    }

    @Test func `a branch is found, and read`() throws {
        try interrupt("look up") { situation in
            let branch = try situation.store.branch("old")
            #expect(try branch.info().name == "old")
        }
        try interrupt("read") { situation in
            let difference = try situation.old.difference(from: [1: 1000, 2: 1000, 30: 30])
            #expect(difference == nil)
        }
        try interrupt("read where nobody writes") { situation in
            let still = try situation.store.branch("b1-0")
            #expect(try still.read(page: 900, of: TestStore.table) == TestStore.page(0))
        }
    }

    @Test func `a commit takes effect`() throws {
        try interrupt("commit") { try $0.old.write([5: 5000]) }
        try interrupt("read and commit", writing: false) { situation in
            try situation.old.commit(.buffered) { edit in
                #expect(try edit.read(page: 20, of: TestStore.table) == TestStore.page(20))
                #expect(try edit.read(page: 30, of: TestStore.table) == TestStore.page(30))
                try edit.write([6: 6000])
            }
        }
    }

    @Test func `lists are whole`() throws {
        try interrupt("list") { situation in
            #expect(try situation.store.branches().count >= 5)
            #expect(try situation.store.snapshots().count >= 2)
            #expect(try situation.old.events().count == 1)
            _ = try situation.store.windowInEffect()
        }
    }

    @Test func `the past is found, as far as it is kept`() throws {
        try interrupt("history") { situation in
            let history = try situation.old.history()
            #expect(!history.isEmpty)
        }
        try interrupt("point") { situation in
            let head = try situation.old.point(at: .head)
            #expect(head.lsn > situation.point.lsn)
            let before = try situation.old.point(at: .lsn(head.lsn))
            #expect(before.lsn == head.lsn)
        }
        try interrupt("view") { situation in
            try Self.unlessGone {
                let view = try situation.old.view(at: situation.point)
                #expect(try view.read(page: 2, of: TestStore.table) == TestStore.page(2))
                #expect(try view.read(page: 30, of: TestStore.table) == TestStore.page(30))
            }
        }
    }

    @Test func `a head is viewed, though it is the past by then`() throws {
        try interrupt("view of the head") { situation in
            let view = try situation.old.view()
            let shown = try view.read(page: 3, of: TestStore.table)
            #expect(shown == TestStore.page(1) || shown == TestStore.page(2))
        }
    }

    @Test func `a head is kept by a name or a reset, though it is the past by then`() throws {
        try interrupt("snapshot of the head") { situation in
            let head = try situation.old.point(at: .head)
            try situation.store.createSnapshot("kept", of: head)
            let point = try situation.store.point(snapshot: "kept")
            #expect(point.lsn == head.lsn)
        }
        try interrupt("reset to the head") { situation in
            try situation.old.reset(to: situation.old.point(at: .head))
            #expect(try situation.old.difference(from: [2: 1000, 30: 30]) == nil)
        }
    }

    @Test func `branches are made`() throws {
        try interrupt("fork") { situation in
            let fork = try situation.store.fork("child", from: situation.old)
            #expect(try fork.difference(from: [2: 1000, 30: 30]) == nil)
        }
        try interrupt("fork the past") { situation in
            try Self.unlessGone {
                let fork = try situation.store.fork("child", from: situation.point)
                #expect(try fork.difference(from: [2: 2, 30: 30]) == nil)
            }
        }
        try interrupt("expire") { try $0.store.step() }
    }
}
