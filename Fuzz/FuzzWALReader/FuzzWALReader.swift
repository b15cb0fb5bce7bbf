import BranchServer

/// Any bytes are a log that reaches somewhere or nowhere, and a control file or none. Each block has
/// the right beginning in half of the runs, so that what follows is reached.
@c(LLVMFuzzerTestOneInput)
public func fuzzWALReader(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? PostgresControl(decoding: bytes)
    guard let first = bytes.first, count > 2,
        let geometry = WALGeometry(segmentBytes: 1 << 20, blockBytes: 1 << 10)
    else { return 0 }
    let reader = WALReader(geometry) { position throws(WALError) in
        guard position >= 1 << 20, position < 3 << 20 else { return nil }
        let place = Int(position - 1 << 20) % count
        var block = Array((bytes[place...] + bytes).prefix(1 << 10))
        block += [UInt8](repeating: 0, count: 1 << 10 - block.count)
        if first & 1 == 0 { begin(&block, position) }
        return block
    }
    let end = try? reader.end(inFileAt: 1 << 20)
    if let end = end ?? nil {
        precondition(end % 8 == 0 && end > 1 << 20, "an end that is none: \(end)")
    }
    if let last = (try? reader.lastRecord(inFileAt: 1 << 20)) ?? nil {
        precondition(end == last.end || end ?? nil ?? 0 > last.end, "a record behind the end")
        let mark = WALMark(cluster: 0, position: last.position, checksum: last.checksum)
        let isLast = try? reader.holds(after: mark, upTo: last.position) { _ in false }
        precondition(isLast == true, "a record that is not known again")
        let from = WALMark(cluster: 0, position: 1 << 20 + 40, checksum: last.checksum)
        _ = try? reader.holds(after: from, upTo: last.position) { !$0.mayChangeSharedRelations }
        _ = last.mayChangeSharedRelations
    }
    let span = UInt64(bytes[1]) << 13 | UInt64(bytes[2])
    _ = try? reader.reaches(1 << 20 + span)
    return 0
}

private func begin(_ block: inout [UInt8], _ position: UInt64) {
    let isFirst = position % (1 << 20) == 0
    block[1] = 0xD1
    block[2] = block[2] & 9 | (isFirst ? 2 : 0)
    block[3] = 0
    block[4] |= 1
    for index in 0..<8 { block[8 + index] = UInt8(truncatingIfNeeded: position >> UInt64(8 * index)) }
    if block[2] & 1 == 0 { for index in 16..<20 { block[index] = 0 } } else { block[16] |= 1 }
    if isFirst { block.replaceSubrange(32..<40, with: [0, 0, 16, 0, 0, 4, 0, 0]) }
}
