import FuzzSupport
import Volume

/// What decodes must come back from its own bytes, and decode to the same again.
@c(LLVMFuzzerTestOneInput)
public func fuzzFolderPage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    // The first bytes are right, so that what follows is reached.
    let page = (Array("FOLD".utf8) + [1] + bytes).padded(to: 8192)
    if let folder = try? FolderPage(decoding: page) {
        let again = try? FolderPage(decoding: folder.encoded(pageSize: 8192))
        precondition(again == folder, "a folder's page is another after a round trip")
    }
    return 0
}
