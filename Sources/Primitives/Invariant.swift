/// Stops the program where a law of the code does not hold. Kept in release builds: a store that
/// has lost its footing must crash before it writes.
@inlinable
package func invariant(
    _ condition: @autoclosure () -> Bool,
    _ message: @autoclosure () -> String,
    file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition() { broken(message(), file: file, line: line) }
}

@usableFromInline
@inline(never)
func broken(_ message: String, file: StaticString, line: UInt) -> Never {
    preconditionFailure("invariant broken at \(file):\(line): \(message)", file: file, line: line)
}
