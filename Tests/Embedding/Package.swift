// swift-tools-version: 6.3
import PackageDescription

// A program that embeds Oxbow, as anybody's would. `scripts/test-embedding` copies it to a folder
// outside of the repository, beside a link to the repository with the name `oxbow`.

let package = Package(
    name: "Embedding",
    dependencies: [
        .package(path: "../oxbow")
    ],
    targets: [
        .executableTarget(
            name: "Embedding",
            dependencies: [
                .product(name: "Oxbow", package: "oxbow")
            ]
        )
    ]
)
