import Primitives
import WriteAheadLog

@c(LLVMFuzzerTestOneInput)
public func fuzzIndexSections(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    var reader = ByteReader(bytes)
    while reader.remaining > 0 {
        guard (try? RecordEntry(from: &reader)) != nil, (try? BlockEntry(from: &reader)) != nil,
            (try? RangeEntry(from: &reader)) != nil, (try? RootEntry(from: &reader)) != nil
        else { break }
    }
    return 0
}
