import PageStorage
import Primitives
import Timelines
import WriteAheadLog

/// What of a large commit is in the log already: blocks that nothing points at until the commit's
/// record does, by the root of a map that holds them all.
struct SpilledEdit {
    /// The branch as the commit found it, with what was spilled.
    var map: PageMap
    var pageCount: UInt64 = 0
}

extension Edit {
    /// A commit with more in memory than this goes to the log in pieces.
    var spillLimit: Int { core.geometry.maximumRecordBytes - RecordHeader.size - 64 }

    func spillIfLarge() throws(OxbowError) {
        if byteCount > spillLimit - Self.deletionSize { try spill() }
    }

    /// At most how many bytes the blocks of what is in memory take. No page takes less than a
    /// deletion does.
    var byteCount: Int {
        buffer.byteCount + max(0, delta.entryCount - buffer.count) * Self.deletionSize
    }

    private static var deletionSize: Int { BlockBuffer.size(ofPayload: 8) }

    /// Writes what is in memory to the log, without effect yet.
    func spill() throws(OxbowError) {
        let held = try hold()
        var state = spilled ?? SpilledEdit(map: held.map)
        state.pageCount += UInt64(delta.entryCount)
        let pages = liveBlocks()
        if !pages.isEmpty {
            let locations = try attempt("commit") { () throws(LogError) in
                try core.append(.blocks, timeline: held.timeline, blocks: pages)
            }
            var written = Delta()
            for range in delta.ranges { written.delete(range) }
            delta.pages.visit { key, place in
                if place == .none { written.delete(key) }
                return true
            }
            for index in 0..<pages.count {
                let header = pages.headers[index]
                written.write(MapKey(header.object, header.page), locations[index])
            }
            state.map.newer = state.map.newer.followed(by: written)
        } else {
            state.map.newer = state.map.newer.followed(by: delta)
        }
        if state.map.newer.entryCount > core.options.checkpointChanges {
            state.map = try core.settle(state.map)
        }
        spilled = state
        delta = Delta()
        buffer.removeAll()
    }

    /// The pages that the commit writes, each once.
    private func liveBlocks() -> BlockBuffer {
        let written = delta.pages.entries.filter { $0.value != .none }
        if written.count == buffer.count { return buffer }
        var live = BlockBuffer()
        for (_, place) in written { live.append(copyOf: index(place), in: buffer) }
        return live
    }

    private var deletesPages: Bool {
        var deletes = false
        delta.pages.visit { _, place in
            deletes = place == .none
            return !deletes
        }
        return deletes
    }

    /// The blocks of a commit that fits into one record: ranges first, then single pages, so that
    /// replay meets them in the order of their effect.
    func blocks() -> BlockBuffer {
        if delta.ranges.isEmpty, delta.pages.count == buffer.count, !deletesPages { return buffer }
        var all = BlockBuffer()
        for range in delta.ranges {
            var upper = ByteWriter()
            upper.append(fixed: range.upper.low)
            all.append(
                .rangeDeletion,
                payload: upper.bytes,
                object: range.lower.high,
                page: range.lower.low
            )
        }
        delta.pages.visit { key, place in
            if place == .none {
                all.append(.pageDeletion, payload: [], object: key.high, page: key.low)
            } else {
                all.append(copyOf: index(place), in: buffer)
            }
            return true
        }
        return all
    }
}
