/// Rows in the text format of `COPY`: columns apart by tabs, a line to a row.
struct RowBuffer {
    private(set) var bytes: [UInt8] = []
    private var isAtStart = true

    var count: Int { bytes.count }

    /// Takes what was collected, and starts anew.
    mutating func take() -> [UInt8] {
        defer {
            bytes = []
            bytes.reserveCapacity(CatalogRows.pieceBytes + 8 << 10)
        }
        return bytes
    }

    /// Begins a column.
    mutating func column() {
        if !isAtStart { bytes.append(UInt8(ascii: "\t")) }
        isAtStart = false
    }

    mutating func endRow() {
        bytes.append(UInt8(ascii: "\n"))
        isAtStart = true
    }

    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func append(_ text: [UInt8]) { bytes.append(contentsOf: text) }

    mutating func append(_ number: Int) {
        if number >= 10 { append(number / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    /// A column that is a text, or a null.
    mutating func column(_ text: String?) {
        column()
        append(text ?? "\\N")
    }

    mutating func column(_ text: [UInt8]) {
        column()
        append(text)
    }

    mutating func column(_ number: Int) {
        column()
        append(number)
    }

    /// So many digits of base 16.
    mutating func appendHexadecimal(_ number: UInt64, digits: Int) {
        for place in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: number >> (4 * UInt64(place)) & 15)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
    }

    /// A time of one day in spring, so many seconds after it began.
    mutating func columnTime(_ seconds: Int) {
        column()
        append("2026-04-08 ")
        for (index, part) in [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].enumerated() {
            if index > 0 { append(":") }
            if part < 10 { append("0") }
            append(part)
        }
        append("+00")
    }
}
