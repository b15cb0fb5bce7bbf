import Volume

/// A file system as simple as can be, in memory: what the files of a branch must look like. A
/// value, so that a copy is a moment of its history.
struct FileModel {
    struct Node {
        var kind: FileKind
        var permissions: UInt16
        var owner: UInt32
        var group: UInt32
        var linkCount: UInt32
        var content: [UInt8] = []
        var entries: [String: Int] = [:]
        var parent = 0
    }

    /// Why the model would not do something.
    struct Refusal: Error, Equatable {
        let kind: VolumeError.Kind
        init(_ kind: VolumeError.Kind) { self.kind = kind }
    }

    private(set) var nodes: [Int: Node] = [
        0: Node(kind: .folder, permissions: 0o755, owner: 0, group: 0, linkCount: 2)
    ]
    private var next = 1
    /// Which nodes live on without a name, and for how many who have them open.
    private var openings: [Int: Int] = [:]

    // MARK: Finding

    func entry(_ name: String, in folder: Int) throws(Refusal) -> Int {
        try expectFolder(folder)
        guard let found = nodes[folder]?.entries[name] else { throw Refusal(.notFound) }
        return found
    }

    /// The folder that a path's last name is in, and the name.
    func place(_ path: [String]) throws(Refusal) -> (folder: Int, name: String) {
        var folder = 0
        for name in path.dropLast() { folder = try entry(name, in: folder) }
        guard let name = path.last else { throw Refusal(.invalid) }
        return (folder, name)
    }

    func find(_ path: [String]) throws(Refusal) -> Int {
        if path.isEmpty { return 0 }
        let (folder, name) = try place(path)
        return try entry(name, in: folder)
    }

    private func expectFolder(_ node: Int) throws(Refusal) {
        guard let found = nodes[node] else { throw Refusal(.notFound) }
        guard found.kind == .folder else { throw Refusal(.notAFolder) }
    }

    // MARK: Names

    mutating func make(
        _ path: [String],
        _ kind: FileKind,
        permissions: UInt16,
        target: [UInt8] = []
    ) throws(Refusal) {
        let (folder, name) = try place(path)
        try expectFolder(folder)
        guard nodes[folder]?.entries[name] == nil else { throw Refusal(.exists) }
        var node = Node(
            kind: kind,
            permissions: permissions,
            owner: 0,
            group: 0,
            linkCount: kind == .folder ? 2 : 1
        )
        if kind == .folder { node.permissions |= (nodes[folder]?.permissions ?? 0) & 0o2000 }
        node.content = target
        node.parent = folder
        nodes[next] = node
        nodes[folder]?.entries[name] = next
        if kind == .folder { nodes[folder]?.linkCount += 1 }
        next += 1
    }

    mutating func link(_ path: [String], as newPath: [String]) throws(Refusal) {
        let node = try find(path)
        let (folder, name) = try place(newPath)
        if nodes[node]?.kind == .folder { throw Refusal(.isAFolder) }
        try expectFolder(folder)
        guard nodes[folder]?.entries[name] == nil else { throw Refusal(.exists) }
        nodes[folder]?.entries[name] = node
        nodes[node]?.linkCount += 1
    }

    mutating func remove(_ path: [String]) throws(Refusal) {
        let (folder, name) = try place(path)
        let node = try entry(name, in: folder)
        if nodes[node]?.kind == .folder { throw Refusal(.isAFolder) }
        nodes[folder]?.entries[name] = nil
        unlink(node)
    }

    mutating func removeFolder(_ path: [String]) throws(Refusal) {
        let (folder, name) = try place(path)
        let node = try entry(name, in: folder)
        try expectEmptyFolder(node)
        nodes[folder]?.entries[name] = nil
        drop(folder: node, from: folder)
    }

    private func expectEmptyFolder(_ node: Int) throws(Refusal) {
        try expectFolder(node)
        if nodes[node]?.entries.isEmpty == false { throw Refusal(.notEmpty) }
    }

    private mutating func drop(folder node: Int, from parent: Int) {
        nodes[node] = nil
        nodes[parent]?.linkCount -= 1
    }

    private mutating func unlink(_ node: Int) {
        nodes[node]?.linkCount -= 1
        endIfNameless(node)
    }

    private mutating func endIfNameless(_ node: Int) {
        if nodes[node]?.linkCount == 0, openings[node] == nil { nodes[node] = nil }
    }

    mutating func rename(
        _ path: [String],
        to newPath: [String],
        _ mode: RenameMode
    ) throws(Refusal) {
        let (folder, name) = try place(path)
        let (newFolder, newName) = try place(newPath)
        try expectFolder(folder)
        try expectFolder(newFolder)
        let node = try entry(name, in: folder)
        let other = nodes[newFolder]?.entries[newName]
        try expectOutside(newFolder, node)
        guard let other else {
            if case .exchange = mode { throw Refusal(.notFound) }
            nodes[folder]?.entries[name] = nil
            nodes[newFolder]?.entries[newName] = node
            settle(node, from: folder, in: newFolder)
            return
        }
        switch mode {
        case .exchange:
            try expectOutside(folder, other)
            nodes[folder]?.entries[name] = other
            nodes[newFolder]?.entries[newName] = node
            settle(node, from: folder, in: newFolder)
            settle(other, from: newFolder, in: folder)
        case .expectFree: throw Refusal(.exists)
        case .replace:
            if other == node { return }
            let otherIsFolder = nodes[other]?.kind == .folder
            if nodes[node]?.kind == .folder {
                try expectEmptyFolder(other)
            } else if otherIsFolder {
                throw Refusal(.isAFolder)
            }
            nodes[folder]?.entries[name] = nil
            nodes[newFolder]?.entries[newName] = node
            if otherIsFolder { drop(folder: other, from: newFolder) } else { unlink(other) }
            settle(node, from: folder, in: newFolder)
        }
    }

    private func expectOutside(_ folder: Int, _ node: Int) throws(Refusal) {
        guard nodes[node]?.kind == .folder else { return }
        var above = folder
        while true {
            if above == node { throw Refusal(.invalid) }
            if above == 0 { return }
            above = nodes[above]?.parent ?? 0
        }
    }

    private mutating func settle(_ node: Int, from folder: Int, in newFolder: Int) {
        guard nodes[node]?.kind == .folder, folder != newFolder else { return }
        nodes[node]?.parent = newFolder
        nodes[folder]?.linkCount -= 1
        nodes[newFolder]?.linkCount += 1
    }

    // MARK: Content

    mutating func open(_ path: [String]) throws(Refusal) -> Int {
        let node = try find(path)
        try expectFile(node)
        openings[node, default: 0] += 1
        return node
    }

    mutating func close(_ node: Int) {
        guard let count = openings[node] else { return }
        openings[node] = count == 1 ? nil : count - 1
        endIfNameless(node)
    }

    /// All who had files open are gone.
    mutating func closeAll() {
        for node in openings.keys.sorted() {
            openings[node] = nil
            endIfNameless(node)
        }
    }

    func expectFile(_ node: Int) throws(Refusal) {
        switch nodes[node]?.kind {
        case .file: return
        case .folder: throw Refusal(.isAFolder)
        case nil: throw Refusal(.notFound)
        default: throw Refusal(.invalid)
        }
    }

    mutating func write(_ bytes: [UInt8], at offset: Int, of node: Int) {
        guard !bytes.isEmpty else { return }
        nodes[node]?.write(bytes, at: offset)
    }

    mutating func resize(_ node: Int, to size: Int) throws(Refusal) {
        try expectFile(node)
        nodes[node]?.resize(to: size)
    }

    mutating func clear(_ range: Range<Int>, of node: Int, lengthening: Bool) {
        nodes[node]?.clear(range, lengthening: lengthening)
    }

    mutating func setPermissions(_ permissions: UInt16, of path: [String]) throws(Refusal) {
        nodes[try find(path)]?.permissions = permissions
    }
}

extension FileModel.Node {
    mutating func resize(to size: Int) {
        if size < content.count {
            content.removeLast(content.count - size)
        } else {
            content.append(contentsOf: repeatElement(0, count: size - content.count))
        }
    }

    mutating func write(_ bytes: [UInt8], at offset: Int) {
        if content.count < offset + bytes.count { resize(to: offset + bytes.count) }
        content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    mutating func clear(_ range: Range<Int>, lengthening: Bool) {
        if lengthening, range.upperBound > content.count, !range.isEmpty {
            resize(to: range.upperBound)
        }
        let part = range.clamped(to: 0..<content.count)
        content.replaceSubrange(part, with: repeatElement(0, count: part.count))
    }
}
