import Oxbow
import Synchronization

/// When the compute of a branch is stopped that nobody uses, where that is not as the server's
/// options say. Kept in a small file beside the store: `B1000 600` or `B1000 never` on each line.
extension ServedBranches {
    private static let file = "idle"

    func idle(of branch: Branch) -> ComputeIdle? { idles.withLock { $0[branch.computeKey] } }

    /// Holds from the next time that somebody connects.
    func setIdle(of branch: Branch, _ idle: ComputeIdle?) throws(ServerError) {
        // What was said of branches that are gone is forgotten on the way.
        let living = try ServerError.telling { Set(try store.branches().map { "\($0.id)" }) }
        try idles.withLock { idles throws(ServerError) in
            var next = idles.filter { living.contains($0.key) }
            next[branch.computeKey] = idle
            let lines = next.sorted { $0.key < $1.key }.map { key, idle in
                switch idle {
                case .never: "\(key) never"
                case .after(let seconds): "\(key) \(seconds)"
                }
            }
            try folder.write(lines.joined(separator: "\n"), to: Self.file)
            idles = next
        }
    }

    static func readIdles(_ folder: ServerFolder) -> [String: ComputeIdle] {
        var idles: [String: ComputeIdle] = [:]
        for line in (folder.read(file) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 2 else { continue }
            if words[1] == "never" {
                idles[words[0]] = .never
            } else if let seconds = Int(words[1]), seconds > 0 {
                idles[words[0]] = .after(seconds: seconds)
            }
        }
        return idles
    }
}
