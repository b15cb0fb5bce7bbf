import DiskIO
import Glibc
import Primitives

/// All that a simulated disk is, as a value: a copy of it is a copy of the disk.
///
/// Laws:
/// 1. Nothing here is iterated in a hash table's order where it could touch a draw, the trace or
///    an event.
/// 2. A name in `durableEntries` is there after a crash unless an unsynced folder operation that
///    the crash keeps takes it away.
/// 3. No two names of one table stand for the same file.
struct DiskState: Sendable {
    enum Power: Sendable {
        case on
        /// Lost at an operation; a crash settles what is left.
        case lost
        /// Another disk has taken over.
        case gone
    }

    /// How many events are kept until they are taken; later ones are only counted.
    static let eventLimit = 65_536
    /// Where a file cannot grow past.
    static let fileLengthLimit = 1 << 32

    var random: SeededRandom
    var capacity: UInt64
    var power = Power.on
    /// How many changing operations until the power goes, that one included.
    var operationsLeft: Int?
    /// How many operations of any kind until the power goes for good: what ends a caller that
    /// loops.
    var budget = Int.max
    var plan = FaultPlan()

    var nodes: [FileNumber: SimulatedNode] = [:]
    var entries: [String: FileNumber] = [:]
    var durableEntries: [String: FileNumber] = [:]
    var pendingEntries: [EntryChange] = []
    private var filesMade = 0

    private(set) var trace: UInt64 = 0
    private(set) var operationCount = 0
    private(set) var changeCount = 0
    private(set) var counters = FaultCounters()
    private(set) var events: [DiskEvent] = []

    init(random: SeededRandom, capacity: UInt64) {
        self.random = random
        self.capacity = capacity
    }

    mutating func makeNode(_ name: String) -> FileNumber {
        filesMade += 1
        let number = FileNumber(rawValue: filesMade)
        nodes[number] = SimulatedNode(name: name)
        return number
    }

    /// The file that has this name now.
    func node(_ name: String) -> SimulatedNode? { entries[name].flatMap { nodes[$0] } }

    mutating func takeEvents() -> [DiskEvent] {
        defer { events = [] }
        return events
    }
}

extension DiskState {
    /// Begins an operation, and says what fault strikes it. The caller does what the fault leaves
    /// of the operation, and calls ``strike`` or throws ``failing``.
    mutating func begin(_ call: DiskCall) throws(DiskError) -> Fault? {
        try requirePower(call)
        if budget == 0 { power = .lost }
        try requirePower(call)
        budget -= 1
        operationCount += 1
        counters.count(call.operation)
        let fault = takesThePower(call) ? .powerLoss : plan.draw(call, &random)
        fold(UInt64(call.operation.rawValue) << 8 | UInt64((fault?.rawValue ?? -1) + 1))
        fold(call.fileChecksum)
        fold(UInt64(call.offset))
        fold(UInt64(call.count))
        fold(call.content)
        return fault
    }

    private mutating func takesThePower(_ call: DiskCall) -> Bool {
        guard call.operation.changesTheDisk else { return false }
        changeCount += 1
        guard let left = operationsLeft else { return false }
        operationsLeft = left - 1
        if left > 1 { return false }
        power = .lost
        return true
    }

    private mutating func fold(_ value: UInt64) { trace = Checksum.fold(trace, value) }

    func requirePower(_ call: DiskCall) throws(DiskError) {
        if power != .on { throw Self.noPower(call) }
    }

    private static func noPower(_ call: DiskCall) -> DiskError {
        .failed(operation: call.sentence, code: EIO, reason: "power lost")
    }

    /// Records that a fault did what it is for.
    mutating func strike(_ fault: Fault, _ call: DiskCall) {
        plan.spend()
        note(fault, call.operation, call.file, call.range)
    }

    mutating func note(
        _ fault: Fault,
        _ operation: DiskOperation,
        _ file: String,
        _ range: Range<Int>
    ) {
        counters.count(fault, on: operation)
        record(fault, operation, file, range)
    }

    /// Adds a place to the events, of a fault that is counted already.
    mutating func record(
        _ fault: Fault,
        _ operation: DiskOperation,
        _ file: String,
        _ range: Range<Int>
    ) {
        guard events.count < Self.eventLimit else { return }
        events.append(
            DiskEvent(
                operationNumber: operationCount,
                operation: operation,
                fault: fault,
                file: file,
                range: range
            )
        )
    }

    /// Records a fault that the caller hears of, as the error to throw.
    mutating func failing(_ fault: Fault, _ call: DiskCall) -> DiskError {
        strike(fault, call)
        switch fault {
        case .powerLoss: return Self.noPower(call)
        case .full: return .full(operation: call.sentence)
        default:
            return .failed(operation: call.sentence, code: EIO, reason: "input/output error")
        }
    }

    /// Does an operation that is done whole or not at all. One that fails may have been done.
    mutating func perform(
        _ call: DiskCall,
        _ change: (inout DiskState) throws(DiskError) -> Void
    ) throws(DiskError) {
        guard let fault = try begin(call) else { return try change(&self) }
        // Of what a loss of power cuts off the crash decides, as of all that is not synced.
        if fault == .powerLoss || fault == .failure && random.oneIn(2) {
            do throws(DiskError) { try change(&self) } catch {}
        }
        throw failing(fault, call)
    }
}

extension DiskState {
    /// What the files that are still to be reached take. Space that a removal frees is free at
    /// once, as an application sees it.
    var usedBytes: UInt64 {
        let blocks = nodes.values.reduce(0) { sum, node in
            node.isLinked || node.handles > 0 ? sum + node.latest.allocatedBlocks : sum
        }
        return UInt64(blocks * FileContent.blockSize)
    }

    var availableBytes: UInt64 {
        let used = usedBytes
        return capacity > used ? capacity - used : 0
    }

    var availableBlocks: Int {
        Int(min(availableBytes / UInt64(FileContent.blockSize), UInt64(Int32.max)))
    }
}
