import Foundation

/// Calm output: a heading, numbered steps with their time, and a table at the end. Colours and a
/// moving line only where somebody looks.
final class Terminal {
    private let isQuiet: Bool
    private let isLive: Bool
    private var stepNumber = 0
    private var shownProgress = ""

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        let environment = ProcessInfo.processInfo.environment
        isLive =
            isatty(1) == 1 && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
    }

    func title(_ text: String) {
        if isQuiet { return }
        show(bold(text))
    }

    func note(_ text: String) {
        if isQuiet { return }
        clear()
        show("  " + text)
    }

    func step(_ text: String) {
        if isQuiet { return }
        stepNumber += 1
        show("\n" + bold("\(stepNumber). \(text)"))
    }

    /// A line with a figure at its end.
    func figure(_ text: String, _ figure: String) {
        if isQuiet { return }
        clear()
        let dots = String(repeating: ".", count: max(2, 62 - text.count))
        show("  \(text) \(dim(dots)) \(figure)")
    }

    /// What is being done: overwritten by what comes next, and not shown without a terminal.
    func progress(_ text: String) {
        guard isLive, !isQuiet, text != shownProgress else { return }
        shownProgress = text
        put("\r\u{1B}[K  \(dim(text))")
    }

    func table(_ rows: [[String]]) {
        clear()
        show("")
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for (index, row) in rows.enumerated() {
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }
            let line = "  " + cells.joined(separator: "   ")
            show(index == 0 ? dim(line) : line)
        }
    }

    func text(_ lines: [String]) { for line in lines { show(line.isEmpty ? "" : "  " + line) } }

    private func clear() {
        guard !shownProgress.isEmpty else { return }
        shownProgress = ""
        put("\r\u{1B}[K")
    }

    /// Past any buffer, so that what is shown is what is done.
    private func put(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
    private func show(_ text: String) { put(text + "\n") }

    private func bold(_ text: String) -> String { isLive ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
    private func dim(_ text: String) -> String { isLive ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
}

/// A number with commas: 7,690.
func grouped(_ number: Int) -> String {
    var digits = String(number)
    var groups: [String] = []
    while digits.count > 3 {
        groups.insert(String(digits.suffix(3)), at: 0)
        digits.removeLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
}

/// Megabytes of a million bytes, with one digit.
func megabytes(_ bytes: some BinaryInteger) -> String {
    let tenths = (Int(bytes) + 50_000) / 100_000
    return "\(grouped(tenths / 10)).\(tenths % 10) MB"
}

extension Duration {
    /// In the unit that fits, with three digits: 0.041 ms, 12.3 ms, 1.09 s.
    var inWords: String {
        let seconds = Double(components.seconds) + Double(components.attoseconds) * 1e-18
        let (value, unit) = seconds < 0.9995 ? (seconds * 1000, "ms") : (seconds, "s")
        let digits = value < 0.1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0
        return String(format: "%.\(digits)f \(unit)", value)
    }
}
