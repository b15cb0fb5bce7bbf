import Timelines

@c(LLVMFuzzerTestOneInput)
public func fuzzLifecycleRecord(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let record = try? LifecycleRecord(decoding: bytes) else { return 0 }
    // What was read is what would be written.
    guard let again = try? LifecycleRecord(decoding: record.encoded()), again == record else {
        preconditionFailure("a lifecycle record does not survive being written")
    }
    return 0
}
