import Primitives

extension DiskState {
    /// What is left of the disk when the power comes back: what was durable, and of the rest what
    /// the model and the seed leave. Power is on again; rules and counters go on.
    mutating func restart(_ model: CrashModel) {
        settleEntries(model)
        var kept: [FileNumber: SimulatedNode] = [:]
        for name in durableEntries.keys.sorted() {
            guard let number = durableEntries[name] else { continue }
            nodes[number]?.take(name: name)
            settle(number, model)
            guard var node = nodes.removeValue(forKey: number) else { continue }
            node.latest = node.durable
            node.overwritten = []
            node.handles = 0
            node.isLinked = true
            kept[number] = node
        }
        invariant(kept.count == durableEntries.count, "two names for a file")
        nodes = kept
        entries = durableEntries
        power = .on
        operationsLeft = nil
    }

    /// What is left when the process ends but the machine goes on: everything but the handles.
    mutating func leaveHandles() {
        for number in nodes.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            nodes[number]?.handles = 0
            forgetIfUnreachable(number)
        }
    }
}
