import DiskIO
import Foundation

/// The disks that must behave alike.
enum DiskKind: CaseIterable, Sendable {
    case local, memory

    /// Runs the body with an empty disk, of 64 MiB where it is in memory.
    func withDisk(_ body: (any Disk) throws -> Void) throws {
        switch self {
        case .local:
            try withTemporaryFolder { folder in try body(LocalDisk(folder + "/store", create: true))
            }
        case .memory:
            try body(MemoryDisk(limit: 64 << 20))
        }
    }
}

/// Runs the body with the path of a new folder, which goes with all that is in it.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
        path: "oxbow-\(UUID().uuidString)"
    )
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path(percentEncoded: false))
}

extension DiskError {
    /// The case without what it carries, which differs from disk to disk.
    var kind: String {
        switch self {
        case .notFound: "not found"
        case .exists: "exists"
        case .full: "full"
        case .held: "held"
        case .failed: "failed"
        }
    }
}
