import Oxbow
import Primitives

/// Forks on which a compute runs before anybody has asked for them.
///
/// Law: a fork is given only while its parent shows the record that it was made of, so that it is
/// what a fork made now would be.
// Safe to share: what changes is guarded by the lock.
final class PreparedForks: @unchecked Sendable {
    /// A fork, and the record of its parent that it was made of.
    struct Fork: Sendable {
        let branch: Branch
        let parent: BranchID
        let origin: LSN
    }

    /// The branch that was forked last, and when that was.
    struct Demand: Sendable, Equatable {
        let parent: BranchID
        let since: UInt64
    }

    private let limit: Int
    private let lock = Lock()
    private var ready: [Fork] = []
    private var demand: Demand?
    private var given = 0
    private var isEnded = false

    /// At most so many are kept.
    init(limit: Int) { self.limit = limit }

    /// Takes one that is what the branch shows now. Also where there is none, more of it are made.
    func take(of parent: BranchID, at head: LSN, now: UInt64) -> Fork? {
        lock.withLock {
            guard limit > 0 else { return nil }
            demand = Demand(parent: parent, since: now)
            lock.wakeAll()
            guard let place = ready.firstIndex(where: { $0.parent == parent && $0.origin == head })
            else { return nil }
            given += 1
            return ready.remove(at: place)
        }
    }

    /// Keeps one for whoever asks next; false where there are enough.
    func keep(_ fork: Fork) -> Bool {
        lock.withLock {
            guard !isEnded, ready.count < limit, demand?.parent == fork.parent else { return false }
            ready.append(fork)
            return true
        }
    }

    /// Takes those out that a condition does not hold of.
    func drop(unless isOfUse: (Fork) -> Bool) -> [Fork] {
        let all = lock.withLock { ready }
        let useless = Set(all.filter { !isOfUse($0) }.map(\.branch.id))
        return lock.withLock {
            let dropped = ready.filter { useless.contains($0.branch.id) }
            ready.removeAll { useless.contains($0.branch.id) }
            return dropped
        }
    }

    /// How many were taken so far.
    var givenCount: Int { lock.withLock { given } }

    var isFull: Bool { lock.withLock { ready.count >= limit } }

    /// Nobody is expected to ask for more of that.
    func forget(_ old: Demand) { lock.withLock { if demand == old { demand = nil } } }

    /// What was asked for last, where more of that may be asked for.
    var wanted: Demand? { lock.withLock { demand } }

    /// Waits until there is something to do, or to look at again. False where all is at an end.
    func wait(atMostMilliseconds pause: Int) -> Bool {
        lock.withLock {
            while !isEnded, demand == nil, ready.isEmpty { lock.wait() }
            if !isEnded { lock.wait(atMostMilliseconds: pause) }
            return !isEnded
        }
    }

    func end() {
        lock.withLock {
            isEnded = true
            lock.wakeAll()
        }
    }
}

/// How long a branch must rest before a fork of it is prepared: longer with each that was made for
/// nothing, since each costs a start of PostgreSQL, and what that writes.
package struct PreparationPace: Sendable {
    package static let leastNanoseconds: UInt64 = 300_000_000
    package static let mostNanoseconds: UInt64 = 60_000_000_000

    package private(set) var restNanoseconds = leastNanoseconds

    package init() {}

    /// The branch changed before anybody took what was prepared.
    package mutating func spoiled() {
        restNanoseconds = min(2 * restNanoseconds, Self.mostNanoseconds)
    }

    /// Somebody took one.
    package mutating func given() { restNanoseconds = Self.leastNanoseconds }
}
