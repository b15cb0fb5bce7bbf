import Primitives
public import WriteAheadLog

/// The clean nodes of all maps, by where they stand in the log: one cache, bounded in bytes, in
/// shards. What leaves it lives on while a reader holds it.
@usableFromInline
package final class NodeCache: Sendable {
    private static let shardCount = 16
    private let shards: [Shard]

    @usableFromInline package init(byteLimit: Int) {
        shards = (0..<Self.shardCount).map { _ in Shard(byteLimit: byteLimit / Self.shardCount) }
    }

    @inline(__always)
    private func shard(_ location: Location) -> Shard {
        let mixed = location.lsn.rawValue &* 0x9E37_79B9_7F4A_7C15
        return shards[Int(truncatingIfNeeded: mixed >> 60)]
    }

    @usableFromInline package func node(at location: Location) -> CachedNode? {
        shard(location).node(location.lsn.rawValue)
    }

    @usableFromInline package func insert(_ node: CachedNode, at location: Location) {
        shard(location).insert(node, location.lsn.rawValue)
    }

    @usableFromInline package var byteCount: Int {
        shards.reduce(0) { $0 + $1.lock.withLock(\.byteCount) }
    }
}

extension NodeCache {
    /// One part, with its own lock. Leaves go by the clock: a hand goes round, takes away the mark
    /// of what was used since it came by, and throws out what has none.
    // Safe to share: all mutable state is guarded by `lock`.
    private final class Shard: @unchecked Sendable {
        struct Slot {
            var key: UInt64
            var node: CachedNode
            var isUsed: Bool
        }

        let lock = ShardLock()
        let byteLimit: Int
        init(byteLimit: Int) { self.byteLimit = byteLimit }

        func node(_ key: UInt64) -> CachedNode? { lock.withLock { $0.node(key) } }

        func insert(_ node: CachedNode, _ key: UInt64) {
            let evicted = lock.withLock { $0.insert(node, key, byteLimit) }
            // Freed here, outside the lock.
            withExtendedLifetime(evicted) {}
        }
    }

    // Safe to share: `state` is only reached with the lock held.
    fileprivate final class ShardLock: @unchecked Sendable {
        private let lock = Lock()
        private var state = ShardState()

        @inline(__always)
        func withLock<Result>(_ body: (inout ShardState) -> Result) -> Result {
            lock.lock()
            defer { lock.unlock() }
            return body(&state)
        }
    }

    fileprivate struct ShardState {
        private var places: [UInt64: Int] = [:]
        private var slots: [Shard.Slot] = []
        private var hand = 0
        private(set) var byteCount = 0

        mutating func node(_ key: UInt64) -> CachedNode? {
            guard let place = places[key] else { return nil }
            slots[place].isUsed = true
            return slots[place].node
        }

        mutating func insert(_ node: CachedNode, _ key: UInt64, _ byteLimit: Int) -> [CachedNode] {
            if places[key] != nil { return [] }
            var evicted: [CachedNode] = []
            while byteCount + node.byteCount > byteLimit, !slots.isEmpty {
                if let victim = evictOne() { evicted.append(victim) }
            }
            places[key] = slots.count
            slots.append(Shard.Slot(key: key, node: node, isUsed: false))
            byteCount += node.byteCount
            return evicted
        }

        private mutating func evictOne() -> CachedNode? {
            if hand >= slots.count { hand = 0 }
            if slots[hand].isUsed {
                slots[hand].isUsed = false
                hand += 1
                return nil
            }
            let victim = slots[hand]
            let last = slots.removeLast()
            if hand < slots.count {
                slots[hand] = last
                places[last.key] = hand
            }
            places[victim.key] = nil
            byteCount -= victim.node.byteCount
            return victim.node
        }
    }
}
