import DiskIO
import Oxbow

/// Shows on a terminal how far long work has come: nothing in the first second, and nothing at all
/// where messages go to a file.
package final class Progress {
    private let output: Output
    private let action: String
    private let isShown: Bool
    private let began: UInt64
    private var last: UInt64
    private var width = 0

    package init(_ action: String, _ output: Output) {
        self.output = output
        self.action = action
        isShown = output.messagesGoToTerminal
        began = Self.milliseconds()
        last = began
    }

    package func update(_ text: @autoclosure () -> String) {
        guard isShown else { return }
        let now = Self.milliseconds()
        guard now - began >= 1000, now - last >= 100 else { return }
        last = now
        let line = "\(action): \(text())"
        let space = String(repeating: " ", count: max(0, width - line.count))
        output.note("\r" + line + space)
        width = line.count
    }

    /// Ends long work that nobody waits for any more.
    package func expectReader() throws(Failure) { try output.expectReader() }

    /// Takes away what was shown.
    package func finish() {
        guard width > 0 else { return }
        output.note("\r" + String(repeating: " ", count: width) + "\r")
        width = 0
    }

    private static func milliseconds() -> UInt64 { SystemClock().monotonic() / 1_000_000 }
}

extension LogTime {
    /// What the machine's clock says.
    static var now: LogTime {
        LogTime(rawValue: SystemClock().now())
    }
}
