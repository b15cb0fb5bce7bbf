package import PageStorage
package import Primitives
package import WriteAheadLog

/// Where the maps of the catalog stand: all that a store is, in one value of fixed size.
package struct CatalogRoots: Sendable, Equatable {
    package var timelines = Location.none
    package var branches = Location.none
    package var names = Location.none
    package var snapshots = Location.none
    package var checkpoints = Location.none
    package var segments = Location.none
    package var events = Location.none
    package var expiries = Location.none

    package init() {}

    package static let all: [any WritableKeyPath<CatalogRoots, Location> & Sendable] = [
        \.timelines, \.branches, \.names, \.snapshots, \.checkpoints, \.segments, \.events,
        \.expiries,
    ]
}

/// What the catalog keeps that is no map.
package struct CatalogState: Sendable, Equatable {
    package var window: Window
    /// Before this, only checkpoints are kept.
    package var denseFrom: LSN
    /// Before this, nothing is.
    package var historyFrom: LSN

    package init(window: Window, denseFrom: LSN, historyFrom: LSN) {
        self.window = window
        self.denseFrom = denseFrom
        self.historyFrom = historyFrom
    }
}

/// The whole store as it stood at a cut: everything below the cut is in these maps, and nothing
/// from the cut on. Kept under (time of the last record below the cut, cut).
package struct CheckpointEntry: Sendable, Equatable, MapValue {
    package var cut: LSN
    package var time: LogTime
    package var roots: CatalogRoots
    package var state: CatalogState

    package init(cut: LSN, time: LogTime, roots: CatalogRoots, state: CatalogState) {
        self.cut = cut
        self.time = time
        self.roots = roots
        self.state = state
    }

    package var key: MapKey { MapKey(time.rawValue, cut.rawValue) }

    package static var kind: UInt64 { 8 }

    package func encode(to writer: inout ByteWriter) {
        writer.append(varint: cut.rawValue)
        writer.append(varint: time.rawValue)
        for root in CatalogRoots.all { roots[keyPath: root].encode(to: &writer) }
        writer.append(varint: state.window.nanoseconds)
        writer.append(varint: state.window.bytes)
        writer.append(varint: state.denseFrom.rawValue)
        writer.append(varint: state.historyFrom.rawValue)
    }

    package init(decoding reader: inout ByteReader) throws(Malformed) {
        cut = LSN(rawValue: try reader.varint("checkpoint's cut"))
        time = LogTime(rawValue: try reader.varint("checkpoint's time"))
        roots = CatalogRoots()
        for root in CatalogRoots.all { roots[keyPath: root] = try Location(decoding: &reader) }
        let nanoseconds = try reader.varint("window")
        let window = Window(nanoseconds: nanoseconds, bytes: try reader.varint("window"))
        let dense = LSN(rawValue: try reader.varint("dense history's start"))
        state = CatalogState(
            window: window,
            denseFrom: dense,
            historyFrom: LSN(rawValue: try reader.varint("history's start"))
        )
    }
}
