import PostgresWire

/// A conversation, in which each piece says whose it is; the same one byte by byte must come to the
/// same end.
@c(LLVMFuzzerTestOneInput)
public func fuzzSessionTracker(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let whole = follow(bytes, bytewise: false)
    let split = follow(bytes, bytewise: true)
    precondition(whole == split, "\(whole) and \(split)")
    return 0
}

private func follow(_ bytes: [UInt8], bytewise: Bool) -> String {
    var tracker = SessionTracker()
    var rest = bytes[...]
    do throws(WireError) {
        while let choice = rest.popFirst() {
            let piece = Array(rest.prefix(Int(choice >> 1)))
            rest = rest.dropFirst(piece.count)
            for part in bytewise ? piece.map({ [$0] }) : [piece] {
                if choice & 1 == 0 {
                    _ = try tracker.frontend(part.span.bytes)
                } else {
                    try tracker.backend(part.span.bytes)
                }
            }
        }
    } catch { return "\(error)" }
    return "\(tracker.isIdle) \(tracker.copying) \(tracker.transaction) \(tracker.readyCount)"
}
