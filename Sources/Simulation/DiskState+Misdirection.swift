import Primitives

/// Faults of which the disk says nothing.
extension DiskState {
    /// Does all of a write but the writing.
    mutating func lose(_ file: FileNumber, _ call: DiskCall) {
        nodes[file]?.change(.grow(to: call.range.upperBound))
        strike(.lostWrite, call)
    }

    /// Writes at another sector of any file that has one on the medium; without such a sector the
    /// write is lost.
    mutating func misdirect(
        _ bytes: UnsafeRawBufferPointer,
        _ file: FileNumber,
        _ call: DiskCall
    ) {
        let targets = entries.keys.sorted().compactMap { entries[$0] }.filter {
            nodes[$0].map { $0.durable.byteCount >= FileContent.sectorSize } ?? false
        }
        guard !targets.isEmpty else { return lose(file, call) }
        let target = targets[random.below(targets.count)]
        guard let node = nodes[target] else { return }
        let start = sector(of: node.durable)
        if target == file && start == call.offset { return lose(file, call) }
        let count = min(bytes.count, node.durable.byteCount - start)
        nodes[file]?.change(.grow(to: call.range.upperBound))
        unsafe nodes[target]?.damage(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: start)
        strike(.misdirectedWrite, call)
        record(.misdirectedWrite, .write, node.name, start..<start + count)
    }

    private mutating func sector(of content: FileContent) -> Int {
        random.below(content.byteCount / FileContent.sectorSize) * FileContent.sectorSize
    }

    /// Puts back into the buffer what the newest write over a part of it had replaced.
    mutating func readStale(
        _ node: SimulatedNode,
        _ buffer: UnsafeMutableRawBufferPointer,
        _ call: DiskCall
    ) {
        for (offset, bytes) in node.overwritten.reversed() {
            let written = offset..<offset + bytes.count
            guard written.overlaps(call.range) else { continue }
            let common = call.range.clamped(to: written)
            let old = bytes[common.lowerBound - offset..<common.upperBound - offset]
            let range = common.lowerBound - call.offset..<common.upperBound - call.offset
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[range])
            let isTheSame = unsafe target.elementsEqual(old)
            if isTheSame { continue }
            unsafe target.copyBytes(from: old)
            return strike(.staleRead, call)
        }
    }

    mutating func readElsewhere(
        _ node: SimulatedNode,
        _ buffer: UnsafeMutableRawBufferPointer,
        _ call: DiskCall
    ) {
        guard node.latest.byteCount >= FileContent.sectorSize else { return }
        let start = sector(of: node.latest)
        if start == call.offset { return }
        _ = unsafe node.latest.read(into: buffer, at: start)
        strike(.misdirectedRead, call)
    }
}
