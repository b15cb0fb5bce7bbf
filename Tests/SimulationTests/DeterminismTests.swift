import DiskIO
import Primitives
import Simulation
import Testing

/// What is left of a run to compare with another.
private struct Outcome: Hashable {
    var trace: UInt64
    var events: [DiskEvent]
    var counters: FaultCounters
    var contents: [[UInt8]]
}

/// Does random things to a disk with every fault in force, through several crashes.
private func run(seed: UInt64) -> Outcome {
    var random = SeededRandom(seed: seed)
    var disk = SimulatedDisk(seed: seed, capacity: 400_000)
    for fault in Fault.allCases {
        for operation in DiskOperation.allCases where fault.canStrike(operation) {
            disk.inject(FaultRule(fault, on: operation, .oneIn(40), times: .max))
        }
    }
    for _ in 0..<8 {
        disk.crashAfter(operations: 20 + random.below(100))
        for _ in 0..<150 { _ = failure { () throws(DiskError) in try step(disk, &random) } }
        if random.oneIn(2) { disk.rot() }
        disk = disk.crash(CrashModel(garbles: random.oneIn(2)))
    }
    return Outcome(
        trace: disk.trace,
        events: disk.events,
        counters: disk.counters,
        contents: disk.names.compactMap { disk.bytes(of: $0) }
    )
}

private func step(_ disk: SimulatedDisk, _ random: inout SeededRandom) throws(DiskError) {
    let name = "file\(random.below(6))"
    let offset = UInt64(random.below(20_000))
    switch random.below(10) {
    case 0: _ = try disk.create(name)
    case 1: try disk.rename(name, to: "file\(random.below(6))")
    case 2 where random.oneIn(4): try disk.remove(name)
    case 3: try disk.syncFolder()
    case 4: _ = try disk.list()
    case 5: try disk.open(name).sync()
    case 6: try disk.open(name).truncate(to: offset)
    case 7: try disk.open(name).allocate(offset)
    case 8: _ = try disk.open(name).read(5000, at: offset)
    default: try disk.open(name).write(pattern(UInt8(random.below(8)), 3000), at: offset)
    }
}

@Suite struct DeterminismTests {
    @Test func `the same seed does the same again`() {
        for seed in 0..<20 as Range<UInt64> {
            let first = run(seed: seed)
            let second = run(seed: seed)
            #expect(first.trace == second.trace, "seed \(seed)")
            #expect(first == second, "seed \(seed)")
        }
    }

    @Test func `another seed does something else`() {
        #expect(Set((0..<20).map { run(seed: $0).trace }).count == 20)
    }

    /// Hash tables are seeded anew in each process, so only a number from another one shows that
    /// none of them has a say. Change it when the draws change.
    @Test func `the trace is the same in every process`() {
        #expect(run(seed: 1).trace == 9_411_881_402_917_899_142)
    }

    @Test func `a run like that meets every fault`() {
        var total = FaultCounters()
        for seed in 0..<20 as Range<UInt64> { total += run(seed: seed).counters }
        for operation in DiskOperation.allCases {
            #expect(total[operation] > 0)
            for fault in Fault.allCases where fault.canStrike(operation) {
                #expect(total[operation, fault] > 0, "\(fault) never struck \(operation)")
            }
        }
        for fault in Fault.allCases { #expect(total.total(fault) > 0, "\(fault) never struck") }
        #expect(total.description.contains("misdirectedWrite"))
    }

    @Test func `every part of a call is in the trace`() throws {
        func trace(_ body: (SimulatedDisk) throws -> Void) throws -> UInt64 {
            let disk = SimulatedDisk.holding([1], seed: 1)
            try body(disk)
            return disk.trace
        }
        let traces = try [
            trace { _ in },
            trace { _ = try $0.open("file") },
            trace { try $0.open("file").write([1], at: 0) },
            trace { try $0.open("file").write([2], at: 0) },
            trace { try $0.open("file").write([1], at: 1) },
            trace { try $0.open("file").write([1, 1], at: 0) },
            trace { try $0.open("file").sync() },
            trace { _ = try $0.open("file").read(1, at: 0) },
            trace { try $0.rename("file", to: "a") },
            trace { try $0.rename("file", to: "b") },
            trace { try $0.remove("file") },
            trace { _ = try $0.create("a") },
            trace { _ = try $0.create("b") },
        ]
        #expect(Set(traces).count == traces.count)
    }
}
