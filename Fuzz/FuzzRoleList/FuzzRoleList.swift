import BranchServer

/// Any bytes are a list of roles or refused, with and without the right beginning; what decodes
/// comes back from its own bytes.
@c(LLVMFuzzerTestOneInput)
public func fuzzRoleList(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let size = UInt32(count)
    let length = [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: size >> $0) }
    for input in [bytes, Array("OXBROLES".utf8) + [1, 0, 0, 0] + length + bytes] {
        guard let list = try? RoleList(decoding: input) else { continue }
        let again = try? RoleList(decoding: list.encoded())
        precondition(again == list, "a list of roles is another after a round trip")
        precondition(RoleList(list.roles) == list, "a list of roles is out of order")
        for role in list.roles { precondition(list[role.name] == role, "a role is not found") }
    }
    return 0
}
