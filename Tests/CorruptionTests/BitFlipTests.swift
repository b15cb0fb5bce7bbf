import Foundation
import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing

/// Every damage is recovered from, or reported with its place; no read returns other bytes.
@Suite struct BitFlipTests {
    /// All of them with `EVERY_BIT=1`; a stride that meets every part of the format without.
    static let isFull = ProcessInfo.processInfo.environment["EVERY_BIT"] != nil

    @Test func `an undamaged store reads as it was written`() throws {
        let store = try DamagedStore(seed: 1)
        #expect(store.outcome(of: store.disk.snapshot()) == .harmless)
    }

    @Test(arguments: [true, false])
    func `a flipped bit is reported or harmless`(closes: Bool) throws {
        let store = try DamagedStore(seed: 2, closes: closes)
        var random = SeededRandom(test: 31)
        var reported = 0
        for name in store.disk.names.sorted() {
            let bits = Int(store.disk.length(of: name) ?? 0) * 8
            let stride = Self.isFull ? 1 : max(1, bits / 400)
            for start in Swift.stride(from: 0, to: bits, by: stride) {
                let bit = min(bits - 1, start + random.below(stride))
                let copy = store.disk.snapshot()
                copy.flip(bit: bit, of: name)
                let outcome = store.outcome(of: copy)
                if outcome == .reported { reported += 1 }
                if case .wrong(let what) = outcome {
                    Issue.record("bit \(bit) of \(name): \(what)")
                    return
                }
            }
        }
        #expect(reported > 50)
    }

    @Test func `a page's bits are all found by the check, with its object and branches`() throws {
        let store = try DamagedStore(seed: 3)
        let base = try DamagedStore.open(store.disk.snapshot(), store.clock)
        let report = try base.check()
        #expect(report.isSound)
        try base.close()
        var found = 0
        var random = SeededRandom(test: 32)
        let segments = store.disk.names.filter { $0.hasSuffix(".segment") }.sorted()
        for _ in 0..<(Self.isFull ? 5000 : 150) {
            let name = segments[random.below(segments.count)]
            let copy = store.disk.snapshot()
            copy.flip(bit: random.below(Int(copy.length(of: name) ?? 1) * 8), of: name)
            guard let damaged = try? DamagedStore.open(copy, store.clock) else { continue }
            let problems = try damaged.check().problems
            for problem in problems where problem.object != nil {
                #expect(problem.object == DamagedStore.table)
                #expect(!problem.branches.isEmpty || !problem.points.isEmpty)
                found += 1
            }
            try? damaged.close()
        }
        #expect(found > 5)
    }

    @Test(arguments: [true, false])
    func `a file cut short anywhere is reported or harmless`(closes: Bool) throws {
        let store = try DamagedStore(seed: 4, closes: closes)
        for name in store.disk.names.sorted() {
            let length = Int(store.disk.length(of: name) ?? 0)
            let stride = Self.isFull ? 1 : max(1, length / 150)
            for cut in Swift.stride(from: 0, to: length, by: stride) {
                let copy = store.disk.snapshot()
                copy.resize(name, to: cut)
                if case .wrong(let what) = store.outcome(of: copy) {
                    Issue.record("\(name) cut to \(cut): \(what)")
                    return
                }
            }
        }
    }

    @Test func `sectors that were swapped, doubled, zeroed or stale are reported or harmless`()
        throws
    {
        let store = try DamagedStore(seed: 5)
        let older = try DamagedStore(seed: 5, rounds: 7)
        var random = SeededRandom(test: 33)
        let names = store.disk.names.sorted()
        for round in 0..<(Self.isFull ? 20_000 : 500) {
            let copy = store.disk.snapshot()
            let name = names[random.below(names.count)]
            let bytes = store.disk.bytes(of: name) ?? []
            guard bytes.count >= 1024 else { continue }
            let run = 512 * (1 + random.below(4))
            let target = random.below(max(1, (bytes.count - run) / 512)) * 512
            let length = min(run, bytes.count - target)
            switch random.below(4) {
            case 0: copy.overwrite(name, at: target, with: [UInt8](repeating: 0, count: length))
            case 1:
                let source = random.below(max(1, (bytes.count - length) / 512)) * 512
                copy.overwrite(
                    name,
                    at: target,
                    with: Array(bytes[source..<source + length])
                )
            case 2:
                let stale = older.disk.bytes(of: name) ?? []
                guard stale.count >= target + length else { continue }
                copy.overwrite(
                    name,
                    at: target,
                    with: Array(stale[target..<target + length])
                )
            default:
                copy.overwrite(name, at: target, with: random.bytes(length))
            }
            if case .wrong(let what) = store.outcome(of: copy) {
                Issue.record("round \(round), \(name) at \(target): \(what)")
                return
            }
        }
    }

    @Test func `a file that is missing, or another's, is reported or harmless`() throws {
        let store = try DamagedStore(seed: 6)
        let names = store.disk.names.sorted()
        for name in names {
            let copy = store.disk.snapshot()
            try copy.remove(name)
            try copy.syncFolder()
            if case .wrong(let what) = store.outcome(of: copy) {
                Issue.record("without \(name): \(what)")
            }
            for other in names where other != name {
                let copy = store.disk.snapshot()
                copy.plant(store.disk.bytes(of: other) ?? [], as: name)
                if case .wrong(let what) = store.outcome(of: copy) {
                    Issue.record("\(other) as \(name): \(what)")
                }
            }
        }
    }
}
