/// The targets of a manifest, read from its text: its order is the architecture, and no tool says
/// what stands above what.
struct PackageManifest {
    struct Target: Equatable {
        let name: String
        let dependencies: [String]
    }

    let targets: [Target]

    init(_ text: String) {
        let code = lines(of: text).filter { !$0.isComment }.joined(separator: "\n")
        let form =
            #/
            (?: \blayer | \btests | \.systemLibrary | \.(?: test | executable | binary )?[tT]arget )
            \(\s* (?:name:\s*)? "(\w+)"
            /#
        var targets: [Target] = []
        var rest = code[...]
        while let match = rest.firstMatch(of: form) {
            // A target named inside another's declaration is a dependency, and is passed over.
            let end = Self.end(of: code[match.range.lowerBound...])
            let body = code[match.range.upperBound..<end]
            targets.append(Target(name: String(match.1), dependencies: Self.dependencies(body)))
            rest = code[end...]
        }
        self.targets = targets
    }

    /// What depends on a target that is not declared above it.
    var outOfOrder: [Finding] {
        var known: Set<String> = []
        return targets.flatMap { target in
            defer { known.insert(target.name) }
            return target.dependencies.filter { !known.contains($0) }.map {
                Finding(line: 0, what: "\(target.name) depends on \($0), which is not above it")
            }
        }
    }

    /// Where the parentheses that open next are closed again, strings passed over.
    private static func end(of code: Substring) -> Substring.Index {
        var depth = 0
        var quoted = false
        for index in code.indices {
            switch code[index] {
            case "\"": quoted.toggle()
            case "(" where !quoted: depth += 1
            case ")" where !quoted:
                depth -= 1
                if depth == 0 { return code.index(after: index) }
            default: break
            }
        }
        return code.endIndex
    }

    /// The names in the list of dependencies: the labelled one, or the one that follows the name.
    private static func dependencies(_ body: Substring) -> [String] {
        let list =
            body.firstMatch(of: /dependencies:\s*\[/)?.range.upperBound
            ?? body.prefixMatch(of: /\s*,\s*\[/)?.range.upperBound
        guard let list else { return [] }
        var depth = 1
        let inside = body[list...].prefix { character in
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            return depth > 0
        }
        // Another package's product is named like a target and is none.
        let own = inside.replacing(/\.product\([^)]*\)/, with: "")
        // The names of targets alone: `package:` and the like carry labels.
        return own.matches(of: /(?:^|[\[,(]|name:)\s*"(\w+)"/).map { String($0.1) }
    }
}
