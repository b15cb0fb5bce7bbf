import Primitives

extension SimulatedDisk {
    /// Loses power at the n-th changing operation from now on, the next being 1: that one, which
    /// may still be done in part, and all calls after it throw. `nil` takes it back.
    package func crashAfter(operations count: Int?) {
        invariant(count.map { $0 > 0 } ?? true, "no operation of number \(count ?? 0)")
        with { $0.operationsLeft = count }
    }

    /// Loses power after so many operations of any kind, reads too: a bound for a caller that may
    /// never end. ``isExhausted`` tells it from other losses.
    package func limit(operations count: Int) { with { $0.budget = count } }

    package var isExhausted: Bool { with { $0.budget == 0 } }

    package var hasLostPower: Bool { with { $0.power == .lost } }

    /// The disk as it is when the power comes back after it was lost, now or at an earlier call.
    /// This one is dead.
    package func crash(_ model: CrashModel = CrashModel()) -> SimulatedDisk {
        successor { $0.restart(model) }
    }

    /// The disk as it is after this process has ended and the machine has not: nothing is lost, and
    /// nothing more is durable. This one is dead.
    package func kill() -> SimulatedDisk {
        successor { state in
            invariant(state.power == .on, "a process ended after the power was lost")
            state.operationsLeft = nil
            state.leaveHandles()
        }
    }

    private func successor(_ change: (inout DiskState) -> Void) -> SimulatedDisk {
        with { state in
            invariant(state.power != .gone, "a disk that was succeeded crashed")
            var next = state
            state.nodes = [:]
            state.entries = [:]
            state.durableEntries = [:]
            state.pendingEntries = []
            state.power = .gone
            change(&next)
            return SimulatedDisk(next)
        }
    }

    /// An independent copy, unsynced changes, rules and a loss of power to come included, without
    /// the handles. With the same seed as the original unless one is given.
    package func snapshot(seed: UInt64? = nil) -> SimulatedDisk {
        var copy = with { $0 }
        invariant(copy.power != .gone, "a copy of a disk that was succeeded")
        copy.leaveHandles()
        if let seed { copy.random = SeededRandom(seed: seed) }
        return SimulatedDisk(copy)
    }
}
