/// The mounts of other servers, and of `oxbow mount`.
///
/// A compute gets a copy of all mounts there are. It has no business in those; its user is often
/// that of their files; and a copy would keep a mount alive whose server has ended.
package enum OtherMounts {
    /// Where they are, but for those that the folders are in that are named.
    static func places(butThoseOf folders: [String]) -> [String] {
        places(in: table).filter { place in !folders.contains { $0.hasPrefix(place + "/") } }
    }

    private static var table: String {
        let bytes = ComputeFiles.read("/proc/self/mounts", atMost: 1 << 20) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The lines of all the others, which a compute gets.
    static var kept: [Substring] {
        table.split(separator: "\n").filter { !$0.contains(" fuse.oxbow ") }
    }

    /// Those in a text such as `/proc/self/mounts`.
    package static func places(in table: String) -> [String] {
        table.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 2, words[2] == "fuse.oxbow" else { return nil }
            return unescaped(words[1])
        }
    }

    /// The kernel writes spaces, tabs, line ends and backslashes as `\040`, `\011`, `\012`, `\134`.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 0x5c, rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(code)
            rest = rest.dropFirst(3)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
