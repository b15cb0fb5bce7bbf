import Oxbow
import Volume

/// Keeps commands from changing files under a PostgreSQL that runs on them: it would not notice,
/// and then be wrong.
enum ComputeGuard {
    /// Where a cluster stands in a branch.
    static let dataFolder = Array("/pgdata".utf8)

    /// Refuses a change of a place in a branch while its compute runs and the place is the
    /// cluster's.
    static func check(_ call: Invocation, _ files: BranchFiles, _ scene: FileScene) throws {
        guard let host = call.environment.host, host.isComputing(scene.branch.id),
            try isData(scene.location.path, files)
        else { return }
        throw Failure(
            "busy",
            "\(scene.location.shown): PostgreSQL runs on these files; `oxbow suspend "
                + "\(scene.name)` stops it until somebody connects"
        )
    }

    /// Refuses to change pages of a branch by hand while its compute runs.
    static func checkPages(_ call: Invocation, _ branch: Branch, _ name: String) throws {
        guard let host = call.environment.host, host.isComputing(branch.id) else { return }
        throw Failure(
            "busy",
            "PostgreSQL runs on the files in the pages of \(name): `oxbow suspend \(name)` stops "
                + "it until somebody connects"
        )
    }

    /// Whether a path leads into the cluster, or to it, or is the root that it is in.
    private static func isData(_ path: [UInt8], _ files: BranchFiles) throws -> Bool {
        guard let data = try files.find(dataFolder, followingLast: false) else { return false }
        var places = [try files.find(path), try files.find(path, followingLast: false)]
        if places.contains(.root) { return true }
        if let parent = try? files.resolveParent(path) { places.append(parent.0) }
        for place in places.compactMap({ $0 }) {
            var folder = place
            while folder != .root {
                if folder == data { return true }
                guard try files.attributes(of: folder).kind == .folder else { break }
                folder = try files.parent(of: folder)
            }
        }
        return false
    }
}
