import Foundation

/// The steps as bars on a logarithmic scale, drawn as SVG.
package struct StepsFigure {
    private struct Bar {
        let label: String
        let kind: Kind
        let value: Double
        /// The 95th percentile, where there were several runs.
        let high: Double?
    }

    private enum Kind { case ours, other, published }

    private let groups: [(title: String, bars: [Bar])]
    private let footnote: String

    private static let left = 290.0
    private static let width = 860.0
    private static let barHeight = 16.0
    private static let rowHeight = 24.0
    private static let groupHeight = 34.0
    private static let margin = 28.0
    private static let decades = [1.0, 10, 100, 1_000, 10_000, 100_000]

    private static let titles = [
        ("branch, first row", "A branch of production, to its first row"),
        ("branch under load, first row", "The same while pgbench writes to production"),
        ("recovery, first row", "Production as it was before the accident, to its first row"),
        ("incident: branch, copy the rows home", "The whole incident: the rows are home again"),
    ]

    /// The figure of a report's steps.
    package init(_ report: Report) {
        groups = Self.titles.compactMap { step, title in
            let bars = (report.steps ?? []).filter { $0.step == step }.compactMap(Self.bar)
            return bars.isEmpty ? nil : (title, bars)
        }
        let machine = report.machine
        footnote =
            "Median, and the 95th percentile as a line. \(machine["cores"] ?? "?") cores, "
            + "\(machine["fileSystem"] ?? "?"), catalog: \(machine["catalog"] ?? "?"), PostgreSQL "
            + "\(report.versions["postgresql"] ?? "?"). Hatched: published, not measured here."
    }

    private static func bar(_ series: Series) -> Bar? {
        guard let value = series.p50, value > 0 else { return nil }
        let kind: Kind =
            series.source != nil ? .published : series.system.hasPrefix("oxbow") ? .ours : .other
        let high = series.count > 1 ? series.p95 : nil
        return Bar(label: series.system, kind: kind, value: value, high: high)
    }

    /// The figure, as a file has it.
    package var svg: String {
        let rows = groups.reduce(0.0) {
            $0 + Self.groupHeight + Double($1.bars.count) * Self.rowHeight
        }
        let height = Self.margin + rows + 2 * Self.margin
        let size = "\(Int(Self.width)) \(Int(height))"
        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" \
            font-family="sans-serif" font-size="13" role="img">
            <title>Time to the first row of a branch and of a recovery</title>
            <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" \
            patternTransform="rotate(45)"><rect width="6" height="6" fill="#eceff3"/>\
            <line x1="0" y1="0" x2="0" y2="6" stroke="#8a94a3" stroke-width="2"/></pattern></defs>
            <rect width="100%" height="100%" fill="#ffffff"/>
            """
        ]
        parts += Self.grid(height)
        var y = Self.margin
        for group in groups {
            parts.append(Self.text(16, y + 18, group.title, "font-weight=\"bold\""))
            y += Self.groupHeight
            for bar in group.bars {
                parts += Self.draw(bar, y)
                y += Self.rowHeight
            }
        }
        parts.append(Self.text(16, height - 12, footnote, "font-size=\"11\" fill=\"#5b6470\""))
        return (parts + ["</svg>", ""]).joined(separator: "\n")
    }

    private static func grid(_ height: Double) -> [String] {
        decades.flatMap { value in
            let x = place(value)
            let label = value < 1_000 ? "\(Int(value)) ms" : "\(Int(value / 1_000)) s"
            return [
                """
                <line x1="\(number(x))" y1="\(number(margin))" x2="\(number(x))" \
                y2="\(number(height - margin))" stroke="#dfe3e8"/>
                """,
                text(x, margin - 10, label, "text-anchor=\"middle\" fill=\"#5b6470\""),
            ]
        }
    }

    private static func draw(_ bar: Bar, _ y: Double) -> [String] {
        let fill =
            switch bar.kind {
            case .ours: "#1f6f8b"
            case .other: "#b7bfca"
            case .published: "url(#hatch)"
            }
        let end = place(bar.value)
        let middle = y + barHeight / 2
        var parts = [
            text(left - 10, y + 13, bar.label, "text-anchor=\"end\""),
            """
            <rect x="\(number(left))" y="\(number(y))" width="\(number(max(end - left, 1)))" \
            height="\(number(barHeight))" fill="\(fill)"/>
            """,
        ]
        var right = end
        if let high = bar.high, high > bar.value {
            right = place(high)
            parts.append(
                """
                <line x1="\(number(end))" y1="\(number(middle))" x2="\(number(right))" \
                y2="\(number(middle))" stroke="#39424e" stroke-width="2"/>
                """
            )
        }
        let words =
            bar.value < 1_000
            ? "\(Figure.short(bar.value)) ms" : "\(Figure.short(bar.value / 1_000)) s"
        parts.append(text(right + 6, y + 13, words, ""))
        return parts
    }

    private static func place(_ milliseconds: Double) -> Double {
        let lowest = decades[0]
        let highest = decades[decades.count - 1]
        let part = log10(max(milliseconds, lowest) / lowest)
        return left + (width - left - 90) * min(part / log10(highest / lowest), 1)
    }

    private static func text(_ x: Double, _ y: Double, _ text: String, _ style: String) -> String {
        let safe = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        return "<text x=\"\(number(x))\" y=\"\(number(y))\" \(style)>\(safe)</text>"
    }

    private static func number(_ value: Double) -> String {
        String((value * 10).rounded() / 10)
    }
}
