import DiskIO
import Foundation
import Oxbow
import Primitives
import Simulation
import Testing

/// What others do while a flush, or a commit, is in the middle of its work.
@Suite struct InterleavingTests {
    let base = SimulatedDisk(seed: 5)
    let clock = SimulatedClock(seed: 5)

    @Test func `what is appended while a flush writes is durable with the next one`() throws {
        let disk = HookedDisk(base)
        let store = try TestStore.open(disk, clock)
        let main = try store.branch("main")
        let other = try store.fork("other", from: main)
        try main.write([1: 1], .synced)
        var later: Commit?
        disk.onNext(.write) { () throws(DiskError) in
            later = try? other.write([1: 2, 2: 3])
        }
        let commit = try main.write([1: 4], .synced)
        let beside = try #require(later)
        #expect(store.durableLSN > commit.lsn)
        #expect(store.durableLSN <= beside.lsn, "not written, and counts as durable")
        #expect(try other.difference(from: [1: 2, 2: 3]) == nil)
        try store.sync()
        #expect(store.durableLSN > beside.lsn)
        let again = try TestStore.open(base.crash(CrashModel(.everythingLost)), clock)
        #expect(try again.branch("main").difference(from: [1: 4]) == nil)
        #expect(try again.branch("other").difference(from: [1: 2, 2: 3]) == nil)
    }

    @Test func `who waits for another's flush waits for one that covers them`() throws {
        let disk = HookedDisk(base)
        let store = try TestStore.open(disk, clock)
        let main = try store.branch("main")
        let other = try store.fork("other", from: main)
        let group = DispatchGroup()
        // Safe to share: written by the thread alone, and read when it has ended.
        nonisolated(unsafe) var isDurable: Bool?
        disk.onNext(.sync) { () throws(DiskError) in
            let thread = Thread {
                let commit = try? other.write([1: 2], .synced)
                isDurable = commit.map { store.durableLSN > $0.lsn }
                group.leave()
            }
            group.enter()
            thread.start()
            // Long enough to come to wait for this flush, which is past its writing.
            Thread.sleep(forTimeInterval: 0.1)
        }
        try main.write([1: 1], .synced)
        group.wait()
        #expect(isDurable == true)
    }

    @Test func `zeros on their way to the next segment never come after its records`() throws {
        let disk = HookedDisk(base)
        var options = TestStore.options
        options.segmentBits = 18
        options.zeroAheadBytes = 32 << 10
        let store = try TestStore.open(disk, clock, options)
        let main = try store.branch("main")
        let group = DispatchGroup()
        disk.onZeros { () throws(DiskError) in
            let thread = Thread {
                // More than what is left of the segment that is being filled.
                for content in 0..<600 { _ = try? main.write([1: content], .synced) }
                group.leave()
            }
            group.enter()
            thread.start()
            // Long enough for others to get there, if nothing holds them back.
            _ = group.wait(timeout: .now() + 2)
        }
        var content = 1000
        while disk.isWaitingForZeros, content < 5000 {
            content += 1
            try main.write([2: content], .synced)
            try store.step()
        }
        #expect(!disk.isWaitingForZeros)
        group.wait()
        #expect(try store.check().problems.isEmpty)
        let again = try TestStore.open(base.crash(CrashModel(.everythingLost)), clock, options)
        #expect(try again.check().problems.isEmpty)
        #expect(try again.branch("main").difference(from: [1: 599, 2: content]) == nil)
    }

    @Test func `a check is of one moment, whatever is committed meanwhile`() throws {
        let disk = HookedDisk(base)
        let store = try TestStore.open(disk, clock)
        let main = try store.branch("main")
        for content in 0..<300 { try main.write([1: content], .synced) }
        try store.checkpoint()
        defer { disk.forget() }
        for skipped in 0..<40 {
            var left = skipped
            @Sendable func write() throws(DiskError) {
                for content in 0..<150 { _ = try? main.write([2: content]) }
            }
            func arm() {
                disk.onNext(.read) { () throws(DiskError) in
                    if left == 0 { return try write() }
                    left -= 1
                    arm()
                }
            }
            arm()
            let report = try store.check()
            #expect(report.problems.isEmpty, "\(report.problems)")
            if disk.isWaiting { break }
        }
    }

    @Test func `what a commit has read is still so when it takes effect`() throws {
        let store = try TestStore.open(base, clock)
        let main = try store.branch("main")
        let group = DispatchGroup()
        @Sendable func count(_ edit: Edit) throws -> UInt8 {
            try edit.read(page: 0, of: TestStore.table)[0]
        }
        func set(_ edit: Edit, _ count: UInt8) throws {
            let bytes = [UInt8](repeating: count, count: 512)
            try edit.write(bytes, page: 0, of: TestStore.table)
        }
        try main.commit { edit in
            let before = try count(edit)
            let thread = Thread {
                _ = try? main.commit { other in
                    let bytes = [UInt8](repeating: try count(other) + 1, count: 512)
                    try other.write(bytes, page: 0, of: TestStore.table)
                }
                group.leave()
            }
            group.enter()
            thread.start()
            Thread.sleep(forTimeInterval: 0.1)
            try set(edit, before + 1)
        }
        group.wait()
        #expect(try main.read(page: 0, of: TestStore.table)[0] == 2)
    }

    @Test func `many threads commit, and all that was acknowledged is there after a crash`() throws
    {
        let store = try TestStore.open(base, clock)
        let main = try store.branch("main")
        let group = DispatchGroup()
        for index in 0..<4 {
            let branch = try store.fork("b\(index)", from: main)
            let thread = Thread {
                for round in 1...60 {
                    let durability = round % 3 == 0 ? Durability.synced : .buffered
                    _ = try? branch.write([round % 7: round, 10: round * 8 + index], durability)
                }
                group.leave()
            }
            group.enter()
            thread.start()
        }
        while group.wait(timeout: .now() + .milliseconds(1)) == .timedOut { try store.step() }
        let again = try TestStore.open(base.crash(CrashModel(.everythingLost)), clock)
        for index in 0..<4 {
            let branch = try again.branch("b\(index)")
            #expect(try branch.difference(from: [10: 60 * 8 + index, 60 % 7: 60]) == nil)
        }
        #expect(try again.check().isSound)
    }
}
