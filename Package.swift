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
        .executable(name: "oxbow", targets: ["OxbowCLI"]),
    ],
    traits: [.trait(name: "Paranoid", description: "Checks whose cost is not constant.")],
    targets: [
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(
            name: "CXXHash",
            pkgConfig: "libxxhash",
            providers: [.apt(["libxxhash-dev"])]
        ),
        layer("Primitives", ["CXXHash"]),
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
        layer("Simulation", ["Primitives", "DiskIO", "Oxbow"]),
        .executableTarget(
            name: "OxbowCLI",
            dependencies: ["Oxbow", "Simulation"],
            swiftSettings: production
        ),
        tests("PrimitivesTests", ["Primitives"]),
        tests("DiskIOTests", ["Primitives", "DiskIO"]),
        tests("SimulationTests", ["Primitives", "DiskIO", "Simulation"]),
        tests("OxbowTests", ["Oxbow"]),
        tests("CLITests", ["Oxbow", "OxbowCLI"]),
        tests("TidyTests", []),
    ]
)
