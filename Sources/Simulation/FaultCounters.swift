/// How often each operation was called, and each fault struck it: the coverage of a run.
package struct FaultCounters: Hashable, Sendable {
    private var operations = [Int](repeating: 0, count: DiskOperation.allCases.count)
    private var faults = [Int](
        repeating: 0,
        count: DiskOperation.allCases.count * Fault.allCases.count
    )

    package init() {}

    package subscript(operation: DiskOperation) -> Int { operations[operation.rawValue] }

    package subscript(operation: DiskOperation, fault: Fault) -> Int {
        faults[Self.slot(operation, fault)]
    }

    mutating func count(_ operation: DiskOperation) { operations[operation.rawValue] += 1 }

    mutating func count(_ fault: Fault, on operation: DiskOperation) {
        faults[Self.slot(operation, fault)] += 1
    }

    private static func slot(_ operation: DiskOperation, _ fault: Fault) -> Int {
        operation.rawValue * Fault.allCases.count + fault.rawValue
    }

    /// Adds another run's numbers.
    package static func += (left: inout FaultCounters, right: FaultCounters) {
        for index in left.operations.indices { left.operations[index] += right.operations[index] }
        for index in left.faults.indices { left.faults[index] += right.faults[index] }
    }

    /// The total of a fault over all operations.
    package func total(_ fault: Fault) -> Int {
        DiskOperation.allCases.reduce(0) { $0 + self[$1, fault] }
    }
}

extension FaultCounters: CustomStringConvertible {
    /// A line for each operation that was called, with each fault that struck it.
    package var description: String {
        DiskOperation.allCases.filter { self[$0] > 0 }.map { operation in
            let struck = Fault.allCases.filter { self[operation, $0] > 0 }
            return "\(operation) \(self[operation])"
                + struck.map { "  \($0) \(self[operation, $0])" }.joined()
        }.joined(separator: "\n")
    }
}
