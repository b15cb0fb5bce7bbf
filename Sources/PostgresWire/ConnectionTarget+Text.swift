import Primitives

extension ConnectionTarget {
    /// Reads the name of a database as a client gives it.
    package init(parsing name: WireString) throws(WireError) {
        let at = UInt8(ascii: "@")
        let bytes = name.bytes
        var database: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == at {
                guard place + 1 < bytes.count, bytes[place + 1] == at else { break }
                place += 1
            }
            database.append(bytes[place])
            place += 1
        }
        self.init(database: WireString(database))
        guard !database.isEmpty else {
            throw Self.invalid(name, "there is no name of a database before the \"@\"")
        }
        guard place < bytes.count else { return }
        try parse(branch: Array(bytes[(place + 1)...]), of: name)
    }

    private mutating func parse(branch rest: [UInt8], of name: WireString) throws(WireError) {
        var rest = rest[...]
        if rest.last == UInt8(ascii: "+") {
            isFork = true
            rest = rest.dropLast()
        }
        let end = rest.firstIndex(of: UInt8(ascii: "@")) ?? rest.endIndex
        let branch = String(decoding: rest[..<end], as: UTF8.self)
        guard BranchName.isValid(branch) else {
            throw Self.invalid(
                name,
                "\"\(branch.prefix(80))\" is no name of a branch; an \"@\" in the name of a "
                    + "database is written \"@@\""
            )
        }
        self.branch = branch
        guard end < rest.endIndex else { return }
        let text = String(decoding: rest[(end + 1)...], as: UTF8.self)
        guard let moment = RequestedMoment(text) else {
            throw Self.invalid(name, RequestedMoment.expectation(text))
        }
        self.moment = moment
    }

    private static func invalid(_ name: WireString, _ why: String) -> WireError {
        WireError(
            .undefinedDatabase,
            "database \"\(name.text.prefix(120))\" cannot be reached",
            detail: why
        )
    }
}

extension ConnectionTarget {
    /// The name of a database that reads as this target; nil for a moment or a fork of the default
    /// branch, which only options can ask for.
    package var databaseName: WireString? {
        let at = UInt8(ascii: "@")
        var bytes = database.bytes.flatMap { $0 == at ? [at, at] : [$0] }
        guard let branch else {
            return moment == nil && !isFork ? WireString(bytes) : nil
        }
        bytes += Array("@\(branch)".utf8)
        if let moment { bytes += Array("@\(moment)".utf8) }
        if isFork { bytes.append(UInt8(ascii: "+")) }
        return WireString(bytes)
    }
}

extension RequestedMoment: CustomStringConvertible {
    /// Reads a moment by its form; nil for a text that has none of the forms.
    package init?(_ text: String) {
        if text == "head" {
            self = .head
        } else if let lsn = LSN(text) {
            self = .lsn(lsn)
        } else if let position = Self.walPosition(text) {
            self = .walPosition(position)
        } else if LogTime(rfc3339: text) != nil {
            self = .time(text)
        } else if Self.isDuration(text) {
            self = .ago(text)
        } else if BranchName.isValid(text) {
            self = .snapshot(text)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .head: "head"
        case .lsn(let lsn): lsn.description
        case .walPosition(let position):
            String(position >> 32, radix: 16, uppercase: true) + "/"
                + String(position & 0xFFFF_FFFF, radix: 16, uppercase: true)
        case .time(let text), .ago(let text), .snapshot(let text): text
        }
    }

    package static func expectation(_ text: String) -> String {
        "\"\(text.prefix(80))\" is no moment; one is written as a time with its zone "
            + "(2026-04-08T22:56:02Z), a time back (10m), a position (L16B3F28 or 0/16B3F28), the "
            + "name of a snapshot, or head"
    }

    /// Two numbers of one to eight hexadecimal digits with a slash between.
    private static func walPosition(_ text: String) -> UInt64? {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2, let high = hexadecimal(parts[0]), let low = hexadecimal(parts[1])
        else { return nil }
        return high << 32 | low
    }

    private static func hexadecimal(_ digits: Substring.UTF8View) -> UInt64? {
        guard (1...8).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for byte in digits {
            guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    private static func isDuration(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let number = bytes.prefix { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
        let units: Set = ["ns", "us", "ms", "s", "m", "h", "d"]
        guard (1...20).contains(number.count), number.first != UInt8(ascii: "."),
            number.last != UInt8(ascii: "."),
            number.count(where: { $0 == UInt8(ascii: ".") }) <= 1
        else { return false }
        return units.contains(String(decoding: bytes[number.count...], as: UTF8.self))
    }
}
