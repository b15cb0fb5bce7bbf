import Primitives

/// A request of a client that a server answers, or that tells where one ends.
enum Request: UInt8, Sendable {
    case parse, bind, describe, close, execute
    case sync, query, functionCall
    /// CopyDone or CopyFail, which a client may send before it knows that the copying began.
    case copyEnd
    /// A Sync that the server passes over if it reads it while it copies rows in.
    case uncertainSync

    /// Whether an error skips what follows, up to the next Sync.
    var isExtended: Bool {
        switch self {
        case .parse, .bind, .describe, .close, .execute: true
        case .sync, .query, .functionCall, .copyEnd, .uncertainSync: false
        }
    }
}

/// The requests that are not answered, oldest first: one byte each, in a ring that grows up to what
/// can be under way at once and then stays.
struct RequestQueue: Sendable {
    private var ring: [Request] = []
    private var start = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    var first: Request? { count == 0 ? nil : ring[start] }

    subscript(_ index: Int) -> Request {
        get {
            invariant(index >= 0 && index < count, "request \(index) of \(count)")
            return ring[(start + index) & (ring.count - 1)]
        }
        set {
            invariant(index >= 0 && index < count, "request \(index) of \(count)")
            ring[(start + index) & (ring.count - 1)] = newValue
        }
    }

    mutating func append(_ request: Request) {
        if count == ring.count { grow() }
        ring[(start + count) & (ring.count - 1)] = request
        count += 1
    }

    mutating func removeFirst() {
        invariant(count > 0, "no request to take away")
        start = (start + 1) & (ring.count - 1)
        count -= 1
    }

    /// Takes away one that is not the first. Those before it move.
    mutating func remove(at index: Int) {
        invariant(index > 0 && index < count, "request \(index) of \(count)")
        for place in stride(from: index, to: 0, by: -1) { self[place] = self[place - 1] }
        removeFirst()
    }

    mutating func removeAll() { self = RequestQueue() }

    private mutating func grow() {
        let requests = (0..<count).map { self[$0] }
        // A power of two, so that places are found by masking.
        let capacity = max(16, ring.count * 2)
        ring = requests + [Request](repeating: .sync, count: capacity - count)
        start = 0
    }
}
