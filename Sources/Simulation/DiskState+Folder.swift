import DiskIO
import Primitives

/// What was done to the folder and is not durable yet. Each is atomic: a rename never leaves both
/// names or none.
struct EntryChange: Sendable {
    enum Kind: Sendable {
        case create, rename, remove
    }

    let kind: Kind
    /// The name that the file has afterwards, or had before it was removed.
    let name: String
    let file: FileNumber

    func apply(to entries: inout [String: FileNumber]) {
        if kind == .remove {
            if entries[name] == file { entries[name] = nil }
            return
        }
        // By the file and not by its old name: the operation that gave it that name may be lost.
        if let old = entries.first(where: { $0.value == file })?.key { entries[old] = nil }
        entries[name] = file
    }

    var operation: DiskOperation {
        switch kind {
        case .create: .create
        case .rename: .rename
        case .remove: .remove
        }
    }
}

extension DiskState {
    /// How many unsynced folder operations are kept apart; past it the older half is written back.
    static let pendingEntryLimit = 4096

    func folderCall(
        _ operation: DiskOperation,
        _ name: String,
        to newName: String? = nil
    ) -> DiskCall {
        DiskCall(
            operation: operation,
            file: name,
            fileChecksum: Checksum.of(Array(name.utf8)),
            content: newName.map { Checksum.of(Array($0.utf8)) } ?? 0
        )
    }

    mutating func open(_ name: String) throws(DiskError) -> FileNumber {
        let call = folderCall(.open, name)
        if let fault = try begin(call) { throw failing(fault, call) }
        guard let number = entries[name] else { throw .notFound(operation: call.sentence) }
        nodes[number]?.handles += 1
        return number
    }

    mutating func close(_ number: FileNumber) {
        nodes[number]?.handles -= 1
        forgetIfUnreachable(number)
    }

    mutating func create(_ name: String) throws(DiskError) -> FileNumber {
        let call = folderCall(.create, name)
        var made: FileNumber?
        try perform(call) { state throws(DiskError) in
            if state.entries[name] != nil { throw .exists(operation: call.sentence) }
            let number = state.makeNode(name)
            state.change(EntryChange(kind: .create, name: name, file: number))
            made = number
        }
        guard let made else { throw .notFound(operation: call.sentence) }
        nodes[made]?.handles += 1
        return made
    }

    /// In a random order: nobody may rely on one.
    mutating func list() throws(DiskError) -> [String] {
        let call = folderCall(.list, "")
        if let fault = try begin(call) { throw failing(fault, call) }
        var names = entries.keys.sorted()
        random.shuffle(&names)
        return names
    }

    mutating func remove(_ name: String) throws(DiskError) {
        let call = folderCall(.remove, name)
        try perform(call) { state throws(DiskError) in
            guard let number = state.entries[name] else {
                throw .notFound(operation: call.sentence)
            }
            state.nodes[number]?.isLinked = false
            state.change(EntryChange(kind: .remove, name: name, file: number))
        }
    }

    mutating func rename(_ name: String, to newName: String) throws(DiskError) {
        let call = folderCall(.rename, name, to: newName)
        try perform(call) { state throws(DiskError) in
            guard let number = state.entries[name] else {
                throw .notFound(operation: call.sentence)
            }
            if name == newName { return }
            if let replaced = state.entries[newName] { state.nodes[replaced]?.isLinked = false }
            state.nodes[number]?.take(name: newName)
            state.change(EntryChange(kind: .rename, name: newName, file: number))
        }
    }

    private mutating func change(_ change: EntryChange) {
        change.apply(to: &entries)
        pendingEntries.append(change)
        guard pendingEntries.count > Self.pendingEntryLimit else { return }
        let half = pendingEntries.count / 2
        for old in pendingEntries.prefix(half) { old.apply(to: &durableEntries) }
        pendingEntries.removeFirst(half)
    }

    mutating func syncFolder() throws(DiskError) {
        let call = folderCall(.syncFolder, "")
        switch try begin(call) {
        case nil: makeEntriesDurable()
        case .ignoredSync?: strike(.ignoredSync, call)
        case .powerLoss?: throw failing(.powerLoss, call)
        case let fault?:
            settleEntries(CrashModel())
            forgetUnreachable()
            throw failing(fault, call)
        }
    }

    mutating func makeEntriesDurable() {
        for change in pendingEntries { change.apply(to: &durableEntries) }
        pendingEntries.removeAll()
        forgetUnreachable()
    }

    /// Decides of each unsynced folder operation whether it is durable.
    mutating func settleEntries(_ model: CrashModel) {
        guard !pendingEntries.isEmpty else { return }
        let keptOfEight =
            switch model.fate {
            case .everythingKept: 8
            case .everythingLost: 0
            case .drawn: [0, 1, 4, 7, 8][random.below(5)]
            }
        for change in pendingEntries {
            if random.below(8) < keptOfEight {
                change.apply(to: &durableEntries)
            } else {
                note(.dropped, change.operation, change.name, 0..<0)
            }
        }
        pendingEntries.removeAll()
    }

    private mutating func forgetUnreachable() {
        for number in nodes.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            forgetIfUnreachable(number)
        }
    }

    /// Drops a file that neither a name, nor a handle, nor any crash could bring back.
    mutating func forgetIfUnreachable(_ number: FileNumber) {
        guard let node = nodes[number], !node.isLinked, node.handles <= 0,
            !pendingEntries.contains(where: { $0.file == number }),
            !durableEntries.values.contains(number)
        else { return }
        nodes[number] = nil
    }
}
