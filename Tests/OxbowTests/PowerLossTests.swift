import CrashWorkload
import DiskIO
import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing

/// Power is lost at any operation of the disk, life after life: what was acknowledged is there, and
/// no position of the log is given out twice.
@Suite struct PowerLossTests {
    static var options: StoreOptions {
        var options = CrashWorkload.options
        options.segmentBits = 16
        return options
    }

    @Test(arguments: [CrashModel.Fate.everythingLost, .drawn, .everythingKept])
    func `nothing acknowledged is lost with the power`(fate: CrashModel.Fate) throws {
        for seed in 0..<40 as Range<UInt64> {
            var random = SeededRandom(test: 500 + seed)
            var disk = SimulatedDisk(seed: testSeed &+ seed)
            var clock = SimulatedClock(seed: testSeed &+ seed)
            var state = Progress()
            for life in 0..<6 {
                disk.crashAfter(operations: 1 + random.below([12, 40, 400][random.below(3)]))
                let wrong = state.live(disk, clock, &random)
                disk = disk.crash(CrashModel(fate, garbles: random.oneIn(3)))
                clock = clock.rebooted()
                if let wrong {
                    Issue.record("seed \(seed), life \(life): \(wrong)")
                    return
                }
            }
            if let wrong = try state.verify(disk, clock) {
                Issue.record("seed \(seed): \(wrong)")
                return
            }
        }
    }

    /// How far the workload came.
    struct Progress {
        var acknowledged = 0
        var highest = LSN.zero

        /// Runs the workload until the power goes; says what is wrong.
        mutating func live(
            _ disk: SimulatedDisk,
            _ clock: SimulatedClock,
            _ random: inout SeededRandom
        ) -> String? {
            do {
                let store = try open(disk, clock)
                let wrong = try CrashWorkload.verify(store, acknowledged: acknowledged)
                if let wrong { return wrong.description }
                let main = try store.branch("main")
                var index = try CrashWorkload.count(main)
                acknowledged = index
                if index > 0 { try CrashWorkload.fork(index, store) }
                for _ in 0..<150 {
                    index += 1
                    let isSynced = random.oneIn(5)
                    let commit = try main.commit(isSynced ? .synced : .buffered) { edit in
                        for number in CrashWorkload.writes(index) {
                            try edit.write(
                                CrashWorkload.page(index, number),
                                page: PageNumber(UInt64(number)),
                                of: CrashWorkload.table
                            )
                        }
                    }
                    if commit.lsn <= highest { return "\(commit.lsn) after \(highest)" }
                    highest = commit.lsn
                    if isSynced { acknowledged = index }
                    if index % 8 == 0 { try store.fork("b\(index)", from: main) }
                    if random.oneIn(12) { try store.checkpoint() }
                    if random.oneIn(6) { try store.step() }
                }
                return nil
            } catch let error as OxbowError {
                if error.kind == .reopen, disk.hasLostPower { return nil }
                return "\(error.kind): \(error)"
            } catch { return "\(error)" }
        }

        func verify(_ disk: SimulatedDisk, _ clock: SimulatedClock) throws -> String? {
            let store = try open(disk, clock)
            defer { try? store.close() }
            return try CrashWorkload.verify(store, acknowledged: acknowledged)?.description
        }

        private func open(_ disk: SimulatedDisk, _ clock: SimulatedClock) throws -> Store {
            try TestStore.open(disk, clock, PowerLossTests.options)
        }
    }
}
