/// What a harness asks for, and what it can see of it.
extension SimulatedDisk {
    package func inject(_ rule: FaultRule) { with { $0.plan.add(rule) } }

    /// Takes back all rules. What they have damaged stays so.
    package func removeFaults() { with { $0.plan = FaultPlan() } }

    /// How many bytes the disk holds. Space can come and go: below what is used, it is full.
    package var capacity: UInt64 {
        get { with { $0.capacity } }
        set { with { $0.capacity = newValue } }
    }

    /// Flips random single bits of synced sectors, in the file of that name or in any.
    @discardableResult
    package func rot(in name: String? = nil, count: Int = 1) -> [DiskEvent] {
        with { state in (0..<count).compactMap { _ in state.rot(in: name) } }
    }

    /// Every fault that struck since they were last taken, in order.
    package var events: [DiskEvent] { with { $0.events } }

    /// The events, which the disk forgets.
    package func takeEvents() -> [DiskEvent] { with { $0.takeEvents() } }

    package var counters: FaultCounters { with { $0.counters } }

    /// A checksum over all calls of this disk and those before it in a line of crashes: operation,
    /// fault, file, place, count and bytes written.
    package var trace: UInt64 { with { $0.trace } }

    /// How many changing operations there were: where ``crashAfter(operations:)`` can strike.
    package var changeCount: Int { with { $0.changeCount } }
}
