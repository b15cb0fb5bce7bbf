// swift-tools-version: 6.3
import PackageDescription

// The target list is the architecture, lowest layer first. A target may depend
// only on targets above it in this file.

let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
    .define("PARANOID", .when(traits: ["Paranoid"])),
]
let production = common + [.strictMemorySafety()]

/// What needs more than the engine does is left out where somebody wants it so.
let withServer = TargetDependencyCondition.when(traits: ["Server"])
/// Other engines are linked into the benchmarks alone, and only where somebody asks for them.
let withPeers = TargetDependencyCondition.when(traits: ["Peers"])

func layer(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        exclude: ["README.md"],
        swiftSettings: production
    )
}
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: common)
}

let package = Package(
    name: "oxbow",
    products: [
        .library(name: "Oxbow", targets: ["Oxbow"]),
        .library(name: "Volume", targets: ["Volume"]),
        .executable(name: "oxbow", targets: ["OxbowCLI"]),
        .executable(name: "oxbow-bench", targets: ["OxbowBench"]),
        .executable(name: "oxbow-demo", targets: ["OxbowDemo"]),
    ],
    traits: [
        .default(enabledTraits: ["Server"]),
        .trait(name: "Server", description: "What needs FUSE: mounts, in the oxbow command."),
        .trait(name: "Paranoid", description: "Checks whose cost is not constant."),
        .trait(name: "Peers", description: "Other engines beside ours, in oxbow-bench alone."),
    ],
    targets: [
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(
            name: "CXXHash",
            pkgConfig: "libxxhash",
            providers: [.apt(["libxxhash-dev"])]
        ),
        // Calls of the kernel that Glibc has no function for.
        .systemLibrary(name: "CLinux"),
        layer("Primitives", ["CLinux", "CXXHash"]),
        layer("DiskIO", ["Primitives"]),
        .target(
            name: "TestSupport",
            dependencies: ["Primitives"],
            path: "Tests/TestSupport",
            swiftSettings: common
        ),
        layer("WriteAheadLog", ["Primitives", "DiskIO", "CLZ4"]),
        layer("PageStorage", ["Primitives", "DiskIO", "WriteAheadLog"]),
        layer("Timelines", ["Primitives", "DiskIO", "WriteAheadLog", "PageStorage"]),
        layer("Oxbow", ["Primitives", "DiskIO", "WriteAheadLog", "PageStorage", "Timelines"]),
        layer("Volume", ["Primitives", "Oxbow"]),
        layer("DemoCatalog", ["Primitives"]),
        .systemLibrary(name: "CFuse", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        layer("FuseMount", ["CFuse", "Primitives", "Oxbow", "Volume"]),
        .systemLibrary(
            name: "CCrypto",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"])]
        ),
        layer("PostgresWire", ["Primitives", "CCrypto"]),
        .systemLibrary(name: "CEventPoll"),
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "libssl",
            providers: [.apt(["libssl-dev"])]
        ),
        layer(
            "BranchServer",
            [
                "CLinux", "Primitives", "DiskIO", "Oxbow", "Volume", "FuseMount", "PostgresWire",
                "CEventPoll", "COpenSSL",
            ]
        ),
        layer("Simulation", ["Primitives", "DiskIO", "WriteAheadLog", "Oxbow", "Volume"]),
        .executableTarget(
            name: "OxbowCLI",
            dependencies: [
                "CLinux", "Primitives", "DiskIO", "Oxbow", "Volume", "Simulation",
                .target(name: "FuseMount", condition: withServer),
                .target(name: "BranchServer", condition: withServer),
                .target(name: "DemoCatalog", condition: withServer),
            ],
            swiftSettings: production
        ),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CLMDB", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CRocksDB", providers: [.apt(["librocksdb-dev"])]),
        .executableTarget(
            name: "OxbowBench",
            dependencies: [
                "CLZ4", "Primitives", "DiskIO", "Oxbow", "DemoCatalog", "PostgresWire",
                .target(name: "CSQLite", condition: withPeers),
                .target(name: "CLMDB", condition: withPeers),
                .target(name: "CRocksDB", condition: withPeers),
            ],
            path: "Benchmarks",
            swiftSettings: common + [.define("PEERS", .when(traits: ["Peers"]))]
        ),
        .executableTarget(
            name: "OxbowDemo",
            dependencies: ["Oxbow"],
            path: "Examples/Demo",
            swiftSettings: common
        ),
        tests("PrimitivesTests", ["Primitives"]),
        tests("DemoCatalogTests", ["DemoCatalog", "Primitives"]),
        tests("DiskIOTests", ["Primitives", "DiskIO"]),
        tests("SimulationTests", ["Primitives", "DiskIO", "Oxbow", "Simulation"]),
        tests("VolumeTests", ["Primitives", "Oxbow", "Simulation", "Volume"]),
        .executableTarget(
            name: "MountWorker",
            dependencies: ["FuseMount", "Oxbow"],
            path: "Tests/MountWorker",
            swiftSettings: common
        ),
        tests("MountTests", ["MountWorker", "Primitives"]),
        .executableTarget(
            name: "ComputeWorker",
            dependencies: [
                "BranchServer", "FuseMount", "Oxbow", "PostgresWire", "Primitives", "Volume",
            ],
            path: "Tests/ComputeWorker",
            swiftSettings: common
        ),
        .executableTarget(
            name: "ServerWorker",
            dependencies: ["BranchServer", "Primitives"],
            path: "Tests/ServerWorker",
            swiftSettings: common
        ),
        .target(
            name: "ServerFixture",
            dependencies: ["ServerWorker"],
            path: "Tests/ServerFixture",
            swiftSettings: common
        ),
        tests(
            "BranchServerTests",
            [
                "Primitives", "DiskIO", "Oxbow", "Volume", "Simulation", "PostgresWire",
                "BranchServer", "ComputeWorker", "ServerWorker", "ServerFixture",
            ]
        ),
        .testTarget(
            name: "ConformanceTests",
            dependencies: ["ServerFixture", "ServerWorker", "TestSupport"],
            exclude: ["Clients"],
            swiftSettings: common
        ),
        tests("EnduranceTests", ["ServerFixture", "ServerWorker", "OxbowCLI"]),
        .target(
            name: "CrashWorkload",
            dependencies: ["Oxbow"],
            path: "Tests/CrashWorkload",
            swiftSettings: common
        ),
        tests("PageStorageTests", ["Primitives", "DiskIO", "WriteAheadLog", "PageStorage"]),
        tests(
            "OxbowTests",
            ["Primitives", "DiskIO", "WriteAheadLog", "Oxbow", "Simulation", "CrashWorkload"]
        ),
        tests(
            "CorruptionTests",
            ["Primitives", "DiskIO", "WriteAheadLog", "Oxbow", "Simulation"]
        ),
        .executableTarget(
            name: "CrashWorker",
            dependencies: ["CrashWorkload", "Oxbow"],
            path: "Tests/CrashWorker",
            swiftSettings: common
        ),
        tests("CrashTests", ["CrashWorkload", "CrashWorker", "Primitives", "Oxbow"]),
        .testTarget(
            name: "PostgresWireTests",
            dependencies: ["Primitives", "PostgresWire", "TestSupport"],
            exclude: ["Recorded"],
            swiftSettings: common
        ),
        .executableTarget(
            name: "FrontWorker",
            dependencies: ["BranchServer", "PostgresWire", "Primitives"],
            path: "Tests/FrontWorker",
            swiftSettings: common
        ),
        tests("BenchmarkTests", ["OxbowBench", "OxbowCLI"]),
        tests("CLITests", ["Oxbow", "OxbowCLI", "BranchServer", "Primitives", "Volume"]),
        .testTarget(
            name: "FormatTests",
            dependencies: ["Primitives", "DiskIO", "Oxbow", "TestSupport"],
            exclude: ["Golden"],
            swiftSettings: common
        ),
        tests("TidyTests", []),
    ]
)

// libFuzzer brings its own main(), so these exist only when asked for.
if Context.environment["FUZZ"] != nil {
    package.targets.append(
        .target(
            name: "FuzzSupport",
            dependencies: ["Primitives", "DiskIO", "WriteAheadLog", "Oxbow"],
            path: "Fuzz/FuzzSupport",
            swiftSettings: common
        )
    )
    let decoders = [
        "Superblock", "SegmentHeader", "Record", "Block", "PageNode", "TimelineNode", "BranchNode",
        "NameNode", "SnapshotNode", "SegmentNode", "CheckpointNode", "EventNode", "ExpiryNode",
        "ClosingIndex", "SegmentExtents", "IndexSections", "LifecycleRecord", "CheckpointEntry",
        "CommitMeta", "Moment", "Segment", "Inode", "FolderPage", "VolumeHeader",
    ]
    for decoder in decoders {
        package.targets.append(
            .executableTarget(
                name: "Fuzz\(decoder)",
                dependencies: [
                    "FuzzSupport", "Primitives", "DiskIO", "WriteAheadLog", "PageStorage",
                    "Timelines", "Oxbow", "Volume",
                ],
                path: "Fuzz/Fuzz\(decoder)",
                swiftSettings: common
            )
        )
    }
    for subject in ["AdminStatement", "RoleList", "WALReader", "ControlRequest"] {
        package.targets.append(
            .executableTarget(
                name: "Fuzz\(subject)",
                dependencies: ["PostgresWire", "BranchServer"],
                path: "Fuzz/Fuzz\(subject)",
                swiftSettings: common
            )
        )
    }
    for subject in [
        "FrontendMessage", "BackendMessage", "Startup", "Scram", "SessionTracker",
        "ConnectionTarget",
    ] {
        package.targets.append(
            .executableTarget(
                name: "Fuzz\(subject)",
                dependencies: ["Primitives", "PostgresWire"],
                path: "Fuzz/Fuzz\(subject)",
                swiftSettings: common
            )
        )
    }
}
