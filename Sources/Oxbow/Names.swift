/// The names of branches and named snapshots, which share one namespace.
public enum Name {
    /// What a name must look like.
    public static let rule = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"

    /// Whether a text keeps to ``rule``: 1 to 63 of `a` to `z`, `0` to `9` and `-`, beginning with
    /// a letter and not ending in `-`.
    public static func isValid(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { bytes in
            guard let first = unsafe bytes.first, let last = unsafe bytes.last,
                bytes.count <= 63
            else { return false }
            let dash = UInt8(ascii: "-")
            return isLetter(first) && last != dash
                && (unsafe bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == dash })
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func check(_ name: String) throws(OxbowError) {
        guard isValid(name) else {
            throw OxbowError(
                .invalid,
                "the name \"\(name.prefix(80))\" is not allowed: names match \(rule) (1 to 63 "
                    + "lower-case letters, digits and dashes, a letter first, no dash last)"
            )
        }
    }
}
