import BranchServer
import Foundation
import Oxbow
import PostgresWire
import Primitives
import Testing

/// What the console does, on a store in memory.
@Suite struct AdminStoreTests {
    private final class Notes: Sendable {
        private let lock = Lock()
        // Safe: under the lock.
        nonisolated(unsafe) private var usual = "main"
        // Safe: under the lock.
        nonisolated(unsafe) private var notes: [String] = []
        // Safe: under the lock.
        nonisolated(unsafe) private var other: (@Sendable () -> Void)?

        var defaultBranch: String { lock.withLock { usual } }
        func setDefault(_ name: String) { lock.withLock { usual = name } }
        /// What somebody else does while a branch is about to be held.
        func meanwhile() { lock.withLock { other.take() }?() }
        func doMeanwhile(_ other: @escaping @Sendable () -> Void) {
            lock.withLock { self.other = other }
        }
        func add(_ note: String) { lock.withLock { notes.append(note) } }
        var all: [String] { lock.withLock { notes } }
    }

    private let store: Store
    private let notes = Notes()
    private let admin: AdminStore

    init() throws {
        store = try Store.temporary()
        let notes = notes
        admin = AdminStore(
            store,
            AdminStore.Surroundings(
                defaultBranch: { notes.defaultBranch },
                setDefaultBranch: { name throws(Refusal) in notes.setDefault(name) },
                hold: { name throws(Refusal) in
                    notes.add("hold \(name)")
                    notes.meanwhile()
                    return { notes.add("release \(name)") }
                }
            )
        )
    }

    @discardableResult
    private func say(_ text: String) throws -> AdminResult {
        var last = AdminResult()
        for statement in try AdminStatement.parse(text) {
            let result = try admin.answer(statement, for: "app")
            last = try #require(result)
            if let columns = statement.columns {
                #expect(last.rows.allSatisfy { $0.count == columns.count })
            }
        }
        return last
    }

    private func state(_ text: String) -> String? {
        do { try say(text) } catch { return (error as? Refusal)?.state }
        return nil
    }

    private func write(_ byte: UInt8, to branch: String = "main") throws {
        let page = [UInt8](repeating: byte, count: store.pageSize)
        try store.branch(branch).commit { edit in
            try edit.write(page, page: 0, of: ObjectID(1))
        }
    }

    private func read(_ branch: String) throws -> UInt8? {
        try store.branch(branch).read(page: 0, of: ObjectID(1)).first
    }

    @Test func `a branch is made, listed, renamed, dropped and brought back`() throws {
        try write(1)
        try say("create branch x from main ttl '1h'; create branch y no expiry")
        let listed = try say("show branches").rows
        #expect(listed.map { $0[0] } == ["main", "x", "y"])
        #expect(listed.map { $0[1] } == [nil, "main", "main"])
        #expect(listed[1][7] != nil && listed[2][7] == nil)
        #expect(listed.map { $0[9] } == ["yes", "no", "no"])
        try say("rename branch x to z; drop branch z")
        #expect(notes.all == ["hold x", "release x", "hold z", "release z"])
        #expect(state("drop branch z") == "3D000")
        try say("drop branch if exists z; undelete branch z as w")
        #expect(try read("w") == 1)
        #expect(try store.branch("w").info().author.actor == "app")
    }

    @Test func `a branch is made of a moment, and set back to it`() throws {
        try write(1)
        let then = try #require(try say("show history for main").rows.first?[0])
        try write(2)
        try say("create branch old from main at \(then)")
        #expect(try read("old") == 1)
        #expect(try say("show point main at \(then)").rows[0][0] == then)
        try say("reset branch main to \(then)")
        #expect(try read("main") == 1)
        try say("undo branch main")
        #expect(try read("main") == 2)
    }

    @Test(arguments: ["drop branch x", "rename branch x to z", "reset branch x to head"])
    func `what is changed is the branch that has the name by then`(statement: String) throws {
        try say("create branch x")
        let (store, first) = (store, try store.branch("x"))
        notes.doMeanwhile {
            try? first.rename(to: "y", by: Author("other"))
            _ = try? store.fork("x", from: first, by: Author("other"))
        }
        try say(statement)
        #expect(try first.info().name == "y" && first.info().deleted == nil)
        try say("create branch if not exists w")
        notes.doMeanwhile { try? first.rename(to: "v", by: Author("other")) }
        #expect(state("drop branch y") == "3D000")
        #expect(try first.info().deleted == nil)
    }

    @Test func `what cannot be is refused by its state`() throws {
        try say("create branch x")
        #expect(state("create branch x") == "42710")
        #expect(try say("create branch if not exists x").notices.count == 1)
        #expect(try say("create branch if not exists x from main").notices.count == 1)
        let origin = try #require(try store.branch("x").info().origin)
        #expect(try say("create branch if not exists x at \(origin)").notices.count == 1)
        try write(1)
        #expect(state("create branch if not exists x at head") == "42710")
        try say("create branch y from x")
        #expect(state("create branch if not exists y from main") == "42710")
        #expect(state("alter branch x set idle '0.1s'") == "22023")
        #expect(state("alter branch x set idle '99999999999999d'") == "22023")
        #expect(state("alter branch x set idle '10001d'") == "22023")
        #expect(state("create branch z from nothing") == "3D000")
        #expect(state("create branch \"Not A Name\"") == "22023")
        #expect(state("drop branch main") == "55006")
        #expect(state("reset branch x to no-such-snapshot") == "42704")
        #expect(state("show point main at '0/16B3F28'") == "0A000")
    }

    @Test func `the default branch is another's to keep`() throws {
        try say("create branch x; set default branch x; drop branch main")
        #expect(notes.defaultBranch == "x")
        #expect(state("set default branch nothing") == "3D000")
        try say("rename branch x to y")
        #expect(notes.defaultBranch == "y")
        try say("create branch passing from y ttl '1h'")
        #expect(state("set default branch passing") == "55000")
        #expect(notes.defaultBranch == "y")
    }

    @Test func `what is about computes is somebody else's`() throws {
        #expect(try admin.answer(.show(.computes), for: "app") == nil)
        #expect(try admin.answer(.suspend(branch: "main"), for: "app") == nil)
    }
}
