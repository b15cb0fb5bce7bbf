package import Oxbow

/// How things read to people.
package enum Text {
    /// A log time without the zeros that end its fraction: exact, and as short as that goes.
    package static func time(_ time: LogTime) -> String {
        var text = time.description
        guard text.hasSuffix("Z") else { return text }
        text.removeLast()
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text + "Z"
    }

    /// A count of bytes in the largest unit that leaves it above one.
    package static func bytes(_ count: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var unit = 0
        var scale: UInt64 = 1
        while unit < units.count - 1, count / scale >= 1024 {
            unit += 1
            scale <<= 10
        }
        if unit == 0 { return "\(count) B" }
        // In tenths, without floating point: 1,048,575 B are not 1.0 MiB.
        let whole = count / scale
        let tenths = (count % scale) / (scale / 10)
        return "\(whole).\(min(9, tenths)) \(units[unit])"
    }

    package static func bytes(_ count: Int) -> String { bytes(UInt64(max(0, count))) }

    /// A number and its noun: `1 page`, `2 pages`.
    package static func count(_ number: some BinaryInteger, _ noun: String) -> String {
        "\(number) \(noun)" + (number == 1 ? "" : "s")
    }

    /// A duration in the two largest units: `3d 4h`, `12.3 s`.
    package static func duration(_ duration: Duration) -> String {
        let nanoseconds = duration.wholeNanoseconds.magnitude
        let seconds = nanoseconds / 1_000_000_000
        switch nanoseconds {
        case ..<1_000: return "\(nanoseconds) ns"
        case ..<1_000_000: return "\(nanoseconds / 1_000) us"
        case ..<1_000_000_000: return "\(nanoseconds / 1_000_000) ms"
        case ..<60_000_000_000: return "\(seconds).\(nanoseconds / 100_000_000 % 10) s"
        case ..<3_600_000_000_000: return "\(seconds / 60)m \(seconds % 60)s"
        case ..<86_400_000_000_000: return "\(seconds / 3600)h \(seconds / 60 % 60)m"
        default: return "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
        }
    }

    package static func author(_ author: Author) -> String? {
        let labels = author.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let parts = (author.actor.isEmpty ? [] : [author.actor]) + labels
        return parts.isEmpty ? nil : parts.map(plain).joined(separator: " ")
    }

    /// Text from a store, fit for one line of a terminal: control characters could do anything.
    package static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "\u{FFFD}" : $0
                }
            )
        )
    }

    package static func trimmed(_ text: String) -> String {
        var text = text
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }

    /// Breaks a text into lines at its spaces.
    package static func wrap(_ text: String, _ width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
