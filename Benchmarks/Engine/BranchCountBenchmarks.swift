import Oxbow
import Primitives

/// Whether checkpoints and opening cost more where there are many branches.
enum BranchCountBenchmarks {
    static let maintenance = Benchmark("checkpoint-branches", "open-branches") { context in
        let many = context.pick(100_000, quick: 20_000, tiny: 100)
        return try context.withFolder("branches") { folder in
            for (name, count) in [("many", many), ("few", 10)] {
                let store = try Stores.open(folder + "/" + name)
                let main = try store.branch("main")
                try Stores.load(main, 0..<100, PageData(context.random(1)))
                for index in 1..<count { try store.fork("b-\(index)", from: main) }
                try store.close()
            }
            let rounds = context.pick(21, quick: 7, tiny: 1)
            var opens: (many: [Double], few: [Double]) = ([], [])
            let checkpoints = try Measure.alternate(
                rounds,
                ours: { round in
                    let (open, checkpoint) = try cycle(context, folder + "/many", round)
                    opens.many.append(open)
                    return checkpoint
                },
                reference: { round in
                    let (open, checkpoint) = try cycle(context, folder + "/few", round)
                    opens.few.append(open)
                    return checkpoint
                }
            )
            return [
                Outcome(
                    "checkpoint-branches",
                    ours: checkpoints.ours,
                    reference: checkpoints.reference,
                    "10 branches",
                    unit: "ms",
                    must: 1.5,
                    aim: 1,
                    isJudged: context.isFull,
                    note: "\(many) branches, one of them changed"
                ),
                Outcome(
                    "open-branches",
                    ours: Measure.median(opens.many),
                    reference: Measure.median(opens.few),
                    "10 branches",
                    unit: "ms",
                    must: 1.5,
                    aim: 1,
                    isJudged: context.isFull
                ),
            ]
        }
    }

    /// Opens, changes a branch, makes a checkpoint and closes: milliseconds of two of these.
    private static func cycle(
        _ context: Context,
        _ folder: String,
        _ round: Int
    ) throws -> (open: Double, checkpoint: Double) {
        let data = try PageData(context.random(UInt64(50 + round)), count: 1)
        var opened: Store?
        let open = try Measure.seconds { opened = try Stores.open(folder) }
        guard let store = opened else { return (0, 0) }
        let branch = try store.branch("b-\(1 + round % 9)")
        try branch.commit { try $0.write(data.page(0), page: 7, of: Stores.table) }
        let checkpoint = try Measure.seconds { try store.checkpoint() }
        try store.close()
        return (open * 1e3, checkpoint * 1e3)
    }
}
