import PostgresWire

/// What is read is printed and read again as the same.
@c(LLVMFuzzerTestOneInput)
public func fuzzConnectionTarget(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let name = WireString(bytes)
    if let target = try? ConnectionTarget(parsing: name) {
        guard let printed = target.databaseName, let again = try? ConnectionTarget(parsing: printed)
        else { preconditionFailure("\(target) cannot be printed") }
        precondition(again == target, "\(target) does not read back")
    }
    if let options = try? StartupOptions(parsing: name) {
        precondition((try? StartupOptions(parsing: options.text)) == options, "does not read back")
    }
    let message = StartupMessage(
        .v3, [WireParameter("user", "u"), WireParameter("options", name)])
    if let request = try? ConnectionRequest(message, policy: .ordinary) {
        precondition(
            !request.options.settings.contains { $0.name.hasPrefix("oxbow.") }, "kept an own setting")
    }
    return 0
}
