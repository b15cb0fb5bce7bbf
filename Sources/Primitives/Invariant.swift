import Glibc

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
    // Written here, since a release build drops the message of a precondition that fails.
    let text = Array("invariant broken at \(file):\(line): \(message)\n".utf8)
    _ = unsafe text.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    abort()
}
