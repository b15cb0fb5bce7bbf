/// How large a run is.
package enum Scale: String, Sendable {
    /// The sizes that the bounds are stated for.
    case full
    /// All benchmarks together in 45 seconds.
    case quick
    /// Only whether they run.
    case tiny

    package func pick<Value>(_ full: Value, quick: Value, tiny: Value) -> Value {
        switch self {
        case .full: full
        case .quick: quick
        case .tiny: tiny
        }
    }
}
