import Primitives
package import WriteAheadLog

/// Decoded pages by where they stand in the log: a bounded number of them, in shards, each with
/// memory of its own that is reused and never grows.
package final class PageCache: Sendable {
    private static let shardCount = 16
    private let shards: [PageCacheShard]

    package init(byteLimit: Int, pageSize: Int) {
        let capacity = max(1, byteLimit / pageSize / Self.shardCount)
        shards = (0..<Self.shardCount).map { _ in
            PageCacheShard(capacity: capacity, pageSize: pageSize)
        }
    }

    @inline(__always)
    private func shard(_ location: Location) -> PageCacheShard {
        let mixed = location.lsn.rawValue &* 0x9E37_79B9_7F4A_7C15
        return shards[Int(truncatingIfNeeded: mixed >> 60)]
    }

    /// Copies as much as `target` takes of the page that stands at `location`, if it is here.
    package func copy(
        _ location: Location,
        to target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        unsafe shard(location).copy(location.lsn.rawValue, to: target)
    }

    package func insert(_ page: UnsafeRawBufferPointer, at location: Location) {
        unsafe shard(location).insert(page, location.lsn.rawValue)
    }
}

// Safe to share: all mutable state, the slab's bytes included, is guarded by `lock`.
@safe private final class PageCacheShard: @unchecked Sendable {
    private let lock = Lock()
    private let capacity: Int
    private let pageSize: Int
    private let slab: UnsafeMutableRawPointer
    private var places: [UInt64: Int] = [:]
    private var keys: [UInt64] = []
    private var isUsed: [Bool] = []
    private var hand = 0

    init(capacity: Int, pageSize: Int) {
        self.capacity = capacity
        self.pageSize = pageSize
        // Memory that is not touched is not taken, so a large limit costs nothing by itself.
        unsafe slab = .allocate(byteCount: capacity * pageSize, alignment: 4096)
    }

    deinit { unsafe slab.deallocate() }

    func copy(_ key: UInt64, to target: UnsafeMutableRawBufferPointer) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        guard let place = places[key], let base = target.baseAddress else { return false }
        isUsed[place] = true
        unsafe base.copyMemory(
            from: slab + place * pageSize,
            byteCount: min(pageSize, target.count)
        )
        return true
    }

    func insert(_ page: UnsafeRawBufferPointer, _ key: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        guard places[key] == nil, page.count == pageSize, let source = page.baseAddress else {
            return
        }
        let place = nextPlace()
        keys[place] = key
        isUsed[place] = false
        places[key] = place
        unsafe (slab + place * pageSize).copyMemory(from: source, byteCount: pageSize)
    }

    private func nextPlace() -> Int {
        if keys.count < capacity {
            keys.append(0)
            isUsed.append(false)
            return keys.count - 1
        }
        while isUsed[hand] {
            isUsed[hand] = false
            hand = (hand + 1) % capacity
        }
        let place = hand
        places[keys[place]] = nil
        hand = (hand + 1) % capacity
        return place
    }
}
