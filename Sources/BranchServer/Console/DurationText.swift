/// Durations as people are told of them.
enum DurationText {
    /// In seconds, to the millisecond.
    static func seconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let thousandths = String(1000 + attoseconds / 1_000_000_000_000_000).dropFirst()
        return "\(seconds).\(thousandths) s"
    }
}
