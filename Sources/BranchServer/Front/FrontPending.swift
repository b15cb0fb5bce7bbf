import Primitives

/// Bytes that one side could not take yet. Empty for most of a session, and then without memory.
struct PendingBytes {
    private var bytes: [UInt8] = []
    private var start = 0

    var isEmpty: Bool { start == bytes.count }
    var count: Int { bytes.count - start }

    mutating func append(_ more: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: more) }
    mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }

    /// Hands the bytes to `send`, which returns how many it took.
    mutating func take(_ send: (UnsafeRawBufferPointer) -> Int) {
        guard !isEmpty else { return }
        let count = unsafe bytes.withUnsafeBytes { unsafe send(.init(rebasing: $0[start...])) }
        invariant(count <= self.count, "\(count) of \(self.count) bytes taken")
        start += count
        if isEmpty { removeAll() }
    }

    mutating func removeAll() {
        bytes = []
        start = 0
    }
}
