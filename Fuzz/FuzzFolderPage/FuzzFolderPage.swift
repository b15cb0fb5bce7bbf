import FuzzSupport
import Volume

/// What decodes must come back from its own bytes, and decode to the same again.
@c(LLVMFuzzerTestOneInput)
public func fuzzFolderPage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let page = [UInt8](UnsafeBufferPointer(start: start, count: count)).padded(to: 8192)
    if let folder = try? FolderPage(decoding: page) {
        let again = try? FolderPage(decoding: folder.encoded(pageSize: 8192))
        precondition(again == folder, "a folder's page is another after a round trip")
    }
    return 0
}
