import DiskIO
import Oxbow
import PostgresWire
final class RoleBook: Sendable {
    init(store: Store, role: String, clock: any Clock) {}
    func verifier(of user: WireString, on branch: Branch, socketPath: String?) -> SCRAMVerifier? {
        nil
    }
    func refresh(_ branch: Branch, socketPath: String) {}
    func confirm(
        _ user: WireString,
        _ verifier: SCRAMVerifier?,
        on branch: Branch,
        socketPath: String
    ) -> Bool { true }
    func isSuperuser(_ user: WireString, on branch: Branch, socketPath: String?) -> Bool { true }
    func knows(_ branch: Branch) -> Bool { true }
    func forget(_ branch: Branch) {}
}
struct WALPositionSearch {
    init(_ branch: Branch) {}
    func point(at position: UInt64) throws -> Point { throw ServerError(.invalid, "") }
}
