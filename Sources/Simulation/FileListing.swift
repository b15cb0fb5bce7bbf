import Primitives
import Volume

/// All that can be seen of a tree of files, a line for each name: two trees are the same where
/// their listings are.
struct FileListing: Equatable {
    private(set) var lines: [String] = []

    init(_ model: FileModel) {
        var first: [Int: String] = [:]
        list(model, 0, "", &first)
    }

    private mutating func list(
        _ model: FileModel,
        _ number: Int,
        _ path: String,
        _ first: inout [Int: String]
    ) {
        guard let node = model.nodes[number] else { return }
        let name = first[number] ?? path
        first[number] = name
        add(
            path,
            name,
            node.kind,
            node.permissions,
            node.linkCount,
            node.kind == .folder ? node.entries.count : node.content.count,
            node.content
        )
        for (entry, child) in node.entries.sorted(by: { $0.key < $1.key }) {
            list(model, child, path + "/" + entry, &first)
        }
    }

    init(_ tree: some FileTree) throws(VolumeError) {
        var first: [InodeNumber: String] = [:]
        try list(tree, .root, "", &first)
    }

    private mutating func list(
        _ tree: some FileTree,
        _ number: InodeNumber,
        _ path: String,
        _ first: inout [InodeNumber: String]
    ) throws(VolumeError) {
        let attributes = try tree.attributes(of: number)
        let name = first[number] ?? path
        first[number] = name
        var content: [UInt8] = []
        switch attributes.kind {
        case .file: content = try tree.content(of: number)
        case .link: content = try tree.target(of: number)
        default: break
        }
        add(
            path,
            name,
            attributes.kind,
            attributes.permissions,
            attributes.linkCount,
            Int(attributes.size),
            content
        )
        guard attributes.kind == .folder else { return }
        var entries: [Listing] = []
        try tree.visitEntries(of: number, from: .start) { entry, _ in
            entries.append(entry)
            return true
        }
        for entry in entries.sorted(by: { $0.name.description < $1.name.description }) {
            try list(tree, entry.number, path + "/" + entry.name.description, &first)
        }
    }

    private mutating func add(
        _ path: String,
        _ name: String,
        _ kind: FileKind,
        _ permissions: UInt16,
        _ links: UInt32,
        _ size: Int,
        _ content: [UInt8]
    ) {
        let mode = String(permissions, radix: 8)
        let sum = String(Checksum.of(content), radix: 16)
        lines.append("\(path) =\(name) \(kind) \(mode) x\(links) \(size) bytes \(sum)")
    }

    /// The first line that one has and the other has not.
    func difference(from other: FileListing) -> String? {
        let mine = Set(lines)
        let others = Set(other.lines)
        if let extra = lines.first(where: { !others.contains($0) }) { return "has \(extra)" }
        if let lack = other.lines.first(where: { !mine.contains($0) }) { return "lacks \(lack)" }
        return nil
    }
}

extension FileTree {
    /// All bytes of a file.
    func content(of number: InodeNumber) throws(VolumeError) -> [UInt8] {
        let size = try attributes(of: number).size
        var bytes = [UInt8](repeating: 0, count: Int(size))
        var failure: VolumeError?
        unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(VolumeError) { _ = try unsafe read(number, at: 0, into: buffer) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
