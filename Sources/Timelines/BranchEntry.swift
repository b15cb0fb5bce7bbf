import PageStorage
package import Primitives
package import WriteAheadLog

/// Who did something, and what they said of it. The engine does not interpret it.
package struct Authorship: Sendable, Equatable {
    package var actor: String
    package var labels: [String: String]

    package init(actor: String = "", labels: [String: String] = [:]) {
        self.actor = actor
        self.labels = labels
    }

    package static let maximumActorBytes = 128
    package static let maximumLabels = 32
    /// All labels together, so that an entry fits into a record of the smallest segments.
    package static let maximumLabelBytes = 2048

    func encode(to writer: inout ByteWriter) {
        writer.append(text: actor)
        writer.append(varint: UInt64(labels.count))
        if labels.isEmpty { return }
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            writer.append(text: key)
            writer.append(text: value)
        }
    }

    init(decoding reader: inout ByteReader) throws(Malformed) {
        actor = try reader.text("actor")
        labels = [:]
        for _ in 0..<(try reader.count("labels", ofAtLeast: 2)) {
            let key = try reader.text("label")
            labels[key] = try reader.text("label's value")
        }
    }
}

/// From which record on a branch showed which timeline. A reset adds one.
package struct PathInterval: Sendable, Equatable {
    package var timeline: TimelineID
    package var from: LSN
}

/// How far back history is kept: for how long, and in how many bytes of log at most.
package struct Window: Sendable, Equatable {
    package var nanoseconds: UInt64
    package var bytes: UInt64

    package init(nanoseconds: UInt64, bytes: UInt64) {
        self.nanoseconds = nanoseconds
        self.bytes = bytes
    }
}

/// What the catalog knows of a branch, dead or alive.
package struct BranchEntry: Sendable {
    package var name: String
    package var birth: RecordMark
    package var authorship: Authorship
    package var origin: Origin?
    package var parent: BranchID?
    /// What it shows now, and what it showed before its resets.
    package private(set) var current: PathInterval
    package private(set) var before: [PathInterval]
    package var isProtected: Bool
    package var expiry: LogTime?
    package var death: RecordMark?
    package var window: Window?

    package init(
        name: String,
        birth: RecordMark,
        authorship: Authorship,
        origin: Origin?,
        parent: BranchID?,
        timeline: PathInterval,
        expiry: LogTime?
    ) {
        self.name = name
        self.birth = birth
        self.authorship = authorship
        self.origin = origin
        self.parent = parent
        current = timeline
        before = []
        isProtected = false
        self.expiry = expiry
    }

    package var timeline: TimelineID { current.timeline }
    /// All that it showed, in order.
    package var path: [PathInterval] { before + [current] }
    package var first: PathInterval { before.first ?? current }

    /// The branch as if it had never shown anything that its present state does not come from.
    package var descending: BranchEntry {
        var entry = self
        entry.before = []
        return entry
    }

    package mutating func goOn(_ timeline: PathInterval) {
        before.append(current)
        current = timeline
    }

    /// Lets go of timelines that it showed once, and that are purged.
    package mutating func forget(_ timelines: Set<TimelineID>) {
        before.removeAll { timelines.contains($0.timeline) }
    }

    /// How long a path can be, so that the branch fits into a record with all else that is known of
    /// it.
    package static func maximumPath(_ geometry: Geometry) -> Int {
        geometry.maximumRecordBytes / 56
    }
}

extension BranchEntry: MapValue {
    package static var kind: UInt64 { 3 }

    package func encode(to writer: inout ByteWriter) {
        let flags = [
            origin != nil, parent != nil, isProtected, expiry != nil, death != nil, window != nil,
        ]
        var bits: UInt8 = 0
        for (place, flag) in flags.enumerated() where flag { bits |= 1 << UInt8(place) }
        writer.append(bits)
        writer.append(text: name)
        birth.encode(to: &writer)
        authorship.encode(to: &writer)
        if let origin {
            writer.append(varint: origin.timeline.rawValue)
            writer.append(varint: origin.lsn.rawValue)
        }
        if let parent { writer.append(varint: parent.rawValue) }
        writer.append(varint: UInt64(path.count))
        for interval in path {
            writer.append(varint: interval.timeline.rawValue)
            writer.append(varint: interval.from.rawValue)
        }
        if let expiry { writer.append(varint: expiry.rawValue) }
        death?.encode(to: &writer)
        if let window {
            writer.append(varint: window.nanoseconds)
            writer.append(varint: window.bytes)
        }
    }

    package init(decoding reader: inout ByteReader) throws(Malformed) {
        let bits = try reader.byte("branch")
        func has(_ place: UInt8) -> Bool { bits & (1 << place) != 0 }
        name = try reader.text("branch's name")
        birth = try RecordMark(decoding: &reader)
        authorship = try Authorship(decoding: &reader)
        if has(0) {
            let timeline = TimelineID(rawValue: try reader.varint("branch's origin"))
            origin = Origin(
                timeline: timeline,
                lsn: LSN(rawValue: try reader.varint("branch's origin"))
            )
        }
        if has(1) { parent = BranchID(rawValue: try reader.varint("branch's parent")) }
        before = []
        for _ in 0..<(try reader.count("branch's path", ofAtLeast: 2)) {
            let timeline = TimelineID(rawValue: try reader.varint("branch's path"))
            before.append(
                PathInterval(
                    timeline: timeline,
                    from: LSN(rawValue: try reader.varint("branch's path"))
                )
            )
        }
        guard let last = before.popLast() else {
            throw Malformed("a branch without a path", at: reader.offset)
        }
        current = last
        isProtected = has(2)
        if has(3) { expiry = LogTime(rawValue: try reader.varint("branch's expiry")) }
        if has(4) { death = try RecordMark(decoding: &reader) }
        if has(5) {
            let nanoseconds = try reader.varint("branch's window")
            window = Window(nanoseconds: nanoseconds, bytes: try reader.varint("branch's window"))
        }
    }
}
