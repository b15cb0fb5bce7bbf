import Oxbow
import Primitives
import Testing
import Volume

/// A small volume, one page of which is then overwritten with something else, as a sound page of
/// the branch: what the store's checksums cannot see.
struct DamagedVolume {
    let store: Store
    let main: Branch
    /// The pages that are not content: object and page.
    let pages: [(object: ObjectID, page: PageNumber)]
    let numbers: [InodeNumber]

    init() throws {
        let test = try TestVolume()
        store = test.store
        main = test.main
        let folder = try test.makeFolder("folder")
        let inner = try test.makeFolder("inner", in: folder)
        let file = try test.make("file")
        let sparse = try test.make("sparse", in: inner)
        let open = try test.files.openFile(file)
        try open.write([UInt8](repeating: 7, count: 30_000), at: 0)
        try test.files.openFile(sparse).write([1], at: 100_000)
        try test.files.link(file, as: FileName("hard"), in: folder)
        let soft = try test.files.makeLink(
            FileName("soft"),
            in: .root,
            to: Array("folder/hard".utf8),
            Ownership(permissions: 0o777)
        )
        numbers = [.root, folder, inner, file, sparse, soft]
        var pages: [(object: ObjectID, page: PageNumber)] = [(ObjectID(0), 0)]
        let view = try main.view()
        for object in [ObjectID(1)] + [InodeNumber.root, folder, inner].map({ $0.content }) {
            try view.visitPages(of: object) { page in
                pages.append((object, page))
                return true
            }
        }
        self.pages = pages
    }

    func page(_ index: Int) throws -> [UInt8] {
        try main.read(page: pages[index].page, of: pages[index].object)
    }

    /// A branch with the page at `index` replaced, and perhaps the next free orphan listed.
    func branch(
        _ name: String,
        _ index: Int,
        _ bytes: [UInt8],
        orphan: InodeNumber? = nil
    ) throws -> Branch {
        let branch = try store.fork(name, from: main)
        try branch.commit(.buffered) { edit in
            try edit.write(bytes, page: pages[index].page, of: pages[index].object)
            if let orphan {
                let zeros = [UInt8](repeating: 0, count: store.pageSize)
                try edit.write(zeros, page: PageNumber(orphan.rawValue), of: ObjectID(2))
            }
        }
        return branch
    }
}

extension InodeNumber {
    var content: ObjectID { ObjectID(rawValue) }
}

/// Everything that can be done to a volume, each of which may only fail as errors do.
struct Misfortune {
    private(set) var failures: [VolumeError] = []

    mutating func attempt(_ body: () throws(VolumeError) -> Void) {
        do throws(VolumeError) { try body() } catch { failures.append(error) }
    }

    mutating func all(on branch: Branch, _ numbers: [InodeNumber]) throws {
        let view = try branch.view()
        var past: PastFiles?
        attempt { () throws(VolumeError) in past = try PastFiles(view) }
        if let past { read(past, numbers) }
        var opened: BranchFiles?
        attempt { () throws(VolumeError) in opened = try BranchFiles.open(branch) }
        guard let files = opened else { return }
        read(files, numbers)
        for number in numbers { write(files, number) }
        for folder in numbers { rename(files, folder) }
        for folder in numbers { remove(files, folder) }
        attempt { () throws(VolumeError) in try files.sync() }
    }

    private mutating func read(_ tree: some FileTree, _ numbers: [InodeNumber]) {
        for path in ["/file", "/folder/hard", "/soft", "/folder/inner/sparse", "/x/../y"] {
            attempt { () throws(VolumeError) in _ = try tree.resolve(path) }
        }
        for number in numbers {
            attempt { () throws(VolumeError) in _ = try tree.attributes(of: number) }
            attempt { () throws(VolumeError) in _ = try tree.parent(of: number) }
            attempt { () throws(VolumeError) in _ = try tree.target(of: number) }
            attempt { () throws(VolumeError) in
                var seen = 0
                try tree.visitEntries(of: number, from: .start) { _, _ in
                    seen += 1
                    return seen < 10_000
                }
                #expect(seen < 10_000)
            }
            for offset in [0, 99_999, UInt64(Int64.max) - 1, UInt64.max] {
                attempt { () throws(VolumeError) in
                    _ = try tree.seek(.data, in: number, from: offset)
                    _ = try tree.seek(.hole, in: number, from: offset)
                }
                attempt { () throws(VolumeError) in
                    var bytes = [UInt8](repeating: 0, count: 20_000)
                    try bytes.fill(from: tree, number, at: offset)
                }
            }
        }
    }

    private mutating func write(_ files: BranchFiles, _ number: InodeNumber) {
        for size in [UInt64(Int64.max), 5, 100_000, 0] {
            attempt { () throws(VolumeError) in
                var change = AttributeChange()
                change.size = size
                try files.change(number, change)
            }
        }
        var opened: OpenFile?
        attempt { () throws(VolumeError) in opened = try files.openFile(number) }
        guard let file = opened else { return }
        for offset in [0, 8192, 50_000, UInt64(Int64.max) - 100_000] {
            attempt { () throws(VolumeError) in
                try file.write([UInt8](repeating: 3, count: 40_000), at: offset)
            }
        }
        attempt { () throws(VolumeError) in try file.clear(0..<UInt64(Int64.max)) }
        attempt { () throws(VolumeError) in try file.reserve(0..<200_000) }
        attempt { () throws(VolumeError) in try file.writeTimes() }
    }

    private mutating func rename(_ files: BranchFiles, _ folder: InodeNumber) {
        let names = ["file", "folder", "inner", "hard", "soft", "sparse", "new"]
        for (index, name) in names.enumerated() {
            for mode in [RenameMode.exchange, .expectFree, .replace] {
                attempt { () throws(VolumeError) in
                    let other = try FileName(names[(index + 3) % names.count])
                    try files.rename(FileName(name), in: .root, to: other, in: folder, mode)
                }
                attempt { () throws(VolumeError) in
                    try files.rename(FileName(name), in: folder, to: FileName("new"), in: .root)
                }
            }
            attempt { () throws(VolumeError) in
                _ = try files.makeFolder(FileName(name), in: folder, Ownership(permissions: 0o755))
            }
            attempt { () throws(VolumeError) in
                _ = try files.makeFile(FileName("f"), in: folder, Ownership(permissions: 0o644))
            }
            attempt { () throws(VolumeError) in
                try files.link(folder, as: FileName("again\(index)"), in: .root)
            }
        }
    }

    private mutating func remove(_ files: BranchFiles, _ folder: InodeNumber) {
        for name in ["new", "again1", "f", "hard", "sparse", "file", "soft", "inner", "folder"] {
            attempt { () throws(VolumeError) in
                try files.remove(FileName(name), from: folder)
            }
            attempt { () throws(VolumeError) in
                try files.removeFolder(FileName(name), from: folder)
            }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func fill(
        from tree: some FileTree,
        _ number: InodeNumber,
        at offset: UInt64
    ) throws(VolumeError) {
        var failure: VolumeError?
        withUnsafeMutableBytes { buffer in
            do throws(VolumeError) { _ = try tree.read(number, at: offset, into: buffer) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
