import PageStorage
import WriteAheadLog

@c(LLVMFuzzerTestOneInput)
public func fuzzPageNode(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let node = try? MapNode<Location>(decoding: bytes) else { return 0 }
    // What was read is what would be written.
    guard let again = try? MapNode<Location>(decoding: node.encoded()), again.keys == node.keys,
        again.values == node.values, again.children == node.children
    else { preconditionFailure("a node does not survive being written") }
    return 0
}
