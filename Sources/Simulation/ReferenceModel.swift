import Oxbow
import Primitives

/// What a run did to a store, record by record, and so every state that a crash may leave.
///
/// Laws:
/// 1. There is one log, so what a crash leaves is what the store was after one of its records, and
///    all before it: never a part of one, never a later one without an earlier one.
/// 2. No crash leaves less than what was durable when the store said so.
/// 3. No position of the log and no time is given out twice, not even after a crash cut them off.
struct ReferenceModel: Sendable {
    /// The state after each record; the first is the new store.
    private(set) var states: [ModelState]
    /// Where each record ended up, for those before which everything is known.
    private var marks: [ModelMark]
    /// How many of `states` a crash must leave.
    private(set) var durableCount = 1
    private var isTrusting = true
    private(set) var highestLSN: LSN
    /// Before this, history may be thinned out or gone.
    private(set) var thinnedBefore = LSN.zero

    init(_ main: ModelBranch) {
        states = [ModelState(main: main)]
        marks = [main.head.mark]
        highestLSN = main.head.mark.lsn
    }

    var current: ModelState { states[states.count - 1] }
    var lastTime: LogTime { marks.last { $0.lsn > .zero }?.time ?? .zero }

    /// Adds a record. Returns what is wrong with its place, if anything is.
    mutating func append(_ change: ModelChange, _ mark: ModelMark) -> String? {
        var next = current
        next.apply(change, mark)
        return append(next, mark)
    }

    mutating func append(_ state: ModelState, _ mark: ModelMark) -> String? {
        states.append(state)
        defer { marks.append(mark) }
        // The end of a snapshot has a record that nobody can ask for.
        if mark.lsn == .zero { return nil }
        defer { highestLSN = max(highestLSN, mark.lsn) }
        if mark.lsn <= highestLSN { return "\(mark.lsn) was given out twice, after \(highestLSN)" }
        if mark.time <= lastTime { return "time \(mark.time) came after \(lastTime)" }
        return nil
    }

    /// Notes that everything below a position is durable.
    mutating func noteDurable(below lsn: LSN) {
        guard isTrusting else { return }
        let last = marks.lastIndex { $0.lsn > .zero && $0.lsn < lsn }
        if let last { durableCount = max(durableCount, last + 1) }
    }

    mutating func noteAllDurable() { if isTrusting { durableCount = states.count } }

    /// Lets go of every promise for good: the disk lied about what it had made durable.
    mutating func expectAnything() {
        isTrusting = false
        durableCount = 1
    }

    /// Falsifies what the store should be now.
    mutating func replaceCurrent(_ body: (inout ModelState) -> Void) {
        body(&states[states.count - 1])
    }

    mutating func noteThinning(before lsn: LSN) { thinnedBefore = max(thinnedBefore, lsn) }

    mutating func learn(_ seen: Observation) { states[states.count - 1].learn(seen.branches) }

    /// What happened to changes that may or may not have been made, and to records that may have
    /// been lost.
    ///
    /// - Parameters:
    ///   - pending: Changes that were begun when the store failed, in the order of their records.
    ///   - lossIsPossible: Whether records that are not durable may be gone.
    mutating func reconcile(
        _ seen: Observation,
        _ store: Store,
        pending: [ModelChange],
        lossIsPossible: Bool
    ) throws {
        var candidates: [(states: [ModelState], marks: [ModelMark], kept: Int)] = []
        var reasons: [String] = []
        func consider(_ kept: Int, _ more: [ModelState], _ marks: [ModelMark]) {
            let state = more.last ?? states[kept - 1]
            if let difference = state.difference(from: seen) {
                reasons.append("state \(kept + more.count): \(difference)")
            } else {
                candidates.append((more, marks, kept))
            }
        }
        var extra: [ModelState] = []
        var extraMarks: [ModelMark] = []
        for change in pending {
            guard let mark = try seen.mark(of: change, store) else { break }
            if mark.lsn > .zero, mark.lsn <= highestLSN { break }
            var state = extra.last ?? current
            state.apply(change, mark)
            extra.append(state)
            extraMarks.append(mark)
            consider(states.count, extra, extraMarks)
        }
        let lowest = lossIsPossible ? durableCount : states.count
        for kept in (lowest...states.count).reversed() { consider(kept, [], []) }
        guard var chosen = candidates.first else {
            throw Divergence(
                "the store is in no state that it may be in (\(lowest) to "
                    + "\(states.count + pending.count)):\n  "
                    + reasons.suffix(12).joined(separator: "\n  ")
            )
        }
        if candidates.count > 1 {
            let fits = try candidates.first {
                try ($0.states.last ?? states[$0.kept - 1]).hasEvents(of: store)
            }
            guard let fits else { throw Divergence("no state has the events of the store") }
            chosen = fits
        }
        states.removeLast(states.count - chosen.kept)
        marks.removeLast(marks.count - chosen.kept)
        durableCount = min(durableCount, states.count)
        for (state, mark) in zip(chosen.states, chosen.marks) {
            if let complaint = append(state, mark) { throw Divergence(complaint) }
        }
        learn(seen)
    }
}

extension ModelState {
    func hasEvents(of store: Store) throws -> Bool {
        for branch in branches
        where try branch.difference(from: store.branch(branch.id).events()) != nil {
            return false
        }
        return true
    }
}

/// Why a run failed: the store did what it must not.
struct Divergence: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
