/// What several runs of one step took: for the table of steps, beside the results.
package struct Series: Codable, Sendable, Equatable {
    /// The step, and what it was done with.
    package var step: String
    package var system: String
    package var unit: String
    package var count: Int
    package var p50: Double?
    package var p95: Double?
    package var p99: Double?
    /// Where somebody else's figure was taken from: then it was not measured here.
    package var source: String?
    /// Why there is no figure.
    package var reason: String?

    package init(_ step: String, _ system: String, unit: String = "ms", _ values: [Double]) {
        self.step = step
        self.system = system
        self.unit = unit
        count = values.count
        if !values.isEmpty {
            p50 = Measure.median(values)
            p95 = Measure.percentile(0.95, of: values)
            p99 = Measure.percentile(0.99, of: values)
        }
    }

    /// Somebody else's figure.
    package static func published(
        _ step: String,
        _ system: String,
        _ value: Double,
        source: String
    ) -> Series {
        var series = Series(step, system, [])
        series.p50 = value
        series.source = source
        return series
    }

    /// What could not be measured, and why.
    package static func missing(_ step: String, _ system: String, _ reason: String) -> Series {
        var series = Series(step, system, [])
        series.reason = reason
        return series
    }

    var row: [String] {
        let note =
            source.map { "published, not measured here: \($0)" }
            ?? reason.map { "not measured: \($0)" } ?? ""
        return [
            step, system, count == 0 ? "-" : "\(count)", Figure.value(p50, unit),
            Figure.value(p95, unit), Figure.value(p99, unit), note,
        ]
    }
}
