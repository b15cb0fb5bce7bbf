import DiskIO
import Oxbow
import Primitives

/// One seed's store: life after life on a simulated disk, held against a model.
final class StoreSimulation {
    let seed: UInt64
    let regime: Regime
    let options: StoreOptions
    /// Whether the calendar clock jumps.
    let clockJumps: Bool
    var random: SeededRandom
    var disk: SimulatedDisk
    var clock: SimulatedClock

    /// Nil until the store was opened first.
    var model: ReferenceModel?
    var store: Store?
    /// Views of the past that are held, and what they must show.
    var views: [(view: View, pages: ModelPages)] = []
    /// Points that were asked for some time ago, and the records that they are.
    var points: [(point: Point, line: LineNode)] = []
    /// Changes that were begun and are not known to be made, in the order of their records.
    var pending: [ModelChange] = []
    var contentsMade: UInt64 = 0
    /// The latest that the calendar ever showed.
    private var latestBeforeJumps: UInt64 = 0
    var latestClock: LogTime { LogTime(rawValue: max(latestBeforeJumps, clock.calendarTime)) }

    var operation = StoreOperation.open
    /// Whether a call of the disk may fail, or has failed in this life.
    var mayFail = false
    /// Whether one has.
    var hasStruck = false
    /// Whether a call has failed in this life that may have left the store unable to go on.
    var hasFailed = false
    /// Whether the disk may be too full.
    var mayBeFull = false
    /// Whether the disk has lied, ever.
    var hasLied = false

    /// Whether everything that can is made durable at once.
    var alwaysSyncs = false
    /// What is broken on purpose.
    var sabotage: Sabotage?
    var isSabotaged = false

    var trace: UInt64
    var totals = SimulationTotals()
    var table = FaultTable()
    /// What was done, for a failure's message; only kept where asked for.
    var journal: [String]?

    /// Power was lost, or the store asks to be opened anew.
    struct LifeOver: Error {}
    /// Damage was found where there is damage: nothing more can be asked of the store.
    struct DamageFound: Error {}

    init(seed: UInt64, regime: Regime? = nil, keepsJournal: Bool = false) {
        self.seed = seed
        var random = SeededRandom(seed: seed)
        disk = SimulatedDisk(seed: random.next())
        clock = SimulatedClock(seed: random.next())
        let drawn = [Regime.honest, .honest, .failing, .full, .lying][random.below(5)]
        self.regime = regime ?? drawn
        clockJumps = random.oneIn(3)
        options = Self.options(&random)
        journal = keepsJournal ? [] : nil
        trace = seed
        self.random = random
    }

    /// A run that goes its own way from a moment of another's, on a disk of its own.
    init(
        branching other: StoreSimulation,
        disk: SimulatedDisk,
        _ model: ReferenceModel,
        _ pending: [ModelChange]
    ) {
        seed = other.seed
        regime = other.regime
        options = other.options
        clockJumps = other.clockJumps
        journal = other.journal.map { _ in [] }
        random = SeededRandom(seed: other.random.next())
        clock = SimulatedClock(
            seed: random.next(),
            start: other.latestClock.rawValue
        )
        trace = other.trace
        self.disk = disk
        self.model = model
        self.pending = pending
        contentsMade = other.contentsMade
    }

    private static func options(_ random: inout SeededRandom) -> StoreOptions {
        var options = StoreOptions()
        options.upkeep = .manual
        options.pageSize = [512, 512, 1024][random.below(3)]
        options.segmentBits = [16, 16, 16, 17, 18][random.below(5)]
        options.checkpointChanges = [16, 64, 128][random.below(3)]
        options.checkpointBytes = [32 << 10, 128 << 10, 1 << 20][random.below(3)]
        options.window = [.seconds(7 * 86_400), .seconds(60), .seconds(10)][random.below(3)]
        options.windowBytes = [nil, 64 << 10, 256 << 10, 1 << 20][random.below(4)]
        options.cacheBytes = [64 << 10, 256 << 10, 1 << 20][random.below(3)]
        return options
    }

    func jump(by duration: Duration) {
        latestBeforeJumps = latestClock.rawValue
        clock.jump(by: duration)
    }

    func note(_ text: @autoclosure () -> String) {
        if journal != nil { journal?.append(text()) }
    }

    func fold(_ value: UInt64) { trace = Checksum.fold(trace, value) }

    func draw(_ bound: Int) -> Int { random.below(bound) }

    /// The model, once there is a store.
    var expected: ReferenceModel {
        guard let model else { preconditionFailure("no store was opened yet") }
        return model
    }

    var opened: Store {
        guard let store else { preconditionFailure("the store is not open") }
        return store
    }
}

/// What runs did.
package struct SimulationTotals: Hashable, Sendable {
    package var seeds = 0
    package var operations = 0
    package var commits = 0
    package var checkpoints = 0
    package var sealedSegments = 0
    package var reclaims = 0
    /// How often a store was left in the middle and opened again.
    package var cycles = 0
    package var powerLosses = 0
    package var kills = 0
    package var closes = 0
    package var recoveriesCut = 0
    package var damageFound = 0

    package init() {}

    package static func += (left: inout SimulationTotals, right: SimulationTotals) {
        left.seeds += right.seeds
        left.operations += right.operations
        left.commits += right.commits
        left.checkpoints += right.checkpoints
        left.sealedSegments += right.sealedSegments
        left.reclaims += right.reclaims
        left.cycles += right.cycles
        left.powerLosses += right.powerLosses
        left.kills += right.kills
        left.closes += right.closes
        left.recoveriesCut += right.recoveriesCut
        left.damageFound += right.damageFound
    }
}

/// How often each fault struck during each operation of a store.
package struct FaultTable: Hashable, Sendable {
    private var calls = [Int](repeating: 0, count: StoreOperation.allCases.count)
    private var faults = [Int](
        repeating: 0,
        count: StoreOperation.allCases.count * Fault.allCases.count
    )

    package init() {}

    package subscript(operation: StoreOperation) -> Int { calls[operation.rawValue] }

    package subscript(operation: StoreOperation, fault: Fault) -> Int {
        faults[operation.rawValue * Fault.allCases.count + fault.rawValue]
    }

    mutating func count(_ operation: StoreOperation) { calls[operation.rawValue] += 1 }

    mutating func count(_ fault: Fault, _ operation: StoreOperation) {
        faults[operation.rawValue * Fault.allCases.count + fault.rawValue] += 1
    }

    package static func += (left: inout FaultTable, right: FaultTable) {
        for index in left.calls.indices { left.calls[index] += right.calls[index] }
        for index in left.faults.indices { left.faults[index] += right.faults[index] }
    }

    /// Whether a fault can strike during an operation at all: what only reads meets no faults of
    /// writing.
    package static func isPossible(_ fault: Fault, _ operation: StoreOperation) -> Bool {
        switch fault {
        // Making durable what was appended reads nothing.
        case .staleRead, .misdirectedRead: operation != .sync
        case .failure, .rot: true
        // Nothing else writes twice between two syncs.
        case .reordered: [.commitLarge, .checkpoint, .step, .reclaim].contains(operation)
        default: !operation.onlyReads
        }
    }

    /// The combinations that never came up.
    package var gaps: [(operation: StoreOperation, fault: Fault)] {
        StoreOperation.allCases.flatMap { operation in
            Fault.allCases.filter { Self.isPossible($0, operation) && self[operation, $0] == 0 }
                .map { (operation, $0) }
        }
    }
}

extension FaultTable: CustomStringConvertible {
    package var description: String {
        func padded(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let head =
            padded("", 15) + padded("calls", 10)
            + Fault.allCases.map { padded("\($0)", max(9, "\($0)".count + 2)) }.joined()
        let rows = StoreOperation.allCases.map { operation in
            let name = "\(operation)"
            let cells = Fault.allCases.map { fault in
                let isPossible = Self.isPossible(fault, operation)
                let text = isPossible ? "\(self[operation, fault])" : "-"
                return padded(text, max(9, "\(fault)".count + 2))
            }
            return name + String(repeating: " ", count: max(0, 15 - name.count))
                + padded("\(self[operation])", 10) + cells.joined()
        }
        return ([head] + rows).joined(separator: "\n")
    }
}
