import DiskIO
import FuzzSupport
import Oxbow

@c(LLVMFuzzerTestOneInput)
public func fuzzSegment(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    // A whole file of a store, as a disk may hand it out: opening never traps, and what it shows
    // it can read.
    let disk = MemoryDisk(limit: 8 << 20)
    guard (try? plant(bytes, on: disk)) != nil, let store = try? openFuzzed(disk) else { return 0 }
    if let main = try? store.branch("main") {
        for page in 0..<4 { _ = try? main.read(page: PageNumber(UInt64(page)), of: ObjectID(1)) }
        _ = try? main.history(limit: 20)
    }
    _ = try? store.check()
    try? store.close()
    return 0
}
