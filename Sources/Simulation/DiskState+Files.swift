import DiskIO
import Glibc
import Primitives

extension DiskState {
    func call(
        _ operation: DiskOperation,
        _ file: FileNumber,
        at offset: UInt64 = 0,
        count: Int = 0
    ) throws(DiskError) -> DiskCall {
        let call = DiskCall(
            operation: operation,
            file: nodes[file]?.name ?? "",
            fileChecksum: nodes[file]?.nameChecksum ?? 0,
            offset: Int(min(offset, UInt64(Self.fileLengthLimit))),
            count: count
        )
        try requirePower(call)
        invariant(nodes[file] != nil, "a handle's file is gone")
        guard count <= Self.fileLengthLimit, offset <= UInt64(Self.fileLengthLimit - count) else {
            throw .failed(operation: call.sentence, code: EFBIG, reason: "file too large")
        }
        return call
    }

    /// The content as reading sees it, or an error without power.
    func latest(_ file: FileNumber) throws(DiskError) -> FileContent {
        _ = try call(.open, file)
        return nodes[file]?.latest ?? FileContent()
    }

    mutating func read(
        _ file: FileNumber,
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(DiskError) -> Int {
        var call = try call(.read, file, at: offset, count: buffer.count)
        let fault = try begin(call)
        if fault == .failure { throw failing(.failure, call) }
        guard let node = nodes[file] else { return 0 }
        call.count = unsafe node.latest.read(into: buffer, at: call.offset)
        let held = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<call.count])
        if fault == .staleRead { unsafe readStale(node, held, call) }
        if fault == .misdirectedRead { unsafe readElsewhere(node, held, call) }
        return call.count
    }

    mutating func write(
        _ file: FileNumber,
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64
    ) throws(DiskError) {
        var call = try call(.write, file, at: offset, count: bytes.count)
        call.content = unsafe Checksum.of(bytes)
        let fault = try begin(call)
        let room = room(for: call, file)
        if plan.needsOldBytes { nodes[file]?.remember(call.range) }
        switch fault {
        case nil, .powerLoss?: unsafe put(bytes[..<room], file, call)
        case .lostWrite?: lose(file, call)
        case .misdirectedWrite?: unsafe misdirect(bytes, file, call)
        default: unsafe put(bytes[..<random.below(room + 1)], file, call)
        }
        if let fault, [.failure, .full, .powerLoss].contains(fault) { throw failing(fault, call) }
        if room < bytes.count { throw failing(.full, call) }
    }

    /// How much of a write there is space for.
    private func room(for call: DiskCall, _ file: FileNumber) -> Int {
        nodes[file]?.latest.writable(call.range, newBlocks: availableBlocks) ?? 0
    }

    private mutating func put(
        _ bytes: Slice<UnsafeRawBufferPointer>,
        _ file: FileNumber,
        _ call: DiskCall
    ) {
        let bytes = unsafe [UInt8](bytes)
        if bytes.isEmpty { return }
        nodes[file]?.change(.write(offset: call.offset, bytes: bytes))
    }

    mutating func sync(_ file: FileNumber) throws(DiskError) {
        let call = try call(.sync, file)
        switch try begin(call) {
        case nil: nodes[file]?.sync()
        case .ignoredSync?: strike(.ignoredSync, call)
        case .powerLoss?: throw failing(.powerLoss, call)
        case let fault?:
            settle(file, CrashModel())
            throw failing(fault, call)
        }
    }

    /// Forgets what a failed sync left in memory only. Everything else is durable already.
    mutating func showDurable(_ file: FileNumber) { nodes[file]?.showDurable() }

    mutating func allocate(_ file: FileNumber, _ length: UInt64) throws(DiskError) {
        let call = try call(.allocate, file, at: length)
        try perform(call) { state throws(DiskError) in
            let length = call.offset
            if state.nodes[file]?.latest.writable(0..<length, newBlocks: state.availableBlocks)
                != length
            {
                throw state.failing(.full, call)
            }
            state.nodes[file]?.change(.allocate(to: length))
        }
    }

    mutating func truncate(_ file: FileNumber, to length: UInt64) throws(DiskError) {
        let call = try call(.truncate, file, at: length)
        try perform(call) { state throws(DiskError) in
            state.nodes[file]?.change(.resize(to: call.offset))
        }
    }

    /// Decides of each unsynced change to a file whether it is durable, and records those that did
    /// not come through.
    mutating func settle(_ file: FileNumber, _ model: CrashModel) {
        guard let name = nodes[file]?.name else { return }
        for casualty in nodes[file]?.settle(model, &random) ?? [] {
            note(casualty.fault, casualty.operation, name, casualty.range)
        }
    }
}
