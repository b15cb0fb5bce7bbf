import Foundation

/// What a run says, as a table and as JSON.
package struct Report: Codable, Sendable, Equatable {
    package var machine: [String: String]
    package var versions: [String: String]
    package var seed: UInt64
    package var results: [Outcome]
    /// What the steps of an experiment took; left out where there are none.
    package var steps: [Series]?

    package init(
        machine: [String: String],
        versions: [String: String],
        seed: UInt64,
        results: [Outcome],
        steps: [Series]? = nil
    ) {
        self.machine = machine
        self.versions = versions
        self.seed = seed
        self.results = results
        self.steps = steps
    }

    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    package static func load(_ path: String) throws -> Report {
        let data = try Data(contentsOf: URL(filePath: path))
        return try JSONDecoder().decode(Report.self, from: data)
    }

    package func table() -> String {
        var lines: [String] = []
        if let steps {
            lines = Self.lines(
                [["step", "with", "n", "p50", "p95", "p99", ""]] + steps.map(\.row)
            )
            lines.append("")
        }
        lines += Self.lines(
            [["what", "ours", "against", "which is", "ratio", "must", "aim", ""]]
                + results.map(\.row)
        )
        for outcome in results where !outcome.note.isEmpty {
            lines.append("\(outcome.name): \(outcome.note)")
        }
        let about = (machine.sorted { $0.key < $1.key } + versions.sorted { $0.key < $1.key })
            .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        lines.append("\(about), seed \(seed)")
        return lines.joined(separator: "\n")
    }

    /// Rows under a head, each column as wide as its widest value.
    private static func lines(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in
            rows.map { $0[column].count }.max() ?? 0
        }
        var lines = rows.map { row in
            zip(row, widths).map { pad($0, $1) }.joined(separator: "  ").trimmedRight
        }
        // What stands last may be a sentence, and needs no line under it.
        let ruled = widths.dropLast() + [min(widths.last ?? 0, 8)]
        lines.insert(
            ruled.map { String(repeating: "-", count: $0) }.joined(separator: "  "),
            at: 1
        )
        return lines
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: width - text.count)
    }

    /// What changed against an older report, and whether anything fails that passed.
    package func compared(with old: Report) -> (lines: [String], isWorse: Bool) {
        var lines: [String] = []
        var isWorse = false
        for new in results {
            guard let before = old.results.first(where: { $0.name == new.name }) else {
                lines.append("\(new.name): new")
                continue
            }
            let broke = before.pass == true && new.pass == false
            isWorse = isWorse || broke
            guard let was = before.ratio, let now = new.ratio else { continue }
            let change = was == 0 ? 0 : (now / was - 1) * 100
            lines.append(
                "\(new.name): \(Figure.ratio(was)) to \(Figure.ratio(now)) "
                    + "(\(change < 0 ? "" : "+")\(Int(change.rounded())) %)"
                    + (broke ? ", which passed and fails now" : "")
            )
        }
        return (lines, isWorse)
    }
}

extension Outcome {
    var row: [String] {
        let verdict =
            switch pass {
            case true?: (aim > must ? (ratio ?? 0) >= aim : (ratio ?? 0) <= aim) ? "aim" : "pass"
            case false?: "FAIL"
            case nil: "-"
            }
        return [
            name, Figure.value(ours, unit), Figure.value(reference, unit), referenceName,
            ratio.map(Figure.ratio) ?? "-", Figure.ratio(must), Figure.ratio(aim), verdict,
        ]
    }
}

/// Numbers as people read them.
enum Figure {
    static func value(_ value: Double?, _ unit: String) -> String {
        guard let value else { return "-" }
        return "\(short(value)) \(unit)"
    }

    static func ratio(_ value: Double) -> String { short(value) + "×" }

    static func short(_ value: Double) -> String {
        switch abs(value) {
        case 1000...: String(Int(value.rounded()))
        case 100...: String(format: "%.0f", value)
        case 10...: String(format: "%.1f", value)
        case 0.1...: String(format: "%.2f", value)
        default: String(format: "%.4g", value)
        }
    }
}

extension String {
    fileprivate var trimmedRight: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
