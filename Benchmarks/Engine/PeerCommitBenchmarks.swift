import Oxbow
import Primitives

/// Durable commits of one page, against other engines.
enum PeerCommitBenchmarks {
    static let commits = Benchmark("commit-1-peers", "commit-16-peers") { context in
        try context.withFolder("peers") { folder in
            let pages = context.pick(8_192, quick: 256, tiny: 16)
            let sides = try CommitBenchmarks.Sides(context, folder, records: 64)
            let peers = try Peers.open(folder, pages, sides.data[0])
            let outcomes = try [(1, "commit-1-peers"), (16, "commit-16-peers")].map {
                writers,
                name in
                try compare(context, sides, peers, writers, pages, name)
            }
            try sides.store.close()
            return outcomes
        }
    }

    private static func compare(
        _ context: Context,
        _ sides: CommitBenchmarks.Sides,
        _ peers: [any Peer],
        _ writers: Int,
        _ pages: Int,
        _ name: String
    ) throws -> Outcome {
        let count = context.pick(4_800, quick: 320, tiny: 16) / (writers == 1 ? 3 : 1)
        var ours: [Double] = []
        var theirs = peers.map { _ in [Double]() }
        for _ in 0..<context.pick(5, quick: 2, tiny: 1) {
            ours.append(
                Double(count)
                    / (try Threads.run(writers) { writer in
                        try sides.commits(count / writers, branch: 0, writer: writer)
                    })
            )
            for (index, peer) in peers.enumerated() {
                let seconds = try Threads.run(writers) { writer in
                    var random = context.random(UInt64(300 + writer))
                    for index in 0..<count / writers {
                        let number = UInt64(random.below(pages))
                        let page = sides.data[writer].stamped(index, number)
                        try peer.commit(page, at: number, writer: writer)
                    }
                }
                theirs[index].append(Double(count) / seconds)
            }
        }
        let rates = zip(peers, theirs).map { ($0.name, Measure.median($1)) }
        guard let best = rates.max(by: { $0.1 < $1.1 }) else {
            return .notMeasured(
                name,
                ours: Measure.median(ours),
                unit: "commits/s",
                must: 1,
                aim: 1.3
            )
        }
        return Outcome(
            name,
            ours: Measure.median(ours),
            reference: best.1,
            best.0,
            unit: "commits/s",
            must: 1,
            aim: 1.3,
            isJudged: context.scale != .tiny,
            note: rates.map { "\($0.0) \(Figure.short($0.1))" }.joined(separator: ", ")
        )
    }
}
