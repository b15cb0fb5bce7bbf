import BranchServer
import Foundation
import Oxbow
import PostgresWire
import Primitives
import TestSupport
import Testing
import Volume

/// What is known of roles by PostgreSQL's log, without a question.
@Suite struct RoleLogTests {
    private let compute: FakeCompute
    private let book = RoleBook(role: "postgres", clock: HandClock())
    private let cluster: WALCluster

    init() throws {
        compute = try FakeCompute()
        cluster = try WALCluster(11)
    }

    private func tell(
        _ password: String,
        isSettled: Bool = true,
        written: UInt64 = 1 << 40,
        reach: UInt64 = 0
    ) throws {
        let verifier = try RoleListTests.verifier(password).description
        let roles = [["app", "t", verifier, nil]]
        compute.say(FakeCompute.roles(roles, isSettled: isSettled, written: written, reach: reach))
    }

    /// A change of a block in a tablespace.
    private func append(tablespace: UInt64, owner: UInt8 = 10, info: UInt8 = 0) throws {
        let block = [0, 0x20] + WALImage.little(0, 2) + WALImage.little(tablespace, 4)
        let bytes = block + [UInt8](repeating: 1, count: 12)
        cluster.image.append(bytes, owner: owner, info: info)
        try cluster.flush()
    }

    private func expect(_ password: String, on branch: Branch? = nil) throws {
        let branch = branch ?? cluster.branch
        let known = try book.verifier(of: "app", on: branch, socketPath: compute.path)
        #expect(try known == RoleListTests.verifier(password))
        #expect(book.refresh(branch, socketPath: compute.path))
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `a change of roles is never missed, and none is asked for in vain`(seed: UInt64) throws {
        var random = SeededRandom(test: seed)
        var (password, asked) = ("p0", 0)
        try tell(password)
        try append(tablespace: 1663)
        try expect(password)
        for step in 1...60 {
            asked = compute.count
            var mustAsk = false
            switch random.below(8) {
            case 0, 1:
                password = "p\(step)"
                try tell(password)
                try append(tablespace: 1664)
                mustAsk = true
            case 2:
                try cluster.promote()
                try append(tablespace: 1663)
            case 3:
                cluster.image.switchFile()
                try append(tablespace: 1663)
            case 4: cluster.image.append(random.bytes(40_000))
            default: for _ in 0..<(1 + random.below(20)) { try append(tablespace: 1663) }
            }
            if step.isMultiple(of: 7) { try cluster.flush() }
            try expect(password)
            let more = compute.count - asked
            #expect(mustAsk ? more > 0 : more <= 1, "step \(step): \(more)")
        }
        compute.end()
    }

    @Test func `nothing is asked while only a database's own changes`() throws {
        try tell("one")
        try append(tablespace: 1663)
        try expect("one")
        let asked = compute.count
        try tell("two")
        for _ in 0..<30 {
            try append(tablespace: 1663)
            try expect("one")
        }
        #expect(compute.count == asked)
        try append(tablespace: 1664)
        try expect("two")
        #expect(compute.count == asked + 1)
        compute.end()
    }

    @Test func `a fork goes by what its parent's compute said, until it changes`() throws {
        try tell("one")
        try append(tablespace: 1663)
        try expect("one")
        let early = try cluster.branch.point(at: .head)
        try append(tablespace: 1663)
        try expect("one")
        let parent = cluster.branch
        let asked = compute.count
        let copy = try book.inheriting(from: parent) {
            try cluster.store.fork("copy", from: parent)
        }
        let known = try #require(try book.verifier(of: "app", on: copy, socketPath: nil))
        try tell("two")
        cluster.branch = copy
        try append(tablespace: 1663)
        #expect(try book.confirm("app", known, on: copy, socketPath: compute.path))
        #expect(compute.count == asked)
        try append(tablespace: 1664)
        try expect("two", on: copy)
        #expect(compute.count == asked + 1)
        // At a moment before what its parent's compute said, the log does not reach so far.
        let past = try book.inheriting(from: parent) {
            try cluster.store.fork("past", from: early)
        }
        #expect(try !book.confirm("app", known, on: past, socketPath: compute.path))
        #expect(compute.count == asked + 2)
        compute.end()
    }

    @Test func `a fork does not go by what was said after it`() throws {
        try tell("one")
        try append(tablespace: 1663)
        try expect("one")
        let parent = cluster.branch
        // What a compute says while the fork is made may be of what the fork has not got.
        try tell("two")
        let copy = try book.inheriting(from: parent) {
            let copy = try cluster.store.fork("copy", from: parent)
            try append(tablespace: 1664)
            try expect("two")
            return copy
        }
        let asked = compute.count
        try tell("one")
        let one = try #require(try book.verifier(of: "app", on: copy, socketPath: nil))
        #expect(try one == RoleListTests.verifier("one"))
        #expect(try book.confirm("app", one, on: copy, socketPath: compute.path))
        #expect(compute.count - asked <= 1)
        compute.end()
    }

    /// With `synchronous_commit = off` a change is seen before it is in the log, and may be lost.
    @Test func `what is not written down is no ground to go by`() throws {
        try tell("one", reach: 1 << 40)
        try append(tablespace: 1663)
        try expect("one")
        var asked = compute.count
        for _ in 0..<3 {
            try append(tablespace: 1663)
            try expect("one")
        }
        #expect(compute.count >= asked + 3)
        // Nor is a log that is there and that PostgreSQL has not written.
        try tell("one", written: cluster.image.end - 1)
        try expect("one")
        asked = compute.count
        try append(tablespace: 1663)
        try expect("one")
        #expect(compute.count > asked)
        compute.end()
    }

    @Test func `nothing is taken from before a record that is too large to look through`() throws {
        try tell("one")
        try append(tablespace: 1663)
        try expect("one")
        let asked = compute.count
        let large = [UInt8](repeating: 9, count: 3 << 20)
        cluster.image.append(large)
        try cluster.flush()
        try expect("one")
        #expect(compute.count > asked)
        try tell("two")
        try append(tablespace: 1664)
        cluster.image.append(large)
        try cluster.flush()
        try expect("two")
        compute.end()
    }

    @Test(arguments: ["0000000100000000000000FF", "FFFFFFFF0000000000000001"])
    func `files that are no part of the log do not end it`(name: String) throws {
        try tell("one")
        try append(tablespace: 1663)
        // A log that is sound, elsewhere: as it is now, or far ahead.
        var forged = cluster.image.padded
        if name.hasSuffix("FF") {
            let ahead = try WALImage(start: 0xFF * WALImage.segment)
            forged = { image in
                var image = image
                image.append([1, 2, 3])
                return image.padded
            }(ahead)
        }
        try cluster.put(forged, at: 0, to: "/pgdata/pg_wal/" + name)
        try tell("one", written: cluster.image.end)
        try expect("one")
        for password in ["two", "three"] {
            try append(tablespace: 1664)
            try tell(password, written: cluster.image.end)
            try expect(password)
        }
        compute.end()
    }

    @Test func `a list is believed without a compute only where the log shows that it holds`()
        throws
    {
        func known() throws -> SCRAMVerifier? {
            // As a server that has just begun.
            try RoleBook(role: "postgres").verifier(
                of: "app",
                on: cluster.branch,
                socketPath: nil
            )
        }
        func expectOld() throws {
            #expect(try #require(#expect(throws: RoleError.self) { try known() }).isOld)
        }
        try append(tablespace: 1663)
        try expectOld()
        try tell("one")
        #expect(book.refresh(cluster.branch, socketPath: compute.path, noting: true))
        let one = try RoleListTests.verifier("one")
        #expect(try known() == one)
        try append(tablespace: 1663)
        #expect(try known() == one)
        // Which transactions are over, noted where the roles are.
        try append(tablespace: 1664, owner: 0, info: 0xA0)
        #expect(try known() == one)
        let before = try cluster.branch.point(at: .head)
        try append(tablespace: 1664)
        try expectOld()
        let main = cluster.branch
        cluster.branch = try cluster.store.fork("before", from: before)
        #expect(try known() == one)
        cluster.branch = try cluster.store.fork("copy", from: main)
        try expectOld()
        cluster.branch = main
        // A transaction that was prepared before is committed.
        #expect(book.refresh(main, socketPath: compute.path, noting: true))
        #expect(try known() == one)
        cluster.image.append([], owner: 1, info: 0x30)
        try cluster.flush()
        try expectOld()
        // So it is where what was said may be of more than the log has.
        try tell("two", reach: cluster.image.end + 8)
        #expect(book.refresh(main, socketPath: compute.path, noting: true))
        try expectOld()
        try append(tablespace: 1663)
        #expect(try known() == RoleListTests.verifier("two"))
        // And where that is not written down for long, it is again after more of the log.
        for _ in 0..<4 {
            for _ in 0..<10 { cluster.image.append([UInt8](repeating: 7, count: 60_000)) }
            try append(tablespace: 1663)
            #expect(book.refresh(main, socketPath: compute.path, noting: true))
            #expect(try known() == RoleListTests.verifier("two"))
        }
        compute.end()
    }

    @Test func `what is about to change is asked for until it has`() throws {
        try tell("one")
        try append(tablespace: 1663)
        try expect("one")
        // The change is in the log, and what comes of it is not known yet.
        try append(tablespace: 1664)
        try tell("one", isSettled: false)
        try expect("one")
        try append(tablespace: 1663)
        try tell("two")
        try expect("two")
        let asked = compute.count
        try append(tablespace: 1663)
        try expect("two")
        #expect(compute.count == asked)
        compute.end()
    }
}
