/// Where a text breaks a law, and how.
struct Finding: Equatable, Sendable, CustomStringConvertible {
    /// Counted from one; 0 where the whole text is meant.
    let line: Int
    let what: String

    var description: String { line == 0 ? what : "line \(line): \(what)" }
}

/// The lines of a text; what follows the last line's end is no line.
func lines(of text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
}

extension String {
    var trimmed: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { start[...$0] } ?? ""
    }

    /// Whether the line is a comment and nothing else.
    var isComment: Bool { trimmed.hasPrefix("//") }
}
