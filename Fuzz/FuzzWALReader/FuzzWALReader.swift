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
    func load(_ position: UInt64) throws(WALError) -> [UInt8]? {
        guard position >= 1 << 20, position < 3 << 20 else { return nil }
        let place = Int(position - 1 << 20) % count
        var block = Array((bytes[place...] + bytes).prefix(1 << 10))
        block += [UInt8](repeating: 0, count: 1 << 10 - block.count)
        if first & 1 == 0 { begin(&block, position) }
        return block
    }
    let reader = WALReader(geometry, load: load)
    let end = try? reader.end(inFileAt: 1 << 20)
    if let end = end ?? nil {
        precondition(end % 8 == 0 && end > 1 << 20, "an end that is none: \(end)")
    }
    if let last = (try? reader.lastRecord(inFileAt: 1 << 20)) ?? nil {
        precondition(end == last.end || end ?? nil ?? 0 > last.end, "a record behind the end")
        let mark = WALMark(last, of: 0)
        let isLast = try? reader.holds(after: mark, upTo: last.position) { _ in false }
        precondition(isLast == true, "a record that is not known again")
        // The same log when it had four blocks.
        let early = WALReader(geometry) { position throws(WALError) in
            position < 1 << 20 + 4 << 10 ? try load(position) : nil
        }
        if let first = (try? early.lastRecord(inFileAt: 1 << 20)) ?? nil {
            _ = try? reader.holds(after: WALMark(first, of: 0), upTo: last.position) {
                !$0.mayChangeSharedRelations
            }
        }
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
