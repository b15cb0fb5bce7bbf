import DiskIO
import Foundation

/// Times, medians and turns.
package enum Measure {
    package static func now() -> UInt64 { SystemClock().monotonic() }

    /// How many seconds something takes.
    package static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = now()
        try body()
        return Double(now() - start) / 1e9
    }

    /// Takes turns, so that whatever else the machine does falls on both sides: the medians.
    package static func alternate(
        _ rounds: Int,
        ours: (Int) throws -> Double,
        reference: (Int) throws -> Double
    ) rethrows -> (ours: Double, reference: Double) {
        var left: [Double] = []
        var right: [Double] = []
        for round in 0..<rounds {
            if round % 2 == 0 {
                left.append(try ours(round))
                right.append(try reference(round))
            } else {
                right.append(try reference(round))
                left.append(try ours(round))
            }
        }
        return (median(left), median(right))
    }

    package static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The smallest value that so large a part of them does not exceed.
    package static func percentile(_ part: Double, of values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let rank = Int((part * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank - 1, 0), sorted.count - 1)]
    }
}

/// Several threads that begin together.
package enum Threads {
    // Safe to share: `failure` is guarded by the lock.
    private final class Box: @unchecked Sendable {
        let lock = NSLock()
        var failure: (any Error)?
    }

    /// Runs the body on so many threads at once, and returns how many seconds all took.
    package static func run(
        _ count: Int,
        _ body: @escaping @Sendable (Int) throws -> Void
    ) throws -> Double {
        let box = Box()
        let group = DispatchGroup()
        let gate = DispatchSemaphore(value: 0)
        for index in 0..<count {
            group.enter()
            let thread = Thread {
                gate.wait()
                do { try body(index) } catch { box.lock.withLock { box.failure = error } }
                group.leave()
            }
            thread.stackSize = 1 << 20
            thread.start()
        }
        let start = Measure.now()
        for _ in 0..<count { gate.signal() }
        group.wait()
        let seconds = Double(Measure.now() - start) / 1e9
        if let failure = box.failure { throw failure }
        return seconds
    }
}
