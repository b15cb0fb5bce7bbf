package import Oxbow

/// A branch as people name it: by its name, or by its id, which also finds deleted ones.
package enum BranchReference: Sendable, Equatable {
    case name(String)
    case id(BranchID)
}

/// A branch and a moment of it: `BRANCH`, `BRANCH@POINT`.
package struct BranchMoment: Sendable, Equatable {
    package let branch: BranchReference
    package let moment: AskedMoment
    /// The moment as it was written; nil where none was.
    package let text: String?
}

/// What a connection is for: `BRANCH`, `BRANCH@POINT`, or with a `+` a fork of it.
package struct ConnectionMoment: Sendable, Equatable {
    package let origin: BranchMoment
    /// Whether each connection gets a fork of its own.
    package let isFork: Bool
}

/// A moment of a branch, as people write it.
package enum AskedMoment: Sendable, Equatable {
    case moment(Moment)
    /// The first record at which PostgreSQL's log reached a position: `0/16B3F28`.
    case walPosition(UInt64)

    /// Whether the branch is meant as it is now.
    package var isNow: Bool { self == .moment(.head) }
    package var snapshotName: String? {
        if case .moment(.snapshot(let name)) = self { name } else { nil }
    }
    package var isSnapshot: Bool {
        if case .moment(let moment) = self { moment.isSnapshot } else { false }
    }
}

/// Where a reset leads: a moment of the branch itself, or of another.
package enum ResetTarget: Sendable, Equatable {
    case own(AskedMoment)
    case other(BranchMoment)
}

/// What somebody wants to be known of what they do.
package struct Label: Sendable, Equatable {
    package let key: String
    package let value: String
}

/// How the values of arguments are read.
package enum Values {
    package static func name(_ text: String) throws(Misuse) -> String {
        guard Name.isValid(text) else {
            throw Misuse(
                "\"\(shown(text))\" is no name: take 1 to 63 lower-case letters, digits and "
                    + "dashes, a "
                    + "letter first and no dash last"
            )
        }
        return text
    }

    package static func snapshotName(_ text: String) throws(Misuse) -> String {
        if text == "head" {
            throw Misuse("\"head\" means what a branch shows now: take another name")
        }
        return try name(text)
    }

    package static func branch(_ text: String) throws(Misuse) -> BranchReference {
        if let id = branchID(text) { return .id(id) }
        guard Name.isValid(text) else {
            let likely = text.last == "+" ? String(text.dropLast()) : text.lowercased()
            let hint = Name.isValid(likely) ? likely : "main"
            throw Misuse(
                "\"\(shown(text))\" is no branch: write its name, such as \(hint), or its id, such "
                    + "as B1000"
            )
        }
        return .name(text)
    }

    /// Reads `B` and hexadecimal digits.
    private static func branchID(_ text: String) -> BranchID? {
        guard text.hasPrefix("B") else { return nil }
        return LSN("L" + text.dropFirst()).map { BranchID(rawValue: $0.rawValue) }
    }

    package static func connectionMoment(_ text: String) throws(Misuse) -> ConnectionMoment {
        let isFork = text.last == "+"
        let origin = try branchMoment(isFork ? String(text.dropLast()) : text)
        return ConnectionMoment(origin: origin, isFork: isFork)
    }

    package static func branchMoment(_ text: String) throws(Misuse) -> BranchMoment {
        guard let at = text.firstIndex(of: "@") else {
            return BranchMoment(branch: try branch(text), moment: .moment(.head), text: nil)
        }
        let point = String(text[text.index(after: at)...])
        return BranchMoment(
            branch: try branch(String(text[..<at])),
            moment: try moment(point),
            text: point
        )
    }

    package static func moment(_ text: String) throws(Misuse) -> AskedMoment {
        if let position = walPosition(text) { return .walPosition(position) }
        do throws(OxbowError) { return .moment(try Moment(parsing: text)) } catch {
            throw Misuse(
                "\"\(shown(text))\" is no moment: write an LSN (L16B3F28), a time with its zone "
                    + "(2026-04-08T22:56:02Z), a time back (10m), a snapshot's name, a position of "
                    + "PostgreSQL's log (0/16B3F28), or head"
            )
        }
    }

    /// Two parts of up to eight hexadecimal digits; nil for other text.
    private static func walPosition(_ text: String) -> UInt64? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let numbers = parts.compactMap { part -> UInt64? in
            let isHex = part.utf8.allSatisfy { $0 < 0x80 } && part.allSatisfy(\.isHexDigit)
            return isHex && part.count <= 8 ? UInt64(part, radix: 16) : nil
        }
        return numbers.count == 2 ? numbers[0] << 32 | numbers[1] : nil
    }

    package static func resetTarget(_ text: String) throws(Misuse) -> ResetTarget {
        text.contains("@") ? .other(try branchMoment(text)) : .own(try moment(text))
    }

    package static func expiry(_ text: String) throws(Misuse) -> Expiry {
        if text == "never" { return .never }
        if let time = LogTime(rfc3339: text) { return .at(time) }
        if let duration = Duration(parsing: text), duration > .zero { return .after(duration) }
        throw Misuse(
            "\"\(shown(text))\" is no expiry: write how long from now (1h, 7d), a time with its "
                + "zone "
                + "(2026-04-08T22:56:02Z), or never"
        )
    }

    package static func lsn(_ text: String) throws(Misuse) -> LSN {
        guard let lsn = LSN(text) else {
            throw Misuse(
                "\"\(shown(text))\" is no LSN: write an L and hexadecimal digits, such as L16B3F28"
            )
        }
        return lsn
    }

    package static func label(_ text: String) throws(Misuse) -> Label {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw Misuse("\"\(shown(text))\" is no label: write KEY=VALUE, such as ticket=1432")
        }
        // By those the server knows the branches that are its own, and deletes them.
        guard !parts[0].unicodeScalars.starts(with: "oxbow.".unicodeScalars) else {
            throw Misuse(
                "\"\(shown(text))\": labels that begin with oxbow. are the server's own"
            )
        }
        return Label(key: String(parts[0]), value: String(parts[1]))
    }

    /// Reads a whole number within limits.
    package static func number<Number: FixedWidthInteger & Sendable>(
        _ what: String,
        _ range: ClosedRange<Number>
    ) -> @Sendable (String) throws(Misuse) -> Number {
        { text throws(Misuse) in
            // Digits alone: the standard library reads a sign too.
            guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = Number(text), range.contains(number)
            else {
                throw Misuse(
                    "\"\(shown(text))\" is no \(what): write a number from \(range.lowerBound) to "
                        + "\(range.upperBound)"
                )
            }
            return number
        }
    }

    /// Reads a count of bytes: `512`, `64K`, `64KiB`, `1G`.
    package static func byteCount(_ text: String) throws(Misuse) -> UInt64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [(String, UInt64)] = [("", 0), ("K", 10), ("M", 20), ("G", 30), ("T", 40)]
        let unit = text.dropFirst(digits.count).uppercased()
        guard let number = UInt64(digits),
            let shift = units.first(where: { unit == $0.0 || (unit == $0.0 + "IB" && $0.1 > 0) })?
                .1,
            number <= UInt64(Int64.max) >> shift
        else {
            throw Misuse(
                "\"\(shown(text))\" is no count of bytes: write a number, or one with K, M, G or T"
            )
        }
        return number << shift
    }

    /// Reads a power of two within limits.
    package static func powerOfTwo(
        _ what: String,
        _ range: ClosedRange<UInt64>
    ) -> @Sendable (String) throws(Misuse) -> UInt64 {
        { text throws(Misuse) in
            let number = try byteCount(text)
            guard range.contains(number), number & (number - 1) == 0 else {
                throw Misuse(
                    "\"\(shown(text))\" is no \(what): write a power of two from "
                        + "\(range.lowerBound) to "
                        + "\(range.upperBound)"
                )
            }
            return number
        }
    }

    package static func duration(_ text: String) throws(Misuse) -> Duration {
        guard let duration = Duration(parsing: text) else {
            throw Misuse(
                "\"\(shown(text))\" is no duration: write a number and a unit, such as 90s, 12h "
                    + "or 7d"
            )
        }
        return duration
    }

    /// Reads one of a few words.
    package static func choice(
        _ what: String,
        _ choices: [String]
    ) -> @Sendable (String) throws(Misuse) -> String {
        { text throws(Misuse) in
            guard choices.contains(text) else {
                throw Misuse("\"\(shown(text))\" is no \(what): write \(Parser.list(choices))")
            }
            return text
        }
    }

    package static func text(_ text: String) throws(Misuse) -> String { text }

    /// What was written, fit for one line.
    static func shown(_ text: String) -> String { Text.plain(String(text.prefix(60))) }
}

extension Moment {
    var isSnapshot: Bool {
        if case .snapshot = self { return true }
        return false
    }
}
