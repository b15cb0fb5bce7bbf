import FuzzSupport
import WriteAheadLog

@c(LLVMFuzzerTestOneInput)
public func fuzzBlock(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let mended = bytes.mended(48, seed: 9)
    var page = [UInt8](repeating: 0, count: 8192)
    mended.withUnsafeBytes { raw in
        guard let (header, _) = BlockHeader.load(raw, seed: 9), Int(header.length) <= raw.count
        else { return }
        let payload = UnsafeRawBufferPointer(rebasing: raw[BlockHeader.size..<Int(header.length)])
        page.withUnsafeMutableBytes { _ = PageCodec.decode(payload, header.encoding, into: $0) }
    }
    return 0
}
