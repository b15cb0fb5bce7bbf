import Glibc
import Volume

/// Copies a tree of a volume into a folder of this machine. The first thing that cannot be done
/// ends it.
final class Exporter {
    private let files: PastFiles
    private let copy: ContentCopy
    private let note: (String) -> Void
    private let isRoot = geteuid() == 0
    private var toldOfOwners = false
    /// Where files with several names are.
    private var known: [InodeNumber: LocalPath] = [:]
    /// Folders that were there before, and keep what they have.
    private var old: Set<InodeNumber> = []

    init(files: PastFiles, copy: ContentCopy, note: @escaping (String) -> Void) {
        self.files = files
        self.copy = copy
        self.note = note
    }

    func run(
        _ top: InodeNumber,
        _ path: [UInt8],
        to target: LocalPath,
        isNew: Bool,
        _ report: TreeReport
    ) throws {
        try TreeWalk.run(files, path, top) { step in
            switch step {
            case .enter(let place):
                report.folders += 1
                if place.name == nil {
                    if !isNew { old.insert(place.number) }
                } else {
                    try enter(place, local(place, path, target))
                }
            case .leave(let place):
                // Last of all, since what is made in a folder changes its time.
                if !old.contains(place.number) {
                    try settle(local(place, path, target), place)
                }
            case .other(let place):
                try add(place, local(place, path, target), report)
            }
        }
    }

    private func local(_ place: TreeWalk.Place, _ top: [UInt8], _ target: LocalPath) -> LocalPath {
        let slash = UInt8(ascii: "/")
        let rest = place.path.dropFirst(top.count).drop { $0 == slash }
        return rest.isEmpty ? target : target.appending(Array(rest))
    }

    private func enter(_ place: TreeWalk.Place, _ path: LocalPath) throws {
        do throws(LocalFailure) { try path.makeFolder() } catch {
            // A link to a folder would lead out of the target.
            guard error.code == EEXIST, try path.status().isFolder else { throw error }
            old.insert(place.number)
        }
    }

    private func add(
        _ place: TreeWalk.Place,
        _ path: LocalPath,
        _ report: TreeReport
    ) throws {
        if let first = known[place.number] {
            try put(path) { try first.link(as: $0) }
            report.names += 1
            return
        }
        switch place.attributes.kind {
        case .file:
            try put(path) { try addContent(place, $0) }
            report.files += 1
            report.bytes += place.attributes.size
        case .link:
            let target = try files.target(of: place.number)
            try put(path) { path in
                try path.makeLink(to: target)
                try settle(path, place)
            }
            report.links += 1
        case .pipe:
            try put(path) { path in
                try path.makePipe()
                try settle(path, place)
            }
            report.pipes += 1
        case .folder, .socket, .characterDevice, .blockDevice:
            let what = "\(Text.name(place.path)): it is a \(place.attributes.kind)"
            report.skipped.append(what)
            return note("left out: \(what)")
        }
        if place.attributes.linkCount > 1 { known[place.number] = path }
    }

    /// Makes something that is whole, or not there; what has its name is replaced.
    private func put(_ path: LocalPath, _ make: (LocalPath) throws -> Void) throws {
        do {
            try make(path)
        } catch let failure as LocalFailure where failure.code == EEXIST && failure.path == path {
            if try path.status().isFolder {
                throw Failure("file", "\(path.shown) is a folder, and a file in the branch")
            }
            try path.place(make)
        } catch {
            // What went wrong first is what is told.
            _ = try? path.call("remove") { unsafe unlink($0) }
            throw error
        }
    }

    private func addContent(_ place: TreeWalk.Place, _ path: LocalPath) throws {
        let target = try LocalFile.making(path)
        let source = VolumeContent(tree: files, number: place.number)
        let read = try copy.read(source) { try unsafe target.write($0, at: $1) }
        try target.resize(to: read.byteCount)
        target.forgetCache()
        guard try copy.read(target) == read else {
            throw Failure("file", "\(path.shown): what was written does not read back")
        }
        guard try copy.read(source) == read else {
            throw Failure("damaged", "\(Text.name(place.path)) does not read the same twice")
        }
        try settle(path, place)
    }

    /// The owner first: giving a file away takes bits of its mode.
    private func settle(_ path: LocalPath, _ place: TreeWalk.Place) throws {
        let attributes = place.attributes
        if isRoot {
            try path.setOwner(attributes.owner, attributes.group)
        } else if attributes.owner != geteuid() || attributes.group != getegid(), !toldOfOwners {
            toldOfOwners = true
            note("owners are not kept: only root can give files away")
        }
        if attributes.kind != .link { try path.setPermissions(attributes.permissions) }
        try path.setTimes(accessed: attributes.accessed, modified: attributes.modified)
    }
}
