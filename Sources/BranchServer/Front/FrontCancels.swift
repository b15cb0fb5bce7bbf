import PostgresWire
import Primitives

/// The keys by which clients cancel, each for a session of some compute.
///
/// They are the front's own: 63 random bits, or 287 for clients that take longer ones, and stand
/// for one session as long as that lasts. A compute's own key is never told to anybody.
// Safe to share: the table is under the lock.
final class CancelTable: @unchecked Sendable {
    struct Target: Sendable {
        let socketPath: String
        let key: CancelKey
    }

    private let lock = Lock()
    private let entropy: @Sendable () -> UInt64
    private var targets: [CancelKey: Target] = [:]

    init(entropy: @escaping @Sendable () -> UInt64) { self.entropy = entropy }

    var count: Int { lock.withLock { targets.count } }

    func enter(_ target: Target, for version: ProtocolVersion) -> CancelKey {
        let secretCount = version >= ProtocolVersion(3, 2) ? 32 : 4
        return lock.withLock {
            while true {
                let key = CancelKey(
                    // Drivers keep it in a signed number, and some take a negative one for none.
                    processID: UInt32(truncatingIfNeeded: entropy()) & 0x7FFF_FFFF,
                    secret: Entropy.bytes(secretCount, entropy)
                )
                if key.processID == 0 || targets[key] != nil { continue }
                targets[key] = target
                return key
            }
        }
    }

    func target(_ key: CancelKey) -> Target? { lock.withLock { targets[key] } }
    func remove(_ key: CancelKey) { lock.withLock { targets[key] = nil } }
}
