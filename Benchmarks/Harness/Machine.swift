import CLZ4
import Foundation
import Glibc

/// What a report says of where it was made.
package enum Machine {
    package static func describe(_ folder: String) -> [String: String] {
        var system = utsname()
        uname(&system)
        let release = withUnsafeBytes(of: &system.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return [
            "processor": field("/proc/cpuinfo", "model name") ?? "unknown",
            "cores": String(ProcessInfo.processInfo.activeProcessorCount),
            "memory": "\(ProcessInfo.processInfo.physicalMemory >> 20) MiB",
            "kernel": release,
            "fileSystem": fileSystem(folder),
            "coldBy": KernelCache.method,
        ]
    }

    package static func versions() -> [String: String] {
        var versions = ["lz4": String(cString: LZ4_versionString())]
        #if compiler(>=6.4)
        versions["swift"] = "6.4 or later"
        #else
        versions["swift"] = "6.3"
        #endif
        for (name, version) in Peers.versions { versions[name] = version }
        return versions
    }

    private static func field(_ path: String, _ name: String) -> String? {
        let text = (try? SystemFile.text(path)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: ":").last.map {
            $0.trimmingCharacters(in: .whitespaces)
        }
    }

    /// The type of the deepest mount that holds the folder.
    private static func fileSystem(_ folder: String) -> String {
        let place = URL(filePath: folder).resolvingSymlinksInPath().path
        let text = (try? SystemFile.text("/proc/mounts")) ?? ""
        let mounts = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let holding = mounts.filter { words in
            words.count > 2
                && (words[1] == "/" || place == words[1] || place.hasPrefix(words[1] + "/"))
        }
        return holding.max { $0[1].count < $1[1].count }?[2] ?? "unknown"
    }
}
