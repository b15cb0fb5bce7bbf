import BranchServer
import PostgresWire

/// Any text is a list of statements or refused with a SQLSTATE, and any bytes are a session of the
/// console that goes on or is closed.
@c(LLVMFuzzerTestOneInput)
public func fuzzAdminStatement(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    if let statements = try? AdminStatement.parse(text) {
        precondition(!statements.isEmpty, "no statement")
    }
    var session = AdminSession()
    session.receive(bytes)
    while let action = session.next() {
        guard case .execute(let statement) = action else { continue }
        let row = statement.columns.map { $0.map { Optional($0) } }
        session.answered(.success(AdminResult(rows: row.map { [$0] } ?? [])))
    }
    return 0
}
