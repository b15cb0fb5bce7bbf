/// All benchmarks of the engine, in the order of the table.
package enum EngineBenchmarks {
    package static let all: [Benchmark] =
        [
            ForkBenchmarks.buffered, ForkBenchmarks.durable, ForkBenchmarks.large,
            DepthBenchmarks.reads, CommitBenchmarks.one, CommitBenchmarks.sixteen,
            PeerCommitBenchmarks.commits, LoadBenchmarks.load, WarmReadBenchmarks.reads,
            ColdReadBenchmarks.reads, PointBenchmarks.lookups, PointBenchmarks.firstReads,
            RecoveryBenchmarks.crash, BranchCountBenchmarks.maintenance, TailBenchmarks.commits,
            SpaceBenchmarks.growth, SpaceBenchmarks.memory, SpaceBenchmarks.idle,
        ]
}
