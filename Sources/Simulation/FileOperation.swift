import Primitives
import Volume

/// One thing done to files, on a volume and on the model alike.
enum FileOperation {
    case make([String], FileKind, permissions: UInt16, target: [UInt8])
    case link([String], [String])
    case remove([String])
    case removeFolder([String])
    case rename([String], [String], RenameMode)
    case write([String], offset: Int, [UInt8])
    case append([String], [UInt8])
    case resize([String], Int)
    case reserve([String], Range<Int>, keepingSize: Bool)
    case clear([String], Range<Int>, lengthening: Bool)
    case setPermissions([String], UInt16)

    /// Draws an operation that has a fair chance to be possible, and one to be refused.
    init(_ random: inout SeededRandom) {
        let path = Self.path(&random)
        let length = 1 + random.below(random.below(4) == 0 ? 40_000 : 9_000)
        let offset = random.below(2) == 0 ? random.below(12) * 8192 : random.below(90_000)
        switch random.below(24) {
        case 0...3: self = .make(path, .file, permissions: 0o644, target: [])
        case 4, 5: self = .make(path, .folder, permissions: 0o755, target: [])
        case 6:
            let target = Array(Self.path(&random).joined(separator: "/").utf8)
            self = .make(path, .link, permissions: 0o777, target: target + [65])
        case 7: self = .link(path, Self.path(&random))
        case 8, 9: self = .remove(path)
        case 10: self = .removeFolder(path)
        case 11...13:
            let mode: [RenameMode] = [.replace, .replace, .expectFree, .exchange]
            self = .rename(path, Self.path(&random), mode[random.below(4)])
        case 14...17:
            // Whole pages often, as databases do.
            let count = random.below(2) == 0 ? 8192 * (1 + random.below(3)) : length
            self = .write(path, offset: offset, Self.bytes(count, &random))
        case 18: self = .append(path, Self.bytes(length, &random))
        case 19, 20: self = .resize(path, offset)
        case 21: self = .reserve(path, offset..<offset + length, keepingSize: random.below(2) == 0)
        case 22: self = .clear(path, offset..<offset + length, lengthening: random.below(2) == 0)
        default: self = .setPermissions(path, UInt16(random.below(0o10000)))
        }
    }

    private static func path(_ random: inout SeededRandom) -> [String] {
        let names = ["a", "b", "c", "d", "e"]
        return (0..<1 + random.below(3)).map { _ in names[random.below(names.count)] }
    }

    private static func bytes(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        let value = UInt8(truncatingIfNeeded: random.next())
        var bytes = [UInt8](repeating: value, count: count)
        bytes[random.below(count)] ^= 1
        return bytes
    }

    private static func name(_ text: String) throws(VolumeError) -> FileName {
        try FileName(text)
    }

    func apply(to files: BranchFiles) throws(VolumeError) {
        switch self {
        case .make(let path, let kind, let permissions, let target):
            let (folder, name) = try files.place(path)
            let ownership = Ownership(permissions: permissions)
            switch kind {
            case .folder: try files.makeFolder(name, in: folder, ownership)
            case .link: try files.makeLink(name, in: folder, to: target, ownership)
            default: try files.makeNode(name, in: folder, kind, ownership)
            }
        case .link(let path, let newPath):
            let number = try files.find(path)
            let (folder, name) = try files.place(newPath)
            try files.link(number, as: name, in: folder)
        case .remove(let path):
            let (folder, name) = try files.place(path)
            try files.remove(name, from: folder)
        case .removeFolder(let path):
            let (folder, name) = try files.place(path)
            try files.removeFolder(name, from: folder)
        case .rename(let path, let newPath, let mode):
            let (folder, name) = try files.place(path)
            let (newFolder, newName) = try files.place(newPath)
            try files.rename(name, in: folder, to: newName, in: newFolder, mode)
        case .write, .append, .reserve, .clear, .resize, .setPermissions:
            try applyToContent(of: files)
        }
    }

    private func applyToContent(of files: BranchFiles) throws(VolumeError) {
        switch self {
        case .write(let path, let offset, let bytes):
            try files.openFile(files.find(path)).write(bytes, at: UInt64(offset))
        case .append(let path, let bytes):
            let file = try files.openFile(files.find(path))
            try file.write(bytes, at: files.attributes(of: file.number).size)
        case .resize(let path, let size):
            var change = AttributeChange()
            change.size = UInt64(size)
            try files.change(files.find(path), change)
        case .reserve(let path, let range, let keepingSize):
            let range = UInt64(range.lowerBound)..<UInt64(range.upperBound)
            try files.openFile(files.find(path)).reserve(range, keepingSize: keepingSize)
        case .clear(let path, let range, let lengthening):
            let range = UInt64(range.lowerBound)..<UInt64(range.upperBound)
            try files.openFile(files.find(path)).clear(range, lengthening: lengthening)
        case .setPermissions(let path, let permissions):
            var change = AttributeChange()
            change.permissions = permissions
            try files.change(files.find(path), change)
        default: break
        }
    }

    func apply(to model: inout FileModel) throws(FileModel.Refusal) {
        switch self {
        case .make(let path, let kind, let permissions, let target):
            try model.make(path, kind, permissions: permissions, target: target)
        case .link(let path, let newPath): try model.link(path, as: newPath)
        case .remove(let path): try model.remove(path)
        case .removeFolder(let path): try model.removeFolder(path)
        case .rename(let path, let newPath, let mode):
            try model.rename(path, to: newPath, mode)
        case .write(let path, let offset, let bytes):
            let node = try model.file(path)
            model.write(bytes, at: offset, of: node)
        case .append(let path, let bytes):
            let node = try model.file(path)
            model.write(bytes, at: model.nodes[node]?.content.count ?? 0, of: node)
        case .resize(let path, let size): try model.resize(model.find(path), to: size)
        case .reserve(let path, let range, let keepingSize):
            let node = try model.file(path)
            let size = model.nodes[node]?.content.count ?? 0
            if !keepingSize, range.upperBound > size {
                try model.resize(node, to: range.upperBound)
            }
        case .clear(let path, let range, let lengthening):
            let node = try model.file(path)
            model.clear(range, of: node, lengthening: lengthening)
        case .setPermissions(let path, let permissions):
            try model.setPermissions(permissions, of: path)
        }
    }
}

extension FileModel {
    fileprivate func file(_ path: [String]) throws(Refusal) -> Int {
        let node = try find(path)
        try expectFile(node)
        return node
    }
}

extension FileTree {
    /// As the model finds things: links are not followed.
    func place(_ path: [String]) throws(VolumeError) -> (folder: InodeNumber, name: FileName) {
        var folder = InodeNumber.root
        for name in path.dropLast() { folder = try lookUp(FileName(name), in: folder) }
        return (folder, try FileName(path.last ?? ""))
    }

    func find(_ path: [String]) throws(VolumeError) -> InodeNumber {
        let (folder, name) = try place(path)
        return try lookUp(name, in: folder)
    }
}
