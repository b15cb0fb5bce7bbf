import Foundation
import Glibc

/// A file system whose folders can be copied at once: btrfs in a file, behind a loop device.
final class BtrfsDisk {
    let path: String

    /// Why there is none: this machine cannot, or we may not.
    struct Unavailable: Error, CustomStringConvertible {
        let description: String
    }

    init(_ folder: String, megabytes: Int, _ cleanup: Cleanup) throws {
        guard geteuid() == 0 else {
            throw Unavailable(description: "root is needed to mount btrfs")
        }
        guard access("/usr/sbin/mkfs.btrfs", X_OK) == 0 || access("/sbin/mkfs.btrfs", X_OK) == 0
        else {
            throw Unavailable(description: "mkfs.btrfs is missing: apt-get install btrfs-progs")
        }
        path = folder + "/btrfs"
        let file = folder + "/btrfs.disk"
        cleanup.add { unlink(file) }
        let size = max(megabytes, 512)
        do {
            try Tool.run(["fallocate", "-l", "\(size)M", file])
            try Tool.run(["mkfs.btrfs", "-q", "-f", file])
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
            let device = try Tool.run(["losetup", "--find", "--show", file])
                .trimmingCharacters(in: .whitespacesAndNewlines)
            cleanup.add { _ = try? Tool.run(["losetup", "--detach", device]) }
            try Tool.run(["mount", "-t", "btrfs", device, path])
        } catch { throw Unavailable(description: "no btrfs on a loop device: \(error)") }
        let path = path
        cleanup.add { _ = try? Tool.run(["umount", path]) }
    }

    /// A folder that can be copied.
    func makeSubvolume(_ name: String) throws -> String {
        try Tool.run(["btrfs", "-q", "subvolume", "create", "\(path)/\(name)"])
        return "\(path)/\(name)"
    }

    /// A copy of one as it is now; it is durable afterwards.
    func snapshot(_ name: String, as copy: String) throws -> String {
        try Tool.run(["btrfs", "-q", "subvolume", "snapshot", "\(path)/\(name)", "\(path)/\(copy)"])
        return "\(path)/\(copy)"
    }

    func delete(_ name: String) throws {
        try Tool.run(["btrfs", "-q", "subvolume", "delete", "\(path)/\(name)"])
    }
}
