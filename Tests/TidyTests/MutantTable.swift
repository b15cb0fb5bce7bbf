/// A seeded bug, as the tables in Tests/Mutants tell of it: see `scripts/mutants`.
struct Mutant: Equatable {
    /// Neighbouring lines of one file: kept, taken away and put in.
    struct Hunk: Equatable {
        let file: String
        var lines: [(kind: Character, text: String)] = []

        /// What must be in the file once.
        var old: [String] { lines.filter { $0.kind != "+" }.map(\.text) }
        var new: String { lines.filter { $0.kind == "+" }.map(\.text).joined(separator: "\n") }

        static func == (left: Hunk, right: Hunk) -> Bool {
            left.file == right.file && left.lines.elementsEqual(right.lines) { $0 == $1 }
        }
    }

    let name: String
    var what = ""
    var tests: [String] = []
    var hunks: [Hunk] = []
}

enum MutantTable {
    /// Reads a table: `mutant`, `what`, `tests` and `at` begin a line; hunks look as in a patch.
    static func read(_ text: String) -> [Mutant] {
        var mutants: [Mutant] = []
        for line in lines(of: text) {
            guard let first = line.first, first != "#" else { continue }
            if " +-".contains(first) {
                guard let last = mutants.indices.last,
                    let hunk = mutants[last].hunks.indices.last
                else { continue }
                mutants[last].hunks[hunk].lines.append((first, String(line.dropFirst())))
                continue
            }
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            let rest = words.count > 1 ? words[1] : ""
            if words[0] == "mutant" {
                mutants.append(Mutant(name: rest))
                continue
            }
            guard let last = mutants.indices.last else { continue }
            switch words[0] {
            case "what": mutants[last].what += rest
            case "tests": mutants[last].tests = rest.split(separator: " ").map(String.init)
            case "at": mutants[last].hunks.append(.init(file: rest))
            default: break
            }
        }
        return mutants
    }

    /// The places of a run of lines in a text.
    static func places(of old: [String], in text: [String]) -> [Int] {
        guard !old.isEmpty, text.count >= old.count else { return [] }
        return (0...text.count - old.count).filter { start in
            text[start] == old[0] && text[start..<start + old.count].elementsEqual(old)
        }
    }
}
