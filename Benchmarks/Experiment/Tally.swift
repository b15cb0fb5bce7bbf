import Foundation

/// What the same thing took, again and again, in seconds: until it was durable, until a client was
/// let in, until that had its first row.
struct Tally {
    private(set) var durable: [Double] = []
    private(set) var authenticated: [Double] = []
    private(set) var firstRow: [Double] = []

    mutating func add(durable: Double?, _ arrival: Session.Arrival) {
        if let durable { self.durable.append(durable) }
        authenticated.append(arrival.authenticated)
        firstRow.append(arrival.firstRow)
    }

    var median: Double? { firstRow.isEmpty ? nil : Measure.median(firstRow) }

    func record(_ step: String, _ system: String, in laboratory: Laboratory) {
        if firstRow.isEmpty { return }
        if !durable.isEmpty {
            laboratory.record("\(step), durable", system, seconds: durable)
        }
        laboratory.record("\(step), let in", system, seconds: authenticated)
        laboratory.record("\(step), first row", system, seconds: firstRow)
    }
}

extension Laboratory {
    /// A line of the results: a time of ours against another's, both in seconds.
    func outcome(
        _ name: String,
        _ ours: Double?,
        _ reference: Double?,
        _ referenceName: String,
        must: Double,
        aim: Double,
        isJudged: Bool? = nil,
        note: String = ""
    ) -> Outcome {
        Outcome(
            name,
            ours: ours.map { $0 * 1_000 },
            reference: reference.map { $0 * 1_000 },
            reference == nil ? "not measured: \(referenceName)" : referenceName,
            unit: "ms",
            must: must,
            aim: aim,
            isJudged: isJudged ?? (context.scale != .tiny),
            note: note
        )
    }

    /// Has PostgreSQL write down what earlier steps left to do, so that no later one pays for it.
    func rest(_ login: Login) throws {
        let session = try Session(login)
        defer { session.end() }
        try session.query("CHECKPOINT")
    }

    /// Measures ours, unless only the others were asked for.
    func ifOurs<Result>(_ body: (OxbowServer, Session) throws -> Result) throws -> Result? {
        if arguments.isPeersOnly { return nil }
        return try body(ours(), console())
    }

    /// Does everything in turn so many times, the order turned round each time.
    func inTurn(_ count: Int, _ steps: [(Int) throws -> Void]) throws {
        for round in 0..<count {
            for step in round % 2 == 0 ? steps : steps.reversed() { try step(round) }
        }
    }
}
