/// Brings a password into the form in which both sides hash it (RFC 4013), as PostgreSQL does it:
/// ASCII stays as it is, and so does what is not UTF-8 or not allowed, so that there is no password
/// that cannot be used.
package enum SASLprep {
    package static func prepare(_ password: [UInt8]) -> [UInt8] {
        guard password.contains(where: { $0 >= 0x80 }),
            let text = String(validating: password, as: UTF8.self)
        else { return password }
        let mapped = text.unicodeScalars.map(\.value).compactMap { code -> UInt32? in
            if Tables.spaces.contains(code) { return 0x20 }
            return Tables.nothing.contains(code) ? nil : code
        }
        guard !mapped.isEmpty, !mapped.contains(where: Tables.refused.contains),
            isOneDirection(mapped)
        else { return password }
        var prepared: [UInt8] = []
        for code in UnicodeForm.composed(UnicodeForm.decomposed(mapped)) {
            guard let scalar = Unicode.Scalar(code) else { return password }
            prepared.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
        return prepared
    }

    /// RFC 3454, section 6: where there is a letter from right to left there is none the other way,
    /// and the text begins and ends with such a letter.
    private static func isOneDirection(_ codes: [UInt32]) -> Bool {
        guard codes.contains(where: Tables.rightToLeft.contains), let first = codes.first,
            let last = codes.last
        else { return true }
        return !codes.contains(where: Tables.leftToRight.contains)
            && Tables.rightToLeft.contains(first) && Tables.rightToLeft.contains(last)
    }
}

extension SASLprep {
    /// Runs of characters, in order.
    struct CodeRanges: Sendable {
        private let ranges: [ClosedRange<UInt32>]

        /// Of each run: how far it is from the end of the one before, and how long.
        init(_ text: String) {
            var numbers = Numbers(text)
            var ranges: [ClosedRange<UInt32>] = []
            var last: UInt32 = 0
            while let gap = numbers.next(), let length = numbers.next() {
                let low = last + gap
                last = low + length
                ranges.append(low...last)
            }
            self.ranges = ranges
        }

        func contains(_ code: UInt32) -> Bool {
            var low = 0
            var high = ranges.count
            while low < high {
                let middle = (low + high) / 2
                if ranges[middle].contains(code) { return true }
                if ranges[middle].upperBound < code { low = middle + 1 } else { high = middle }
            }
            return false
        }
    }

    /// Takes varints, seven bits a byte, lowest first, from base64.
    struct Numbers {
        private let bytes: [UInt8]
        private var offset = 0

        init(_ text: String) { bytes = Base64.decode(Array(text.utf8)) ?? [] }

        mutating func next() -> UInt32? {
            var value: UInt32 = 0
            var shift: UInt32 = 0
            while offset < bytes.count {
                let byte = bytes[offset]
                offset += 1
                value |= UInt32(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            return nil
        }

        /// A difference, positive or negative.
        mutating func nextSigned() -> Int? {
            next().map { Int($0 >> 1) ^ -Int($0 & 1) }
        }
    }

    /// The tables, read when a password first needs them.
    enum Tables {
        static let spaces = CodeRanges(spacesText)
        static let nothing = CodeRanges(nothingText)
        static let refused = CodeRanges(refusedText)
        static let rightToLeft = CodeRanges(rightToLeftText)
        static let leftToRight = CodeRanges(leftToRightText)

        static let combiningClasses: [UInt32: UInt32] = {
            var numbers = Numbers(combiningClassesText)
            var classes: [UInt32: UInt32] = [:]
            var code: UInt32 = 0
            while let gap = numbers.next(), let kind = numbers.next() {
                code += gap
                classes[code] = kind
            }
            return classes
        }()

        static let compositions: [[UInt32]: UInt32] = {
            var numbers = Numbers(compositionsText)
            var compositions: [[UInt32]: UInt32] = [:]
            var code: UInt32 = 0
            while let gap = numbers.next(), let first = numbers.next(), let second = numbers.next()
            {
                code += gap
                compositions[[first, second]] = code
            }
            return compositions
        }()

        /// Each is written against the character before it, since many follow one another.
        static let decompositions: [UInt32: [UInt32]] = {
            var numbers = Numbers(decompositionsText)
            var decompositions: [UInt32: [UInt32]] = [:]
            var code: UInt32 = 0
            var target = 0
            while let gap = numbers.next(), let count = numbers.next() {
                code += gap
                var parts: [UInt32] = []
                for _ in 0..<count {
                    guard let step = numbers.nextSigned() else { return decompositions }
                    target += step + 1
                    parts.append(UInt32(target))
                }
                decompositions[code] = parts
            }
            return decompositions
        }()
    }
}
