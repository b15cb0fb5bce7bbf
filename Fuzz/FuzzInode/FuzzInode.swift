import FuzzSupport
import Volume

/// What decodes must come back from its own bytes, and decode to the same again.
@c(LLVMFuzzerTestOneInput)
public func fuzzInode(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    // The first bytes are right, and the number that it must have is its own, so that what follows
    // is reached.
    let page = (Array("INOD".utf8) + [1] + bytes).padded(to: 8192)
    let number = InodeNumber(rawValue: page.word(8))
    if let inode = try? Inode(decoding: page, as: number) {
        let again = try? Inode(decoding: inode.encoded(pageSize: 8192), as: number)
        precondition(again == inode, "an inode is another after a round trip")
    }
    return 0
}
