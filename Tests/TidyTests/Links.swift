/// Finds where a page of Markdown points inside the repository.
enum Links {
    /// The targets of relative links with their lines; code is passed over.
    static func relative(_ text: String) -> [Finding] {
        var fenced = false
        return lines(of: text).enumerated().flatMap { index, line -> [Finding] in
            if line.trimmed.hasPrefix("```") {
                fenced.toggle()
                return []
            }
            guard !fenced else { return [] }
            let prose = line.replacing(/`[^`]*`/, with: "code")
            let inline = prose.matches(of: /\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)/).map {
                String($0.1)
            }
            let reference =
                prose.prefixMatch(of: /\[[^\]]+\]:\s+(\S+)/).map { [String($0.1)] } ?? []
            return (inline + reference).filter(isRelative).map {
                Finding(line: index + 1, what: String($0.prefix { $0 != "#" }))
            }
        }
    }

    private static func isRelative(_ target: String) -> Bool {
        target.prefixMatch(of: /[a-zA-Z][a-zA-Z+.\-]*:|#/) == nil
    }

    /// The links of a page that lead nowhere.
    static func broken(
        _ text: String,
        path: String,
        exists: (String) -> Bool
    ) -> [Finding] {
        relative(text).filter { !(resolve($0.what, from: path).map(exists) ?? false) }
    }

    /// The path from the root; nil for one that leaves the repository.
    static func resolve(_ target: String, from page: String) -> String? {
        var parts = target.hasPrefix("/") ? [] : Array(page.split(separator: "/").dropLast())
        for part in target.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                return nil
            }
        }
        return parts.joined(separator: "/")
    }
}
