import WriteAheadLog

@c(LLVMFuzzerTestOneInput)
public func fuzzCommitMeta(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? CommitMeta(decoding: bytes)
    return 0
}
