import Oxbow

/// What a check of a volume found.
public struct VolumeReport: Sendable, Equatable {
    /// How many folders there are, the root among them.
    public internal(set) var folders: UInt64 = 0
    /// How many files and links there are.
    public internal(set) var files: UInt64 = 0
    /// How many pages of content they have.
    public internal(set) var pages: UInt64 = 0
    /// What is not as it must be, a sentence each; the first thousand.
    public internal(set) var problems: [String] = []
    /// How many there are.
    public internal(set) var problemCount: UInt64 = 0

    init() {}

    /// Of a volume that cannot be read at all.
    public init(unreadable problem: String) { note(problem) }

    mutating func note(_ problem: String) {
        problemCount += 1
        if problems.count < 1000 { problems.append(problem) }
    }
}

extension PastFiles {
    /// Proves that the volume is sound: every name leads to a file, every file has as many names
    /// as it says, every folder is in one folder, pages belong to files and stand inside of them.
    ///
    /// Reads every inode, every folder and the last page of every file. Takes memory for each
    /// file.
    public func check() -> VolumeReport {
        var check = VolumeCheck(reader: reader())
        do throws(VolumeError) {
            try check.walkFolders()
            try check.checkInodes(below: nextInode)
            try check.checkOrphans()
            try check.checkObjects()
        } catch { check.report.note(error.description) }
        return check.report
    }
}

struct VolumeCheck {
    let reader: VolumeReader
    var report = VolumeReport()
    /// How many names lead to each inode; of a folder, with those that its own folders give it.
    private var names: [InodeNumber: UInt32] = [.root: 2]
    private var orphans: Set<InodeNumber> = []
    private var damaged: Set<InodeNumber> = []

    private enum Found {
        case none, damaged
        case sound(Inode)
    }

    init(reader: VolumeReader) { self.reader = reader }

    mutating func walkFolders() throws(VolumeError) {
        var waiting: [(folder: InodeNumber, parent: InodeNumber)] = [(.root, .root)]
        while let (number, parent) = waiting.popLast() {
            // What its entry says of it, checkEntry has noted where it is not so.
            guard case .sound(let folder) = try look(number), folder.kind == .folder else {
                if number == .root { report.note("there is no root") }
                continue
            }
            report.folders += 1
            if folder.parent != parent {
                report.note("folder \(number) is in \(parent), and says in \(folder.parent)")
            }
            try walk(folder) { waiting.append(($0, number)) }
        }
    }

    /// An inode; a damaged one is noted once.
    private mutating func look(_ number: InodeNumber) throws(VolumeError) -> Found {
        if damaged.contains(number) { return .damaged }
        do throws(VolumeError) {
            return try reader.inode(number).map { .sound($0) } ?? .none
        } catch {
            try note(error)
            damaged.insert(number)
            return .damaged
        }
    }

    /// Damage is noted, and the check goes on; anything else ends it.
    private mutating func note(_ error: VolumeError) throws(VolumeError) {
        guard error.kind == .damaged else { throw error }
        report.note(error.message)
    }

    private mutating func entries(
        _ page: PageNumber,
        of folder: InodeNumber
    ) throws(VolumeError) -> [FolderEntry] {
        do throws(VolumeError) {
            return try reader.folderPage(page, of: folder)?.entries ?? []
        } catch {
            try note(error)
            return []
        }
    }

    private mutating func walk(
        _ folder: Inode,
        _ found: (InodeNumber) -> Void
    ) throws(VolumeError) {
        let number = folder.number
        var pages: [PageNumber] = []
        try engine { () throws(OxbowError) in
            try reader.pages.visit(of: number.object) { page in
                pages.append(page)
                return true
            }
        }
        var entryCount: UInt64 = 0
        for page in pages {
            for entry in try entries(page, of: number) {
                entryCount += 1
                if entry.name.page(seed: reader.seed) != page {
                    report.note("\(entry.name) in folder \(number) stands in a wrong place")
                }
                if entry.kind == .folder {
                    names[number, default: 0] += 1
                    if names[entry.number] != nil {
                        report.note("folder \(entry.number) is in two folders")
                    } else {
                        found(entry.number)
                    }
                    names[entry.number, default: 0] += 2
                } else {
                    names[entry.number, default: 0] += 1
                }
                try checkEntry(entry, in: number)
            }
        }
        if entryCount != folder.entryCount {
            report.note("folder \(number) has \(entryCount) entries, and says \(folder.entryCount)")
        }
        expectPages(UInt64(pages.count), folder)
    }

    private mutating func checkEntry(
        _ entry: FolderEntry,
        in folder: InodeNumber
    ) throws(VolumeError) {
        switch try look(entry.number) {
        case .sound(let inode) where inode.kind != entry.kind:
            report.note("\(entry.name) in folder \(folder) is a \(inode.kind), not a \(entry.kind)")
        case .none:
            report.note("\(entry.name) in folder \(folder) leads to no file (\(entry.number))")
        default: break
        }
    }

    private mutating func expectPages(_ count: UInt64, _ inode: Inode) {
        report.pages += count
        if count != inode.attributes.pageCount {
            report.note(
                "inode \(inode.number) has \(count) pages, and says \(inode.attributes.pageCount)"
            )
        }
    }

    mutating func checkInodes(below limit: UInt64) throws(VolumeError) {
        var next: PageNumber? = 0
        while let from = next {
            let found = try engine { () throws(OxbowError) in
                try reader.pages.firstWritten(from: from, of: VolumeLayout.inodes)
            }
            guard let page = found else { return }
            next = PageNumber(page.rawValue + 1)
            let number = InodeNumber(rawValue: page.rawValue)
            guard number >= .root, number.rawValue < limit else {
                report.note("inode \(number) was never given out")
                continue
            }
            switch try look(number) {
            case .sound(let inode): try check(inode)
            case .damaged: names[number] = nil
            case .none: break
            }
        }
    }

    private mutating func check(_ inode: Inode) throws(VolumeError) {
        let number = inode.number
        let expected = names.removeValue(forKey: number) ?? 0
        if expected != inode.attributes.linkCount {
            report.note(
                "inode \(number) has \(expected) names, and says \(inode.attributes.linkCount)"
            )
        }
        guard inode.kind != .folder else { return }
        report.files += 1
        if expected == 0 { orphans.insert(number) }
        try checkContent(inode)
    }

    /// Pages behind a file's end would come back when it grows.
    private mutating func checkContent(_ inode: Inode) throws(VolumeError) {
        let size = inode.attributes.size
        let pageSize = UInt64(reader.pageSize)
        let end = (size / pageSize) + (size % pageSize == 0 ? 0 : 1)
        var count: UInt64 = 0
        var last: PageNumber?
        try engine { () throws(OxbowError) in
            try reader.pages.visit(of: inode.number.object) { page in
                count += 1
                last = page
                return true
            }
        }
        expectPages(count, inode)
        if let last, last.rawValue >= end {
            report.note("inode \(inode.number) has page \(last) behind its end at \(size)")
        } else if let last, last.rawValue == end - 1, size % pageSize > 0 {
            try checkEnd(last, inode, Int(size % pageSize))
        }
    }

    private mutating func checkEnd(
        _ last: PageNumber,
        _ inode: Inode,
        _ end: Int
    ) throws(VolumeError) {
        do throws(VolumeError) {
            let page = try reader.page(last, of: inode.number)
            guard page[end...].contains(where: { $0 != 0 }) else { return }
            let size = inode.attributes.size
            report.note("inode \(inode.number) has bytes behind its end at \(size)")
        } catch { try note(error) }
    }

    mutating func checkOrphans() throws(VolumeError) {
        for number in names.keys.sorted() {
            report.note("a name leads to inode \(number), which does not exist")
        }
        var listed: Set<InodeNumber> = []
        try engine { () throws(OxbowError) in
            try reader.pages.visit(of: VolumeLayout.orphans) { page in
                listed.insert(InodeNumber(rawValue: page.rawValue))
                return true
            }
        }
        for number in orphans.subtracting(listed).sorted() {
            report.note("inode \(number) has no name, and is not listed for its end")
        }
        for number in listed.subtracting(orphans).sorted() {
            report.note("inode \(number) is listed for its end, and is no nameless file")
        }
    }

    mutating func checkObjects() throws(VolumeError) {
        var next: ObjectID? = ObjectID(0)
        while let from = next {
            let found = try engine { () throws(OxbowError) in
                try reader.pages.firstObject(from: from)
            }
            guard let object = found else { return }
            next = object.rawValue == .max ? nil : ObjectID(object.rawValue + 1)
            if object.rawValue <= VolumeLayout.orphans.rawValue { continue }
            if object.rawValue < VolumeLayout.firstContent.rawValue {
                report.note("object \(object) is none of a volume's")
            } else if case .none = try look(InodeNumber(rawValue: object.rawValue)) {
                report.note("object \(object) has pages, and there is no such inode")
            }
        }
    }
}
