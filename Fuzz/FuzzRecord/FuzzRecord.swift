import FuzzSupport
import Primitives
import WriteAheadLog

@c(LLVMFuzzerTestOneInput)
public func fuzzRecord(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let mended = bytes.mendedRecord(at: LSN(rawValue: 4096), incarnation: 7, blockSeed: 9)
    mended.withUnsafeBytes {
        _ = Record.load($0, at: LSN(rawValue: 4096), incarnation: 7, blockSeed: 9)
    }
    return 0
}
