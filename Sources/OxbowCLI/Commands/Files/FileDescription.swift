import Oxbow
import Volume

/// How a file is told of.
struct FileDescription {
    let name: [UInt8]
    let number: InodeNumber
    let attributes: Attributes
    /// What a symbolic link holds.
    let target: [UInt8]?

    init(_ name: [UInt8], _ number: InodeNumber, in tree: some FileTree) throws(VolumeError) {
        self.name = name
        self.number = number
        attributes = try tree.attributes(of: number)
        target = attributes.kind == .link ? try tree.target(of: number) : nil
    }

    static func keys(_ prefix: String = "") -> [Command.Key] {
        [
            ("name", "the name, as far as it is text"),
            ("base64", "the name's bytes where it is no text, or null"),
            ("kind", "file, folder, link, pipe, socket, characterDevice or blockDevice"),
            ("size", "bytes of a file or of what a link holds; of a folder, its entries"),
            ("pages", "how many pages of content were written"),
            ("links", "how many names it has"),
            ("permissions", "the mode's lower twelve bits, in octal digits"),
            ("owner", "the number of the user that it belongs to"),
            ("group", "the number of the group"), ("inode", "its number in the volume"),
            ("accessed", "when it was last read, as far as somebody said so"),
            ("modified", "when its content last changed"),
            ("changed", "when anything about it last changed"), ("created", "when it was made"),
            ("target", "what a link holds, as far as it is text, or null"),
        ].map { Command.Key(prefix + $0.0, $0.1) }
    }

    var json: [(String, JSON)] {
        JSON.name(name) + [
            ("kind", .string("\(attributes.kind)")), ("size", JSON(attributes.size)),
            ("pages", JSON(attributes.pageCount)), ("links", JSON(Int(attributes.linkCount))),
            ("permissions", .string(permissions)), ("owner", JSON(Int(attributes.owner))),
            ("group", JSON(Int(attributes.group))), ("inode", JSON(number.rawValue)),
            ("accessed", .string(Self.time(attributes.accessed))),
            ("modified", .string(Self.time(attributes.modified))),
            ("changed", .string(Self.time(attributes.changed))),
            ("created", .string(Self.time(attributes.created))),
            ("target", target.map { .string(String(decoding: $0, as: UTF8.self)) } ?? nil),
        ]
    }

    var permissions: String {
        let digits = String(attributes.permissions, radix: 8)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// As `ls` writes it: `-rw-r--r--`.
    var mode: String {
        let bits = attributes.permissions
        let letter: Character =
            switch attributes.kind {
            case .file: "-"
            case .folder: "d"
            case .link: "l"
            case .pipe: "p"
            case .socket: "s"
            case .characterDevice: "c"
            case .blockDevice: "b"
            }
        func triple(_ shift: UInt16, _ special: Bool, _ mark: String) -> String {
            let three = bits >> shift & 7
            let runs = three & 1 != 0
            let last = special ? (runs ? mark : mark.uppercased()) : (runs ? "x" : "-")
            return (three & 4 != 0 ? "r" : "-") + (three & 2 != 0 ? "w" : "-") + last
        }
        return String(letter) + triple(6, bits & 0o4000 != 0, "s")
            + triple(3, bits & 0o2000 != 0, "s") + triple(0, bits & 0o1000 != 0, "t")
    }

    /// The name, and where a link leads.
    var title: String { Text.name(name) + (target.map { " -> \(Text.name($0))" } ?? "") }

    /// Times before 1970 are no log times.
    static func time(_ nanoseconds: Int64) -> String {
        guard nanoseconds >= 0 else { return "\(nanoseconds.magnitude) ns before 1970" }
        return Text.time(LogTime(nanoseconds: UInt64(nanoseconds)))
    }
}
