/// Unicode's form NFKC, for the characters that a password may have.
enum UnicodeForm {
    private typealias Tables = SASLprep.Tables

    // Hangul is composed by rule: a leading consonant, a vowel and perhaps a trailing consonant.
    private static let syllables: UInt32 = 0xAC00
    private static let leading: UInt32 = 0x1100
    private static let vowels: UInt32 = 0x1161
    private static let trailing: UInt32 = 0x11A7
    private static let leadingCount: UInt32 = 19
    private static let vowelCount: UInt32 = 21
    private static let trailingCount: UInt32 = 28

    /// Every character taken apart, the marks behind one in the order of their classes.
    static func decomposed(_ codes: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        for code in codes {
            if let parts = Tables.decompositions[code] {
                result += parts
            } else if code >= syllables,
                code < syllables + leadingCount * vowelCount * trailingCount
            {
                let index = code - syllables
                result.append(leading + index / (vowelCount * trailingCount))
                result.append(vowels + index / trailingCount % vowelCount)
                if index % trailingCount > 0 { result.append(trailing + index % trailingCount) }
            } else {
                result.append(code)
            }
        }
        order(&result)
        return result
    }

    private static func kind(_ code: UInt32) -> UInt32 { Tables.combiningClasses[code] ?? 0 }

    /// Orders runs of marks, keeping the order of those of one class.
    private static func order(_ codes: inout [UInt32]) {
        var start = 0
        while start < codes.count {
            var end = start + 1
            if kind(codes[start]) > 0 {
                while end < codes.count, kind(codes[end]) > 0 { end += 1 }
                let run = codes[start..<end].enumerated().sorted {
                    (kind($0.element), $0.offset) < (kind($1.element), $1.offset)
                }
                codes.replaceSubrange(start..<end, with: run.map(\.element))
            }
            start = end
        }
    }

    /// Puts together what composes.
    static func composed(_ codes: [UInt32]) -> [UInt32] {
        guard let first = codes.first else { return [] }
        var result = [first]
        var starter = 0
        var lastKind = kind(first) > 0 ? 256 : UInt32(0)
        for code in codes.dropFirst() {
            let kind = kind(code)
            // A mark is kept from its base by one of the same or a higher class between.
            let isFree = lastKind < kind || lastKind == 0
            if isFree, let whole = composition(result[starter], code) {
                result[starter] = whole
                continue
            }
            if kind == 0 { starter = result.count }
            lastKind = kind
            result.append(code)
        }
        return result
    }

    private static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if first >= leading, first < leading + leadingCount, second >= vowels,
            second < vowels + vowelCount
        {
            let index = (first - leading) * vowelCount + second - vowels
            return syllables + index * trailingCount
        }
        if first >= syllables, first < syllables + leadingCount * vowelCount * trailingCount,
            (first - syllables).isMultiple(of: trailingCount), second > trailing,
            second < trailing + trailingCount
        {
            return first + second - trailing
        }
        return Tables.compositions[[first, second]]
    }
}
