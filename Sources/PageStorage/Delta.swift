import Primitives
package import WriteAheadLog

/// What was done to a branch's pages since its map was last written to the log: the part of its
/// state that is in memory, and again made from the log after a crash. A value: copying it copies
/// two references.
///
/// Laws: a page in `pages` was written or deleted after every range in `ranges` that covers it;
/// ranges are in order and apart.
package struct Delta: Sendable {
    /// ``Location/none`` for a page that was deleted.
    package private(set) var pages = OrderedMap<Location>()
    package private(set) var ranges: [KeyRange] = []

    package init() {}

    package var isEmpty: Bool { pages.isEmpty && ranges.isEmpty }
    package var entryCount: Int { pages.count + ranges.count }

    package enum Answer: Equatable, Sendable {
        case at(Location)
        case deleted
        /// Nothing was done to the page here.
        case untouched
    }

    package subscript(key: MapKey) -> Answer {
        if let location = pages[key] { return location == .none ? .deleted : .at(location) }
        return isDeleted(key) ? .deleted : .untouched
    }

    private func isDeleted(_ key: MapKey) -> Bool { end(ofRangeAt: key) != nil }

    /// Where the deleted range around a key ends; nil where none covers it.
    package func end(ofRangeAt key: MapKey) -> MapKey? {
        if ranges.isEmpty { return nil }
        let index = firstRange(endingAfter: key)
        return index < ranges.count && ranges[index].lower <= key ? ranges[index].upper : nil
    }

    private func firstRange(endingAfter key: MapKey) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upper <= key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    package mutating func write(_ key: MapKey, _ location: Location) {
        invariant(location != .none, "a page written to nowhere")
        pages.set(key, location)
    }

    package mutating func delete(_ key: MapKey) { pages.set(key, .none) }

    package mutating func delete(_ range: KeyRange) {
        guard range.lower < range.upper else { return }
        var covered: [MapKey] = []
        pages.visit(from: range.lower, upTo: range.upper) { key, _ in
            covered.append(key)
            return true
        }
        for key in covered { pages.remove(key) }
        var lower = range.lower
        var upper = range.upper
        let start = ranges.firstIndex { $0.upper >= lower } ?? ranges.count
        var end = start
        while end < ranges.count, ranges[end].lower <= upper {
            lower = min(lower, ranges[end].lower)
            upper = max(upper, ranges[end].upper)
            end += 1
        }
        ranges.replaceSubrange(start..<end, with: [KeyRange(lower, upper)])
    }

    /// This, with what was done later on top.
    package func followed(by later: Delta) -> Delta {
        if later.isEmpty { return self }
        if isEmpty { return later }
        var all = self
        for range in later.ranges { all.delete(range) }
        later.pages.visit { key, location in
            all.pages.set(key, location)
            return true
        }
        return all
    }
}
