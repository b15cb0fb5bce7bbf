import Oxbow
import Primitives
import Simulation
import Testing

/// Names, protection, and commits that a change to their branch overtakes.
@Suite struct LifecycleTests {
    /// What holds at once holds after a crash, and after a checkpoint, too.
    enum Interruption: CaseIterable { case none, crash, checkpoint }

    private func interrupt(_ test: inout TestStore, _ interruption: Interruption) throws {
        switch interruption {
        case .none: break
        case .crash:
            try test.store.sync()
            try test.crash()
        case .checkpoint:
            try test.store.checkpoint()
            try test.crash()
        }
    }

    @Test(arguments: Interruption.allCases)
    func `a name is free when its branch is deleted or renamed, and taken when it is back`(
        interruption: Interruption
    ) throws {
        var test = try TestStore()
        let first = try test.store.fork("one", from: test.store.branch("main"))
        try first.write([1: 1])
        try first.delete()
        try interrupt(&test, interruption)
        #expect(kind { _ = try test.store.branch("one") } == .notFound)
        let second = try test.store.fork("one", from: test.store.branch("main"))
        #expect(kind { try test.store.undelete(first.id) } == .conflict)
        try second.rename(to: "two")
        try interrupt(&test, interruption)
        #expect(kind { _ = try test.store.branch("one") } == .notFound)
        #expect(try test.store.branch("two").id == second.id)
        try test.store.undelete(first.id)
        try interrupt(&test, interruption)
        let back = try test.store.branch("one")
        #expect(back.id == first.id)
        #expect(try back.difference(from: [1: 1]) == nil)
        try back.write([1: 2])
        #expect(try back.difference(from: [1: 2]) == nil)
        #expect(kind { try test.store.fork("one", from: back) } == .conflict)
    }

    @Test(arguments: Interruption.allCases)
    func `a branch that is handed over is its new author's in all but its content`(
        interruption: Interruption
    ) throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        let spare = try test.store.fork(
            "spare-1",
            from: main,
            expires: .after(.seconds(60)),
            by: Author("pool", labels: ["for": "anybody"])
        )
        try spare.write([1: 1])
        let made = try spare.info()
        #expect(kind { try spare.handOver(as: "main", to: Author("ann")) } == .conflict)
        #expect(kind { try spare.handOver(as: "No", to: Author("ann")) } == .invalid)
        let past = Expiry.at(made.created)
        #expect(kind { try spare.handOver(as: "mine", expires: past) } == .invalid)
        #expect(try spare.info() == made)

        let ann = Author("ann", labels: ["why": "a test"])
        try spare.handOver(as: "mine", expires: .after(.seconds(3600)), to: ann)
        try interrupt(&test, interruption)
        #expect(kind { _ = try test.store.branch("spare-1") } == .notFound)
        let mine = try test.store.branch("mine")
        let info = try mine.info()
        #expect(info.id == made.id && info.author == ann)
        #expect(info.created == made.created && info.origin == made.origin)
        let expiry = try #require(info.expires)
        #expect(expiry > made.created.advanced(by: .seconds(3600)))
        #expect(try mine.difference(from: [1: 1]) == nil)
        let events = try mine.events()
        #expect(events.map(\.action) == ["created", "handed over"])
        #expect(events.map(\.author) == [ann, ann] && events[1].detail == "mine")
        // The old expiry is none any more, and the name is free.
        try mine.handOver(as: "spare-1", to: Author("bob"))
        #expect(try mine.info().expires == nil)
        try mine.delete()
        #expect(kind { try mine.handOver(as: "again") } == .notFound)
    }

    @Test(arguments: Interruption.allCases)
    func `an undeleted branch has the expiry that is stated then`(
        interruption: Interruption
    ) throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        let one = try test.store.fork("one", from: main, expires: .after(.seconds(60)))
        try one.delete()
        try test.store.undelete(one.id)
        #expect(try one.info().expires == nil)
        try one.delete()
        let before = try main.write([1: 1]).time
        try test.store.undelete(one.id, as: "two", expires: .after(.seconds(30)))
        try interrupt(&test, interruption)
        let two = try test.store.branch("two")
        #expect(try #require(two.info().expires) >= before.advanced(by: .seconds(30)))
        test.clock.advance(by: .seconds(31))
        for _ in 0..<8 where try !test.store.step() { break }
        #expect(kind { _ = try test.store.branch("two") } == .notFound)
    }

    @Test func `a store that asks for an expiry asks again where a branch comes back`() throws {
        var options = StoreOptions()
        options.requiresExpiry = true
        let store = try Store.temporary(options)
        let branch = try store.fork("one", from: store.branch("main"), expires: .never)
        try branch.delete()
        #expect(kind { try store.undelete(branch.id) } == .invalid)
        try store.undelete(branch.id, expires: .never)
        #expect(try branch.info().expires == nil)
    }

    @Test func `branches and snapshots share one namespace`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        try test.store.createSnapshot("pinned", of: main.point(at: .head))
        #expect(kind { try test.store.fork("pinned", from: main) } == .conflict)
        #expect(kind { try main.rename(to: "pinned") } == .conflict)
        let point = try main.point(at: .head)
        #expect(kind { try test.store.createSnapshot("main", of: point) } == .conflict)
        try test.store.deleteSnapshot("pinned")
        try test.store.fork("pinned", from: main)
    }

    @Test func `a protected branch is neither deleted nor reset`() throws {
        let test = try TestStore()
        let branch = try test.store.fork("kept", from: test.store.branch("main"))
        let before = try branch.point(at: .head)
        try branch.write([1: 1])
        try branch.protect()
        #expect(kind { try branch.delete() } == .conflict)
        #expect(kind { try branch.reset(to: before) } == .conflict)
        #expect(try branch.difference(from: [1: 1]) == nil)
        try branch.protect(false)
        try branch.reset(to: before)
        #expect(try branch.difference(from: [1: 0]) == nil)
        try branch.delete()
    }

    @Test func `a commit that was begun before a reset is refused, and leaves nothing`() throws {
        let test = try TestStore()
        let branch = try test.store.fork("one", from: test.store.branch("main"))
        try branch.write([1: 1])
        let before = try branch.point(at: .head)
        try branch.write([1: 2])
        let refusal = kind {
            try branch.commit { edit in
                _ = try edit.read(page: 1, of: TestStore.table)
                try branch.reset(to: before)
                try edit.write([1: 3])
            }
        }
        #expect(refusal == .conflict)
        #expect(try branch.difference(from: [1: 1]) == nil)
        try branch.undo()
        #expect(try branch.difference(from: [1: 2]) == nil)
    }

    @Test func `an undo is told as one, and a reset as one`() throws {
        let test = try TestStore()
        let branch = try test.store.fork("one", from: test.store.branch("main"))
        let empty = try branch.point(at: .head)
        try branch.write([1: 1])
        let middle = try branch.point(at: .head)
        try branch.write([1: 2])
        try branch.reset(to: middle)
        try branch.undo()
        try branch.undo()
        try branch.write([1: 3])
        try branch.reset(to: empty)
        try branch.reset(to: middle)
        try branch.undo()
        let events = try branch.events()
        #expect(
            events.map(\.action)
                == ["created", "reset", "undo", "undo", "reset", "reset", "undo"]
        )
        #expect(events[1].detail == "to \(middle.lsn)")
        #expect(try branch.difference(from: [1: 0]) == nil)
    }

    @Test func `the limit of resets is no wrong call`() throws {
        let test = try TestStore()
        let branch = try test.store.fork("one", from: test.store.branch("main"))
        let start = try branch.point(at: .head)
        var refusal: OxbowError.Kind?
        for _ in 0..<600 where refusal == nil { refusal = kind { try branch.reset(to: start) } }
        #expect(refusal == .conflict)
    }

    @Test func `resets that have left history do not count against the limit`() throws {
        let store = try Store.temporary(limit: 64 << 20, ReclaimTests.options())
        let main = try store.branch("main")
        let table = ObjectID(1)
        try main.commit { try $0.write(ReclaimTests.page(1), page: 0, of: table) }
        let branch = try store.fork("one", from: main)
        try store.createSnapshot("clean", of: branch.point(at: .head))
        try store.setWindow(.zero, bytes: 0)
        for round in 0..<6000 {
            try branch.commit(.buffered) { edit in
                try edit.write(ReclaimTests.page(round), page: 0, of: table)
            }
            try branch.reset(to: store.point(snapshot: "clean"))
            if round % 200 == 0 { try store.reclaim() }
        }
        #expect(try branch.read(page: 0, of: table) == ReclaimTests.page(1))
        try branch.undo()
        #expect(try branch.read(page: 0, of: table) == ReclaimTests.page(5999))
        for _ in 0..<2 { try store.reclaim() }
        let refusal = #expect(throws: OxbowError.self) { try branch.undo() }
        #expect(refusal?.message.contains("not kept any more") == true)
        #expect(try branch.events().count > 6000)
        #expect(try store.check().isSound)
    }

    @Test func `refusals say whose a name is, and what a deleted branch can be found by`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        let point = try main.point(at: .head)
        try test.store.createSnapshot("s1", of: point)
        var refusal = #expect(throws: OxbowError.self) { try test.store.fork("s1", from: main) }
        #expect(refusal?.message == "a snapshot s1 exists already, of main@\(point.lsn)")
        try main.delete()
        refusal = #expect(throws: OxbowError.self) { try main.view() }
        #expect(refusal?.message.contains("it can be undeleted, as \(main.id),") == true)
    }

    @Test func `a commit that was begun before a deletion is refused, and leaves nothing`() throws {
        let test = try TestStore()
        let branch = try test.store.fork("one", from: test.store.branch("main"))
        try branch.write([1: 1])
        let refusal = kind {
            try branch.commit { edit in
                _ = try edit.read(page: 1, of: TestStore.table)
                try edit.write([1: 2])
                try branch.delete()
            }
        }
        #expect(refusal == .conflict)
        try test.store.undelete(branch.id)
        #expect(try branch.difference(from: [1: 1]) == nil)
    }

    @Test func `what was done with the store itself can be read back, and stays`() throws {
        var test = try TestStore()
        let (ann, bob) = (Author("ann", labels: ["why": "a test"]), Author("bob"))
        let main = try test.store.branch("main")
        for name in ["s1", "s2"] {
            try test.store.createSnapshot(name, of: main.point(at: .head), by: bob)
        }
        try test.store.deleteSnapshot("s1", by: ann)
        try test.store.setWindow(.zero, bytes: 0, by: bob)
        for round in 0..<3 {
            let events = try test.store.events().dropFirst()
            #expect(events.map(\.action) == ["snapshot deleted", "window"])
            #expect(events.map(\.author) == [ann, bob])
            #expect(events.first?.detail == "s1")
            try test.store.branch("main").write([1: round])
            try test.store.checkpoint()
            try test.store.reclaim()
            try test.reopen()
        }
        try test.store.close()
        #expect(kind { _ = try test.store.events() } == .reopen)
    }

    @Test func `a branch says whether it can be brought back`() throws {
        let test = try TestStore()
        let branch = try test.store.fork("one", from: test.store.branch("main"))
        #expect(try !branch.info().canBeUndeleted)
        try branch.delete()
        #expect(try branch.info().canBeUndeleted)
        try test.store.setWindow(.zero, bytes: 0)
        for _ in 0..<3 {
            try test.store.branch("main").write([1: 1])
            try test.store.checkpoint()
            try test.store.reclaim()
        }
        #expect(try !branch.info().canBeUndeleted)
        #expect(kind { try test.store.undelete(branch.id) } == .notFound)
    }
}
