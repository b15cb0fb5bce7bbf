import Primitives
import Timelines
import WriteAheadLog

extension LogDump {
    /// A record, told in words.
    package struct Record: Sendable, Equatable {
        package var lsn: LSN
        package var time: LogTime
        package var clock: LogTime
        /// `commit`, `blocks`, `checkpoint`, `lifecycle` or `mark`.
        package var kind: String
        /// Nil for records of the store as a whole.
        package var timeline: TimelineID?
        package var byteCount: Int
        package var durable: LSN
        package var blocks: [Block]
        /// What it says beside its blocks, each with its name.
        package var content: [Field]
        /// Who made it, of a lifecycle record.
        package var author: Author?
    }

    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String

        init(_ name: String, _ value: some CustomStringConvertible) {
            self.name = name
            self.value = value.description
        }
    }

    package struct Block: Sendable, Equatable {
        package enum Kind: String, Sendable {
            case page, deletion, range, node
        }

        package var kind: Kind
        package var lsn: LSN
        package var byteCount: Int
        /// Of a node: which map.
        package var object: UInt64
        /// Of a node: its level.
        package var page: UInt64
        /// Of a range: the first page that is not in it.
        package var upTo: UInt64?
    }

    /// The kinds of records that there are.
    package static var kinds: [String] { RecordKind.allCases.map(\.name) }
}

extension RecordKind {
    var name: String {
        switch self {
        case .commit: "commit"
        case .blocks: "blocks"
        case .checkpoint: "checkpoint"
        case .lifecycle: "lifecycle"
        case .mark: "mark"
        }
    }
}

extension LogDump.Record {
    init(_ record: WriteAheadLog.Record) {
        let header = record.header
        lsn = record.lsn
        time = header.time
        clock = header.clock
        kind = header.kind.name
        timeline = header.timeline == .none ? nil : header.timeline
        byteCount = Int(header.length)
        durable = header.durable
        blocks = record.blocks.map(LogDump.Block.init)
        content = []
        do throws(Malformed) { try describe(record) } catch {
            content = [.init("malformed", error.what)]
        }
    }

    private mutating func describe(_ record: WriteAheadLog.Record) throws(Malformed) {
        switch record.header.kind {
        case .commit:
            guard !record.meta.isEmpty else { break }
            let meta = try CommitMeta(decoding: record.meta)
            content = [.init("pages", meta.pages)]
            if let root = meta.root { content.append(.init("root", root.lsn)) }
        case .checkpoint:
            var reader = ByteReader(record.meta)
            let entry = try CheckpointEntry(decoding: &reader)
            content = [
                .init("cut", entry.cut), .init("until", entry.time),
                .init("denseFrom", entry.state.denseFrom),
                .init("historyFrom", entry.state.historyFrom),
            ]
        case .lifecycle:
            let lifecycle = try LifecycleRecord(decoding: record.meta)
            content = lifecycle.change.fields(madeAt: record.lsn)
            let authorship = lifecycle.authorship
            author = Author(authorship.actor, labels: authorship.labels)
        case .blocks, .mark: break
        }
    }
}

extension LogDump.Block {
    init(_ block: RecordBlock) {
        self.init(block.header)
        if kind == .range { upTo = block.upperBound }
    }

    init(_ header: BlockHeader) {
        kind =
            switch header.kind {
            case .page: .page
            case .pageDeletion: .deletion
            case .rangeDeletion: .range
            case .node: .node
            }
        lsn = header.lsn
        byteCount = Int(header.length)
        object = header.object
        page = header.page
        upTo = nil
    }
}

extension LifecycleChange {
    /// The change in words. The id of what it makes is its record's position.
    func fields(madeAt lsn: LSN) -> [LogDump.Field] {
        switch self {
        case .create(let name, let parent, let origin, let root, let expiry):
            return [.init("change", "create"), .init("branch", BranchID(lsn)), .init("name", name)]
                + [
                    parent.map { .init("parent", $0) }, origin.map { .init("origin", $0.lsn) },
                    root.map { .init("root", $0.lsn) }, expiry.map { .init("expires", $0) },
                ].compactMap { $0 }
        case .delete(let branch): return [.init("change", "delete"), .init("branch", branch)]
        case .undelete(let branch, let name, let moment):
            return [
                .init("change", "undelete"), .init("branch", branch), .init("name", name),
                .init("expires", moment?.description ?? "never"),
            ]
        case .rename(let branch, let name):
            return [.init("change", "rename"), .init("branch", branch), .init("name", name)]
        case .handOver(let branch, let name, let moment):
            return [
                .init("change", "hand over"), .init("branch", branch), .init("name", name),
                .init("expires", moment?.description ?? "never"),
            ]
        case .protect(let branch, let isProtected):
            return [
                .init("change", isProtected ? "protect" : "unprotect"), .init("branch", branch),
            ]
        case .expire(let branch, let moment):
            return [
                .init("change", "expire"), .init("branch", branch),
                .init("expires", moment?.description ?? "never"),
            ]
        case .reset(let branch, let origin, let root):
            return [.init("change", "reset"), .init("branch", branch), .init("to", origin.lsn)]
                + [root.map { .init("root", $0.lsn) }].compactMap { $0 }
        case .createSnapshot(let name, let branch, let origin, _, let root):
            return [
                .init("change", "snapshot"), .init("name", name), .init("branch", branch),
                .init("of", origin.lsn),
            ] + [root.map { .init("root", $0.lsn) }].compactMap { $0 }
        case .deleteSnapshot(let id):
            return [.init("change", "delete snapshot"), .init("snapshot", LSN(rawValue: id))]
        case .window(let branch, let window):
            return [.init("change", "window")]
                + [
                    branch.map { .init("branch", $0) },
                    window.map { .init("nanoseconds", $0.nanoseconds) },
                    window.map { .init("bytes", $0.bytes) },
                ].compactMap { $0 }
        case .cutoff(let dense, let history, let dropped):
            return [
                .init("change", "cutoff"), .init("denseFrom", dense),
                .init("historyFrom", history), .init("droppedCheckpoints", dropped.count),
            ]
        case .purge(let timelines):
            let names = timelines.map(\.description).joined(separator: " ")
            return [.init("change", "purge"), .init("timelines", names)]
        case .clockJump(let nanoseconds):
            return [.init("change", "clock jump"), .init("nanoseconds", nanoseconds)]
        }
    }
}
