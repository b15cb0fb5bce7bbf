import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// What a store does not take: what is another's, what is past, and anything after its end.
@Suite struct RefusalTests {
    @Test func `points, branches and views of another store are refused`() throws {
        let (one, other) = (try Store.temporary(), try Store.temporary())
        let (main, stranger) = (try one.branch("main"), try other.branch("main"))
        let point = try stranger.point(at: .head)
        let view = try stranger.view()
        #expect(kind { try one.fork("x", from: stranger) } == .invalid)
        #expect(kind { try one.fork("x", from: point) } == .invalid)
        #expect(kind { try one.fork("x", from: view) } == .invalid)
        #expect(kind { _ = try main.view(at: point) } == .invalid)
        #expect(kind { try main.reset(to: point) } == .invalid)
        #expect(kind { try one.createSnapshot("x", of: point) } == .invalid)
        #expect(try one.branches().count == 1)
        #expect(try one.snapshots().isEmpty)
    }

    @Test func `a point stays one when its store is opened anew`() throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1])
        let point = try main.point(at: .head)
        try main.write([1: 2])
        try test.reopen()
        let branch = try test.store.fork("x", from: point)
        #expect(try branch.difference(from: [1: 1]) == nil)
    }

    @Test func `no snapshot is named as every branch's present is`() throws {
        let store = try Store.temporary()
        let point = try store.branch("main").point(at: .head)
        #expect(kind { try store.createSnapshot("head", of: point) } == .invalid)
        try store.createSnapshot("head-1", of: point)
        _ = try store.fork("head", from: point)
    }

    @Test func `an expiry in the past is refused`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        let now = try main.point(at: .head).time
        for expiry in [
            Expiry.at(.zero), .at(now), .after(.zero), .after(.seconds(-1)),
            .at(now.advanced(by: .seconds(-60))),
        ] {
            #expect(kind { try test.store.fork("x", from: main, expires: expiry) } == .invalid)
            #expect(kind { try main.setExpiry(expiry) } == .invalid)
        }
        #expect(try test.store.branches().map(\.expires) == [nil])
        let later = now.advanced(by: .seconds(86_400))
        try test.store.fork("x", from: main, expires: .at(later))
        #expect(try test.store.branch("x").info().expires == later)
    }

    @Test func `the page after the highest can be neither written nor read`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        let view = try main.view()
        let beyond = PageNumber(.max)
        #expect(kind { _ = try main.read(page: beyond, of: TestStore.table) } == .invalid)
        #expect(kind { _ = try view.read(page: beyond, of: TestStore.table) } == .invalid)
        var bytes = TestStore.page(1)
        bytes.withUnsafeMutableBytes { buffer in
            let read = { try main.read(page: beyond, of: TestStore.table, into: buffer) }
            #expect(kind(of: read) == .invalid)
            let past = { try view.read(page: beyond, of: TestStore.table, into: buffer) }
            #expect(kind(of: past) == .invalid)
        }
        let refusal = kind {
            try main.commit { edit in
                _ = try edit.read(page: beyond, of: TestStore.table)
            }
        }
        #expect(refusal == .invalid)
        let highest = PageNumber(.max - 1)
        #expect(try main.read(page: highest, of: TestStore.table) == TestStore.page(0))
    }

    @Test func `a moment out of range is the head, or before history`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1])
        let head = try main.point(at: .head)
        for text in ["9999-12-31T23:59:59Z", "2600-01-01T00:00:00Z"] {
            #expect(try main.point(at: Moment(parsing: text)).lsn == head.lsn)
        }
        for text in ["1960-01-01T00:00:00Z", "1000000d", "99999999999999999999999999d"] {
            let refusal = #expect(throws: OxbowError.self) {
                try main.point(at: Moment(parsing: text))
            }
            #expect(refusal?.kind == .notFound)
            #expect(refusal?.message.contains("the earliest kept is") == true)
        }
    }

    /// Every call that can throw, but `check`, which reads all files and so hears of it there.
    private static func calls(
        _ store: Store,
        _ view: View,
        _ point: Point
    ) throws -> [(String, () throws -> Void)] {
        let main = try store.branch("main")
        return [
            ("branch", { _ = try store.branch("main") }),
            ("branch of an id", { _ = try store.branch(main.id) }),
            ("branches", { _ = try store.branches() }),
            ("deletedBranch", { _ = try store.deletedBranch("main") }),
            ("undelete", { try store.undelete(main.id) }),
            ("snapshots", { _ = try store.snapshots() }),
            ("point of a snapshot", { _ = try store.point(snapshot: "s") }),
            ("createSnapshot", { try store.createSnapshot("t", of: point) }),
            ("deleteSnapshot", { try store.deleteSnapshot("s") }),
            ("fork", { try store.fork("x", from: main) }),
            ("fork from a point", { try store.fork("x", from: point) }),
            ("fork from a view", { try store.fork("x", from: view) }),
            ("sync", { try store.sync() }),
            ("checkpoint", { try store.checkpoint() }),
            ("step", { try store.step() }),
            ("reclaim", { try store.reclaim() }),
            ("check", { _ = try store.check() }),
            ("usage", { _ = try store.usage() }),
            ("setWindow", { try store.setWindow(.zero, bytes: 0) }),
            ("window", { _ = try store.window() }),
            ("windowInEffect", { _ = try store.windowInEffect() }),
            ("info", { _ = try main.info() }),
            ("history", { _ = try main.history() }),
            ("events", { _ = try main.events() }),
            ("point", { _ = try main.point(at: .head) }),
            ("view", { _ = try main.view() }),
            ("view at a point", { _ = try main.view(at: point) }),
            ("read", { _ = try main.read(page: 1, of: TestStore.table) }),
            ("commit", { try main.write([1: 2]) }),
            ("rename", { try main.rename(to: "x") }),
            ("handOver", { try main.handOver(as: "x") }),
            ("protect", { try main.protect() }),
            ("setExpiry", { try main.setExpiry(.never) }),
            ("a branch's window", { _ = try main.window() }),
            ("a branch's setWindow", { try main.setWindow(.zero, bytes: 0) }),
            ("clearWindow", { try main.clearWindow() }),
            ("reset", { try main.reset(to: point) }),
            ("undo", { try main.undo() }),
            ("delete", { try main.delete() }),
            ("a view's read", { _ = try view.read(page: 1, of: TestStore.table) }),
            ("visitPages", { try view.visitPages(of: TestStore.table) { _ in true } }),
        ]
    }

    @Test func `after its end a store does nothing`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1])
        let (view, point) = (try main.view(), try main.point(at: .head))
        try test.store.createSnapshot("s", of: point)
        let calls = try Self.calls(test.store, view, point)
        try test.store.close()
        for (name, call) in calls { #expect(kind(of: call) == .reopen, "\(name)") }
        try test.store.close()
    }

    @Test func `a name that is refused is told without what would break a line`() throws {
        let store = try Store.temporary()
        let main = try store.branch("main")
        for name in ["a\nb", "a\0b", "a\u{1B}[1mb", "a\u{85}b", "a\u{2028}b"] {
            for body in [
                { _ = try store.branch(name) }, { try store.fork(name, from: main) },
                { _ = try store.point(snapshot: name) }, { _ = try Moment(parsing: name) },
            ] as [() throws -> Void] {
                let error = #expect(throws: OxbowError.self) { try body() }
                let message = try #require(error?.message)
                #expect(error?.kind == .invalid)
                let kinds = message.unicodeScalars.map(\.properties.generalCategory)
                #expect(!kinds.contains(.control) && !kinds.contains(.lineSeparator))
            }
        }
    }
}
