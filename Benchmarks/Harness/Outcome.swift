/// What one line of the table says: ours, what it is held against, and how it has to compare.
///
/// `must` and `aim` are bounds of `ratio`, which is ours over the reference. Where the aim lies
/// above what must be reached, more is better; elsewhere less is.
package struct Outcome: Codable, Sendable, Equatable {
    package var name: String
    package var ours: Double?
    package var reference: Double?
    package var referenceName: String
    package var unit: String
    package var ratio: Double?
    package var must: Double
    package var aim: Double
    /// Nil where the run was too small to judge, or there was nothing to hold ours against.
    package var pass: Bool?
    /// For the table only: what a reader should know of how it was measured.
    package var note = ""

    enum CodingKeys: String, CodingKey {
        case name, ours, reference, referenceName, unit, ratio, must, aim, pass
    }

    package init(
        _ name: String,
        ours: Double?,
        reference: Double?,
        _ referenceName: String,
        unit: String,
        must: Double,
        aim: Double,
        isJudged: Bool,
        note: String = ""
    ) {
        self.name = name
        self.ours = ours
        self.reference = reference
        self.referenceName = referenceName
        self.unit = unit
        self.must = must
        self.aim = aim
        self.note = note
        if let ours, let reference, reference > 0 { ratio = ours / reference }
        if isJudged, let ratio { pass = aim > must ? ratio >= must : ratio <= must }
    }

    /// A time, or a number of bytes, that must stay under a bound: which is the reference.
    package init(
        _ name: String,
        ours: Double,
        bound: Double,
        aim: Double,
        unit: String,
        isJudged: Bool,
        note: String = ""
    ) {
        self.init(
            name,
            ours: ours,
            reference: bound,
            "bound",
            unit: unit,
            must: 1,
            aim: aim / bound,
            isJudged: isJudged,
            note: note
        )
    }

    /// A line whose peers are not there.
    package static func notMeasured(
        _ name: String,
        ours: Double?,
        unit: String,
        must: Double,
        aim: Double
    ) -> Outcome {
        Outcome(
            name,
            ours: ours,
            reference: nil,
            "not measured (build with --traits Peers)",
            unit: unit,
            must: must,
            aim: aim,
            isJudged: false
        )
    }

    /// Every key stands in the object, also where there is nothing to say.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(ours, forKey: .ours)
        try container.encode(reference, forKey: .reference)
        try container.encode(referenceName, forKey: .referenceName)
        try container.encode(unit, forKey: .unit)
        try container.encode(ratio, forKey: .ratio)
        try container.encode(must, forKey: .must)
        try container.encode(aim, forKey: .aim)
        try container.encode(pass, forKey: .pass)
    }
}
