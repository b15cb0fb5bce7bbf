import Foundation
import Glibc

/// What processes take of the memory.
enum MemoryUse {
    /// Of a process and all below it: pages that several share count for each in its part.
    static func bytes(ofTree root: pid_t) -> Int {
        own(root) + children(root).reduce(0) { $0 + bytes(ofTree: $1) }
    }

    private static func own(_ process: pid_t) -> Int {
        let text = try? SystemFile.text("/proc/\(process)/smaps_rollup")
        let line = text?.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        let number = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (number ?? 0) << 10
    }

    private static func children(_ process: pid_t) -> [pid_t] {
        let path = "/proc/\(process)/task/\(process)/children"
        let text = (try? SystemFile.text(path)) ?? ""
        return text.split(separator: " ").compactMap { pid_t($0) }
    }
}
