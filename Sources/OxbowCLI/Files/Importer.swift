import Glibc
import Volume

/// Copies a tree of this machine into a volume. What cannot be read is noted and left out; what
/// cannot be written ends it.
final class Importer {
    private let files: BranchFiles
    private let copy: ContentCopy
    private let merges: Bool
    /// The store's own folder, which is no part of what it holds.
    private let storeFolder: LocalStatus.ID?
    /// Whose everything becomes; nil where it stays whose it is.
    private let owner: (user: UInt32, group: UInt32)?
    private let note: (String) -> Void
    /// Told of each name that leads elsewhere now.
    private let changed: (FileName, InodeNumber) -> Void
    /// Files with several names, by what the system calls them.
    private var known: [LocalStatus.ID: InodeNumber] = [:]

    init(
        files: BranchFiles,
        copy: ContentCopy,
        merges: Bool,
        storeFolder: LocalStatus.ID?,
        owner: (user: UInt32, group: UInt32)? = nil,
        note: @escaping (String) -> Void,
        changed: @escaping (FileName, InodeNumber) -> Void
    ) {
        self.files = files
        self.copy = copy
        self.merges = merges
        self.storeFolder = storeFolder
        self.owner = owner
        self.note = note
        self.changed = changed
    }

    private struct Frame {
        let path: LocalPath
        let status: LocalStatus
        let folder: InodeNumber
        /// In reverse.
        var names: [[UInt8]]
        /// Whether it was there before, and so may have names.
        let isOld: Bool
    }

    func run(_ source: LocalPath, into top: InodeNumber, _ report: TreeReport) throws {
        let isOld = try files.attributes(of: top).size > 0
        guard let status = try source.target() else { return }
        var frames: [Frame] = []
        frames.append(try frame(source, status, top, isOld: isOld, report))
        while let last = frames.indices.last {
            guard let name = frames[last].names.popLast() else {
                let done = frames.removeLast()
                // Last of all, since what is made in a folder changes its time.
                if !done.isOld { try settle(done.folder, done.status) }
                continue
            }
            try copy.pause()
            let above = frames[last]
            let path = above.path.appending(name)
            do {
                if let inner = try add(path, FileName(name), above, report) {
                    frames.append(inner)
                }
            } catch let failure as LocalFailure {
                fail(failure.message, report)
            } catch is ContentCopy.Changed {
                fail(Failure.changed(path).message, report)
            } catch let error as VolumeError {
                throw Failure(Failure(error).kind, "import \(path.shown): \(error.message)")
            }
        }
    }

    private func fail(_ message: String, _ report: TreeReport) {
        report.failed.append(message)
        note("left out: \(message)")
    }

    private func skip(_ path: LocalPath, _ what: String, _ report: TreeReport) {
        report.skipped.append("\(path.shown): \(what)")
        note("left out: \(path.shown): \(what)")
    }

    private func frame(
        _ path: LocalPath,
        _ status: LocalStatus,
        _ folder: InodeNumber,
        isOld: Bool,
        _ report: TreeReport
    ) throws -> Frame {
        var names: [[UInt8]] = []
        do throws(LocalFailure) { names = try path.names() } catch {
            fail(error.message, report)
        }
        report.folders += 1
        return Frame(
            path: path,
            status: status,
            folder: folder,
            names: names.reversed(),
            isOld: isOld
        )
    }

    /// Copies what has a name; returns what is to be done next where that is a folder.
    private func add(
        _ path: LocalPath,
        _ name: FileName,
        _ above: Frame,
        _ report: TreeReport
    ) throws -> Frame? {
        let status = try path.status()
        let old = above.isOld ? try files.find(name, in: above.folder) : nil
        let oldKind = try old.map { try files.attributes(of: $0).kind }
        if status.isFolder {
            if status.id == storeFolder {
                skip(path, "it is the store itself", report)
                return nil
            }
            if let old, oldKind == .folder {
                return try frame(path, status, old, isOld: true, report)
            }
            if oldKind != nil {
                fail("\(path.shown): in the branch this is a file, and here a folder", report)
                return nil
            }
            let made = try files.makeFolder(name, in: above.folder, ownership(status))
            changed(name, above.folder)
            return try frame(path, status, made, isOld: false, report)
        }
        if oldKind == .folder {
            fail("\(path.shown): in the branch this is a folder, and here a file", report)
            return nil
        }
        try addFile(path, status, name, above.folder, replaces: old, report)
        return nil
    }

    private func addFile(
        _ path: LocalPath,
        _ status: LocalStatus,
        _ name: FileName,
        _ folder: InodeNumber,
        replaces old: InodeNumber?,
        _ report: TreeReport
    ) throws {
        if let first = known[status.id] {
            report.names += 1
            if old == first { return }
            return try place(name, folder, old) { try files.link(first, as: $0, in: folder) }
        }
        var made: InodeNumber?
        switch status.format {
        case S_IFREG:
            try place(name, folder, old) { name in
                made = try addContent(path, name, folder, report)
            }
            report.files += 1
        case S_IFLNK:
            let target = try path.linkTarget()
            try place(name, folder, old) { name in
                let link = try files.makeLink(name, in: folder, to: target, ownership(status))
                try settle(link, status)
                made = link
            }
            report.links += 1
        case S_IFIFO:
            try place(name, folder, old) { name in
                let pipe = try files.makeNode(name, in: folder, .pipe, ownership(status))
                try settle(pipe, status)
                made = pipe
            }
            report.pipes += 1
        case S_IFSOCK: skip(path, "it is a socket", report)
        default: skip(path, "it is a device", report)
        }
        if let made, status.linkCount > 1 { known[status.id] = made }
    }

    /// Makes something that is whole, or not there.
    private func place(
        _ name: FileName,
        _ folder: InodeNumber,
        _ old: InodeNumber?,
        _ make: (FileName) throws -> Void
    ) throws {
        defer { changed(name, folder) }
        if old != nil { return try files.place(name, in: folder, make) }
        do { try make(name) } catch {
            // What went wrong first is what is told.
            try? files.remove(name, from: folder)
            throw error
        }
    }

    private func addContent(
        _ path: LocalPath,
        _ name: FileName,
        _ folder: InodeNumber,
        _ report: TreeReport
    ) throws -> InodeNumber {
        let source = try LocalFile.reading(path, followingLast: false)
        let status = try source.status()
        guard status.isFile else { throw Failure.changed(path) }
        let number = try files.makeFile(name, in: folder, ownership(status))
        let target = try files.openFile(number)
        let read = try copy.read(source) { try unsafe target.write($0, at: $1) }
        try target.reserve(0..<read.byteCount)
        try verify(path, source, number, read)
        try settle(number, status)
        report.bytes += read.byteCount
        return number
    }

    private func verify(
        _ path: LocalPath,
        _ source: LocalFile,
        _ number: InodeNumber,
        _ read: ContentDigest
    ) throws {
        guard try copy.read(VolumeContent(tree: files, number: number)) == read else {
            throw Failure(
                "damaged",
                "\(path.shown): what was written to the branch does not read back; run `oxbow "
                    + "check`"
            )
        }
        guard try copy.read(source) == read else { throw ContentCopy.Changed() }
    }

    private func ownership(_ status: LocalStatus) -> Ownership {
        Ownership(
            permissions: status.permissions,
            owner: owner?.user ?? status.owner,
            group: owner?.group ?? status.group
        )
    }

    /// What making a file does not set, and what its folder handed on to it.
    private func settle(_ number: InodeNumber, _ status: LocalStatus) throws(VolumeError) {
        var change = AttributeChange()
        change.permissions = status.permissions
        change.owner = owner?.user ?? status.owner
        change.group = owner?.group ?? status.group
        change.accessed = .at(status.accessed)
        change.modified = .at(status.modified)
        try files.change(number, change)
    }
}
