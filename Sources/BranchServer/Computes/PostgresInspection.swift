import Primitives
package import Volume

/// The look at a data folder without a process: the server reads the branch's files where they
/// are, in the volume, and changes there what a fork must not have.
///
/// It does what ``PostgresPreflight/script`` does, in a millisecond instead of twenty, where that
/// is certain to be the same: no links, no slots, a control file of a form that is known, and
/// nothing to be changed in a tree that the kernel keeps something of. In all other cases it does
/// nothing, and the script is run.
package struct PostgresInspection {
    private let files: BranchFiles
    private let folder: InodeNumber
    private let key: String
    private let isMoment: Bool
    private let bytesToRedo: UInt64
    private var said: [String] = []
    /// What is to be put right, in order.
    private var changes: [Change] = []

    private enum Change {
        case remove(String)
        case makeFolder(String)
        case write(String, [UInt8])
    }

    private static let confBytes: UInt64 = 1 << 20

    /// A branch with so much of its log to redo is promoted afterwards: that costs the copy of a
    /// file of the log, and saves a checkpoint before the first session.
    package static let promotedBytes: UInt64 = 256 << 10

    /// What was found, and put right; nil where the script has to do it.
    ///
    /// - Parameters:
    ///   - mayChange: Whether the kernel knows nothing of these files yet.
    ///   - bytesToRedo: How much of PostgreSQL's log the start will redo.
    package static func look(
        _ files: BranchFiles,
        key: String,
        isMoment: Bool,
        mayChange: Bool,
        bytesToRedo: UInt64 = 0
    ) throws(VolumeError) -> PostgresPreflight? {
        let folder: InodeNumber
        do throws(VolumeError) {
            folder = try files.lookUp(FileName(ComputePlace.dataFolder), in: .root)
        } catch {
            if error.kind == .notFound || error.kind == .notAFolder { return nil }
            throw error
        }
        var look = PostgresInspection(files, folder, key, isMoment, bytesToRedo)
        guard let control = try look.control(), try look.isPlain(control) else { return nil }
        if mayChange { look.choosePromotion(control) }
        guard mayChange || look.changes.isEmpty else { return nil }
        for change in look.changes { try look.make(change) }
        return PostgresPreflight(look.said.joined(separator: "\n"), control: control)
    }

    /// Has a standby that was started to be promoted end its recovery as soon as its log is redone.
    /// What it changed is told, since the kernel may know of it.
    static func promote(
        _ files: BranchFiles,
        changed: (FileName, InodeNumber) -> Void
    ) throws(VolumeError) {
        let folder = try files.lookUp(FileName(ComputePlace.dataFolder), in: .root)
        let name = try FileName("promote")
        try PostgresInspection(files, folder, "", false, 0).make(.write("promote", []))
        changed(name, folder)
    }

    private init(
        _ files: BranchFiles,
        _ folder: InodeNumber,
        _ key: String,
        _ isMoment: Bool,
        _ bytesToRedo: UInt64
    ) {
        self.files = files
        self.folder = folder
        self.key = key
        self.isMoment = isMoment
        self.bytesToRedo = bytesToRedo
    }

    // MARK: Looking

    private mutating func isPlain(_ control: [String: String]) throws(VolumeError) -> Bool {
        let all = try entries(of: folder)
        guard let version = try text("PG_VERSION", all), let number = Int(version),
            all.allSatisfy({ $0.kind != .link }),
            try isEmpty("pg_tblspc", all), try isEmpty("pg_replslot", all)
        else { return false }
        said.append("version \(number)")
        let names = Set(all.map { $0.name.description })
        let isUnsettled = names.contains("backup_label") || Self.namesAPointToReach(control)
        if isUnsettled { said.append("unsettled") }
        for name in ["standby.signal", "recovery.signal", "recovery.conf"]
        where !isMoment && names.contains(name) {
            let isOwn = try text(name, all) == PostgresPreflight.ownSignal
            if !isOwn || name != "standby.signal" {
                said.append("signal \(name)")
            } else if isUnsettled {
                changes.append(.remove(name))
            } else {
                said.append("promotes")
            }
        }
        let owner = try text("oxbow.branch", all) ?? ""
        if owner != key {
            changes.append(.write("oxbow.branch", Array("\(key)\n".utf8)))
            if !owner.isEmpty { said.append("fresh") }
        }
        if names.contains("postmaster.pid") { changes.append(.remove("postmaster.pid")) }
        if isMoment {
            switch all.first(where: { $0.name.description == "standby.signal" })?.kind {
            case .folder: break
            case nil: changes.append(.makeFolder("standby.signal"))
            default: changes += [.remove("standby.signal"), .makeFolder("standby.signal")]
            }
        }
        for entry in try list("pg_twophase", all) where entry.kind == .file {
            said.append("prepared")
        }
        return try looksForFullPageWrites(all)
    }

    private static func namesAPointToReach(_ control: [String: String]) -> Bool {
        let points = ["Minimum recovery ending", "Backup start", "Backup end"]
        return points.contains {
            control["\($0) location"]?.contains { !"0/".contains($0) } ?? true
        }
            || control["End-of-backup record required"] != "no"
    }

    /// A log of `wal_level=minimal` can only be redone by a server that makes a checkpoint then.
    private mutating func choosePromotion(_ control: [String: String]) {
        guard !isMoment, bytesToRedo >= Self.promotedBytes,
            control["wal_level setting"] != "minimal",
            !said.contains(where: {
                ["promotes", "unsettled"].contains($0) || $0.hasPrefix("signal")
            })
        else { return }
        let signal = Array("\(PostgresPreflight.ownSignal)\n".utf8)
        changes.append(.write("standby.signal", signal))
        said.append("promotes")
    }

    private mutating func looksForFullPageWrites(
        _ all: [Listing]
    ) throws(VolumeError) -> Bool {
        for name in ["postgresql.conf", "postgresql.auto.conf"] {
            guard let entry = all.first(where: { $0.name.description == name }) else { continue }
            guard try files.attributes(of: entry.number).size <= Self.confBytes else {
                return false
            }
            let text = String(decoding: try bytes(entry.number), as: UTF8.self).lowercased()
            let isSet = text.split(whereSeparator: \.isNewline).contains { line in
                line.drop { $0.isWhitespace }.hasPrefix("full_page_writes")
            }
            if isSet { said.append("full_page_writes") }
        }
        return true
    }

    private func control() throws(VolumeError) -> [String: String]? {
        let bytes: [UInt8]
        do throws(VolumeError) {
            let global = try files.lookUp(FileName("global"), in: folder)
            bytes = try self.bytes(files.lookUp(FileName("pg_control"), in: global))
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
        return try? PostgresControl(decoding: bytes).settings
    }

    // MARK: The volume

    private func entries(of folder: InodeNumber) throws(VolumeError) -> [Listing] {
        var all: [Listing] = []
        try files.visitEntries(of: folder, from: .start) { entry, _ in
            all.append(entry)
            return all.count < 10_000
        }
        return all
    }

    /// What is in a folder of the data folder's; nothing where that is none.
    private func list(_ name: String, _ all: [Listing]) throws(VolumeError) -> [Listing] {
        guard let entry = all.first(where: { $0.name.description == name }),
            entry.kind == .folder
        else { return [] }
        return try entries(of: entry.number)
    }

    private func isEmpty(_ name: String, _ all: [Listing]) throws(VolumeError) -> Bool {
        try list(name, all).isEmpty
    }

    /// The first line of a small file; nil where there is none.
    private func text(_ name: String, _ all: [Listing]) throws(VolumeError) -> String? {
        guard let entry = all.first(where: { $0.name.description == name }), entry.kind == .file
        else { return nil }
        let text = String(decoding: try bytes(entry.number).prefix(256), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).first.map { String($0).trimmed }
    }

    private func bytes(_ number: InodeNumber) throws(VolumeError) -> [UInt8] {
        let size = min(try files.attributes(of: number).size, Self.confBytes)
        return try files.openFile(number).read(at: 0, count: Int(size))
    }

    // MARK: Putting right

    private func make(_ change: Change) throws(VolumeError) {
        switch change {
        case .remove(let name): try files.remove(FileName(name), from: folder)
        case .makeFolder(let name):
            try files.makeFolder(FileName(name), in: folder, ownership(permissions: 0o700))
        case .write(let name, let bytes):
            let ownership = try ownership(permissions: 0o600)
            let number: InodeNumber
            do throws(VolumeError) {
                number = try files.lookUp(FileName(name), in: folder)
            } catch {
                guard error.kind == .notFound else { throw error }
                number = try files.makeFile(FileName(name), in: folder, ownership)
            }
            var empty = AttributeChange()
            empty.size = 0
            try files.change(number, empty)
            if !bytes.isEmpty { try files.openFile(number).write(bytes, at: 0) }
        }
    }

    private func ownership(permissions: UInt16) throws(VolumeError) -> Ownership {
        let known = try files.attributes(of: folder)
        return Ownership(permissions: permissions, owner: known.owner, group: known.group)
    }
}
