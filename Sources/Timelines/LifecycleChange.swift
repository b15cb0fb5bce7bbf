package import PageStorage
package import Primitives
package import WriteAheadLog

/// A change to branches, snapshots or retention: what a lifecycle record says. The record's LSN
/// is the id of what it makes.
package enum LifecycleChange: Sendable, Equatable {
    /// `root` is where the map of a past origin was written down; nil where the origin is the head
    /// that the record finds.
    case create(name: String, parent: BranchID?, origin: Origin?, root: Location?, expiry: LogTime?)
    case delete(BranchID)
    case undelete(BranchID, name: String, expiry: LogTime?)
    case rename(BranchID, name: String)
    case protect(BranchID, Bool)
    case expire(BranchID, LogTime?)
    case reset(BranchID, to: Origin, root: Location?)
    case createSnapshot(
        name: String,
        branch: BranchID,
        origin: Origin,
        mark: RecordMark,
        root: Location?
    )
    case deleteSnapshot(UInt64)
    case window(BranchID?, Window?)
    /// History moves on; the checkpoints that go are named.
    case cutoff(denseFrom: LSN, historyFrom: LSN, dropped: [MapKey])
    /// Timelines that nobody can reach any more let go of their pages.
    case purge([TimelineID])
    /// The clock jumped this far (nanoseconds) against the log's time.
    case clockJump(Int64)
    /// The branch is the record's author's from now on, by that name and until then.
    case handOver(BranchID, name: String, expiry: LogTime?)
}

/// A change and who made it.
package struct LifecycleRecord: Sendable, Equatable {
    package var change: LifecycleChange
    package var authorship: Authorship

    package init(_ change: LifecycleChange, _ authorship: Authorship) {
        self.change = change
        self.authorship = authorship
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 96)
        change.encode(to: &writer)
        authorship.encode(to: &writer)
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(Malformed) {
        var reader = ByteReader(bytes)
        try self.init(decoding: &reader)
        try reader.end("a lifecycle record")
    }

    init(decoding reader: inout ByteReader) throws(Malformed) {
        change = try LifecycleChange(decoding: &reader)
        authorship = try Authorship(decoding: &reader)
    }
}

extension LifecycleChange {
    private var tag: UInt8 {
        switch self {
        case .create: 1
        case .delete: 2
        case .rename: 4
        case .protect: 5
        case .expire: 6
        case .reset: 7
        case .createSnapshot: 8
        case .deleteSnapshot: 9
        case .window: 10
        case .cutoff: 11
        case .clockJump: 12
        case .purge: 13
        case .handOver: 14
        case .undelete: 15
        }
    }

    func encode(to writer: inout ByteWriter) {
        writer.append(tag)
        switch self {
        case .create(let name, let parent, let origin, let root, let expiry):
            writer.append(text: name)
            writer.append(varint: parent.map(\.rawValue) ?? 0)
            writer.append(varint: origin.map(\.timeline.rawValue) ?? 0)
            writer.append(varint: origin.map(\.lsn.rawValue) ?? 0)
            Self.encode(root, to: &writer)
            writer.append(varint: expiry.map { $0.rawValue } ?? .max)
        case .delete(let branch): writer.append(varint: branch.rawValue)
        case .rename(let branch, let name):
            writer.append(varint: branch.rawValue)
            writer.append(text: name)
        case .protect(let branch, let isProtected):
            writer.append(varint: branch.rawValue)
            writer.append(UInt8(isProtected ? 1 : 0))
        case .expire(let branch, let moment):
            writer.append(varint: branch.rawValue)
            writer.append(varint: moment.map { $0.rawValue } ?? .max)
        case .reset(let branch, let origin, let root):
            writer.append(varint: branch.rawValue)
            writer.append(varint: origin.timeline.rawValue)
            writer.append(varint: origin.lsn.rawValue)
            Self.encode(root, to: &writer)
        case .createSnapshot(let name, let branch, let origin, let mark, let root):
            writer.append(text: name)
            writer.append(varint: branch.rawValue)
            writer.append(varint: origin.timeline.rawValue)
            writer.append(varint: origin.lsn.rawValue)
            mark.encode(to: &writer)
            Self.encode(root, to: &writer)
        case .deleteSnapshot(let id): writer.append(varint: id)
        case .window(let branch, let window):
            writer.append(varint: branch.map(\.rawValue) ?? 0)
            writer.append(UInt8(window == nil ? 0 : 1))
            writer.append(varint: window?.nanoseconds ?? 0)
            writer.append(varint: window?.bytes ?? 0)
        case .cutoff(let denseFrom, let historyFrom, let dropped):
            writer.append(varint: denseFrom.rawValue)
            writer.append(varint: historyFrom.rawValue)
            writer.append(varint: UInt64(dropped.count))
            for key in dropped {
                writer.append(varint: key.high)
                writer.append(varint: key.low)
            }
        case .purge(let timelines):
            writer.append(varint: UInt64(timelines.count))
            for timeline in timelines { writer.append(varint: timeline.rawValue) }
        case .clockJump(let nanoseconds): writer.append(zigzag: nanoseconds)
        case .handOver(let branch, let name, let moment),
            .undelete(let branch, let name, let moment):
            writer.append(varint: branch.rawValue)
            writer.append(text: name)
            writer.append(varint: moment.map { $0.rawValue } ?? .max)
        }
    }

    private static func encode(_ root: Location?, to writer: inout ByteWriter) {
        writer.append(UInt8(root == nil ? 0 : 1))
        root?.encode(to: &writer)
    }

    private static func root(_ reader: inout ByteReader) throws(Malformed) -> Location? {
        try reader.byte("root") == 0 ? nil : try Location(decoding: &reader)
    }

    init(decoding reader: inout ByteReader) throws(Malformed) {
        func branch(_ reader: inout ByteReader) throws(Malformed) -> BranchID {
            BranchID(rawValue: try reader.varint("branch"))
        }
        func origin(_ reader: inout ByteReader) throws(Malformed) -> Origin {
            let timeline = TimelineID(rawValue: try reader.varint("origin"))
            return Origin(timeline: timeline, lsn: LSN(rawValue: try reader.varint("origin")))
        }
        func moment(_ reader: inout ByteReader) throws(Malformed) -> LogTime? {
            let value = try reader.varint("moment")
            return value == .max ? nil : LogTime(rawValue: value)
        }
        let tag = try reader.byte("lifecycle change")
        switch tag {
        case 1:
            let name = try reader.text("name")
            let parent = try branch(&reader)
            let start = try origin(&reader)
            let root = try Self.root(&reader)
            self = .create(
                name: name,
                parent: parent.rawValue == 0 ? nil : parent,
                origin: start.timeline == .none ? nil : start,
                root: root,
                expiry: try moment(&reader)
            )
        case 2: self = .delete(try branch(&reader))
        case 3:
            // As it was written when what came back never had an expiry.
            let id = try branch(&reader)
            self = .undelete(id, name: try reader.text("name"), expiry: nil)
        case 4: self = .rename(try branch(&reader), name: try reader.text("name"))
        case 5: self = .protect(try branch(&reader), try reader.byte("protection") == 1)
        case 6: self = .expire(try branch(&reader), try moment(&reader))
        case 7:
            self = .reset(
                try branch(&reader),
                to: try origin(&reader),
                root: try Self.root(&reader)
            )
        case 8:
            let name = try reader.text("name")
            self = .createSnapshot(
                name: name,
                branch: try branch(&reader),
                origin: try origin(&reader),
                mark: try RecordMark(decoding: &reader),
                root: try Self.root(&reader)
            )
        case 9: self = .deleteSnapshot(try reader.varint("snapshot"))
        case 10:
            let id = try branch(&reader)
            let isSet = try reader.byte("window") == 1
            let nanoseconds = try reader.varint("window")
            let window = Window(nanoseconds: nanoseconds, bytes: try reader.varint("window"))
            self = .window(id.rawValue == 0 ? nil : id, isSet ? window : nil)
        case 11:
            let dense = LSN(rawValue: try reader.varint("cutoff"))
            let from = LSN(rawValue: try reader.varint("cutoff"))
            var dropped: [MapKey] = []
            for _ in 0..<(try reader.count("dropped checkpoints", ofAtLeast: 2)) {
                let high = try reader.varint("dropped checkpoint")
                dropped.append(MapKey(high, try reader.varint("dropped checkpoint")))
            }
            self = .cutoff(denseFrom: dense, historyFrom: from, dropped: dropped)
        case 12: self = .clockJump(try reader.zigzag("jump"))
        case 13:
            var timelines: [TimelineID] = []
            for _ in 0..<(try reader.count("purged timelines")) {
                timelines.append(TimelineID(rawValue: try reader.varint("purged timeline")))
            }
            self = .purge(timelines)
        case 14:
            let id = try branch(&reader)
            let name = try reader.text("name")
            self = .handOver(id, name: name, expiry: try moment(&reader))
        case 15:
            let id = try branch(&reader)
            let name = try reader.text("name")
            self = .undelete(id, name: name, expiry: try moment(&reader))
        default: throw Malformed("lifecycle change \(tag)", at: 0)
        }
    }
}
