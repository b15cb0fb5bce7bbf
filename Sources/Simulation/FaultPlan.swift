import Primitives

/// When which fault strikes which operation.
package struct FaultRule: Sendable {
    package enum Moment: Sendable {
        /// The n-th matching operation from now on, the next being 1, and those after it while the
        /// rule has times left.
        case nth(Int)
        /// Each matching operation once in so many draws.
        case oneIn(Int)
    }

    package let fault: Fault
    package let operation: DiskOperation
    /// Only operations on the file of this name.
    package let file: String?
    fileprivate var moment: Moment
    fileprivate var timesLeft: Int

    /// A rule for a fault that strikes at most so many times; `.max` is for ever.
    package init(
        _ fault: Fault,
        on operation: DiskOperation,
        of file: String? = nil,
        _ moment: Moment,
        times: Int = 1
    ) {
        invariant(fault.canStrike(operation), "\(fault) cannot strike \(operation)")
        invariant(times > 0, "a rule for \(times) times")
        switch moment {
        case .nth(let number): invariant(number > 0, "operation \(number) of those to come")
        case .oneIn(let draws): invariant(draws > 0, "once in \(draws) draws")
        }
        self.fault = fault
        self.operation = operation
        self.file = file
        self.moment = moment
        timesLeft = times
    }

    fileprivate mutating func matches(
        _ call: DiskCall,
        _ random: inout SeededRandom
    ) -> Bool {
        guard timesLeft > 0, operation == call.operation, file == nil || file == call.file else {
            return false
        }
        switch moment {
        case .oneIn(let draws): return random.oneIn(draws)
        case .nth(let number):
            moment = .nth(max(1, number - 1))
            return number == 1
        }
    }

    fileprivate mutating func spend() {
        invariant(timesLeft > 0, "a rule that is used up struck")
        if timesLeft != .max { timesLeft -= 1 }
    }
}

/// The rules in force. Where several match an operation the first one strikes; a fault that finds
/// nothing to spoil (a stale read of what was never overwritten) is not used up.
struct FaultPlan: Sendable {
    /// How many rules can be in force at once.
    static let ruleLimit = 256

    private(set) var rules: [FaultRule] = []
    private var drawn: Int?

    /// Whether files have to remember what is written over.
    private(set) var needsOldBytes = false

    mutating func add(_ rule: FaultRule) {
        invariant(rules.count < Self.ruleLimit, "more than \(Self.ruleLimit) rules")
        rules.append(rule)
        if rule.fault == .staleRead { needsOldBytes = true }
    }

    /// The fault that a rule has for this call. It is used up by ``spend()``.
    mutating func draw(_ call: DiskCall, _ random: inout SeededRandom) -> Fault? {
        drawn = nil
        // Every rule counts every operation, so that one rule's strike does not delay another.
        for index in rules.indices {
            let matches = rules[index].matches(call, &random)
            if matches, drawn == nil { drawn = index }
        }
        return drawn.map { rules[$0].fault }
    }

    /// Uses up the rule that was drawn last.
    mutating func spend() {
        guard let index = drawn else { return }
        rules[index].spend()
        drawn = nil
    }
}
