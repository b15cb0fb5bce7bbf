/// The laws of a source text. Each is a function from a text to what is wrong with it, so that the
/// controls can show it a text that breaks the law.
enum Laws {
    static let lineLimit = 400
    static let columnLimit = 100

    static func size(_ text: String) -> [Finding] {
        let lines = lines(of: text)
        var findings = lines.enumerated().compactMap { index, line in
            line.count <= columnLimit
                ? nil : Finding(line: index + 1, what: "\(line.count) columns")
        }
        if lines.count > lineLimit {
            findings.append(Finding(line: 0, what: "\(lines.count) lines"))
        }
        return findings
    }

    /// What stands for work not done, or for an end that nobody chose.
    static func bannedWords(_ text: String, printing: Bool) -> [Finding] {
        matches(of: /try!|\bas!|\bfatalError\(|\b(FIXME|TODO|XXX)\b/, in: text)
            + (printing ? [] : matches(of: /\b(debugPrint|print)\(/, in: text))
    }

    /// Time and randomness that no seed drives.
    static func unseeded(_ text: String) -> [Finding] {
        matches(
            of:
                #/
                \b(?: clock_gettime | gettimeofday | getrandom | SystemRandomNumberGenerator
                    | (?: Continuous | Suspending ) Clock )\b
                | \.random\( | \.randomElement\(\) | \.shuffled?\(\) | \b(?: Date | UUID )\(\)
                /#,
            in: text
        )
    }

    static func imports(_ text: String, of banned: Set<String>) -> [Finding] {
        let form = /^(?:@\w+(?:\(\w+\))?\s+|\w+\s+)*import\s+(?:\w+\s+)?(\w+)/
        return lines(of: text).enumerated().compactMap { index, line in
            guard !line.isComment, let match = line.trimmed.prefixMatch(of: form) else {
                return nil
            }
            let module = String(match.1)
            return banned.contains(module)
                ? Finding(line: index + 1, what: "import \(module)") : nil
        }
    }

    /// A promise to the compiler needs its reason directly above it, in a comment that begins with
    /// why it is safe.
    static func unexplainedPromises(_ text: String) -> [Finding] {
        let lines = lines(of: text)
        return lines.enumerated().compactMap { index, line in
            guard !line.isComment,
                let promise = line.firstMatch(of: /@unchecked Sendable|nonisolated\(unsafe\)/),
                !above(start(of: index, in: lines), in: lines).contains(where: {
                    $0.isComment && $0.contains("Safe")
                })
            else { return nil }
            return Finding(line: index + 1, what: "\(promise.0) without a comment that says Safe")
        }
    }

    static func undocumentedPublic(_ text: String) -> [Finding] {
        let declaration = /^(?:@\w+(?:\([^)]*\))?\s+|[a-z]+\s+)*public\s+(?!import\b|extension\b)\w/
        let lines = lines(of: text)
        return lines.enumerated().compactMap { index, line in
            guard line.trimmed.prefixMatch(of: declaration) != nil,
                !above(index, in: lines).contains(where: { $0.trimmed.hasPrefix("///") })
            else { return nil }
            return Finding(line: index + 1, what: "no doc comment: \(line.trimmed)")
        }
    }

    /// The types that a module's sources declare under its own name.
    static func namedLikeType(_ text: String, module: String) -> [Finding] {
        let form = /\b(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)/
            .wordBoundaryKind(.simple)
        return lines(of: text).enumerated().compactMap { index, line in
            guard !line.isComment,
                line.matches(of: form).contains(where: { $0.1 == module })
            else { return nil }
            return Finding(line: index + 1, what: "a type named like its module \(module)")
        }
    }

    /// Paths of one machine, which tell a reader nothing and may tell a stranger too much.
    static func machinePaths(_ text: String) -> [Finding] {
        // In two parts, so that this file keeps its own law.
        let folders = ["work", "root", "home"]
        return folders.flatMap { folder in
            lines(of: text).enumerated().compactMap { index, line in
                var rest = line[...]
                while let place = rest.firstRange(of: "/" + folder + "/") {
                    let before = line[..<place.lowerBound].last
                    // Under a folder of ours it is ours; only a path from the top is a machine's.
                    if before.map({ $0.isLetter || $0.isNumber || "._-})".contains($0) }) != true {
                        return Finding(line: index + 1, what: "a path of one machine: \(line)")
                    }
                    rest = rest[place.upperBound...]
                }
                return nil
            }
        }
    }

    private static func matches<Output>(of form: Regex<Output>, in text: String) -> [Finding] {
        lines(of: text).enumerated().flatMap { index, line in
            // Simple, since by Unicode's rules a dot between letters ends no word.
            line.matches(of: form.wordBoundaryKind(.simple)).map { match in
                Finding(line: index + 1, what: "avoid \(line[match.range])")
            }
        }
    }

    /// The line on which the declaration begins that reaches to this line.
    private static func start(of index: Int, in lines: [String]) -> Int {
        let keyword = /\b(?:struct|class|enum|actor|extension|let|var|func|case)\b/
            .wordBoundaryKind(.simple)
        var start = index
        while start > 0, index - start < 6, lines[start].firstMatch(of: keyword) == nil {
            start -= 1
        }
        return lines[start].firstMatch(of: keyword) == nil ? index : start
    }

    /// The comments and attributes that stand directly above a line.
    private static func above(_ index: Int, in lines: [String]) -> [String] {
        Array(
            lines[..<index].reversed().prefix { $0.isComment || $0.trimmed.hasPrefix("@") }
        )
    }
}
