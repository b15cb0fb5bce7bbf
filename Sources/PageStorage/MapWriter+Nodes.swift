import WriteAheadLog

extension MapWriter {
    struct Child {
        let key: MapKey
        let location: Location
    }

    /// Writes what is new among the pieces, and returns where all of them stand.
    func settle(_ pieces: [Piece]) throws(LogError) -> [Child] {
        var fresh: [Node] = []
        for case .fresh(let node) in pieces { fresh.append(node) }
        var locations: [Location] = []
        if let level = fresh.first?.level {
            locations = try sink.write(
                fresh.map { $0.encoded() },
                kind: Value.kind,
                level: level
            )
        }
        var next = 0
        return pieces.map { piece in
            switch piece {
            case .kept(let key, let location): return Child(key: key, location: location)
            case .fresh(let node):
                source.cache.insert(node, at: locations[next])
                next += 1
                return Child(key: node.keys[0], location: locations[next - 1])
            }
        }
    }

    /// Cuts a run of entries into leaves. A map that grows at its end leaves full ones behind;
    /// elsewhere the last two share what they have.
    static func leaves(_ entries: [(MapKey, Value)], growing: Bool) -> [Node] {
        let sizes = Value.isSmall ? nil : entries.map { $0.1.encodedSize }
        return cut(entries.count, growing: growing, sizes).map { range in
            Node(keys: entries[range].map(\.0), values: entries[range].map(\.1))
        }
    }

    static func inner(_ level: Int, _ children: [Child]) -> [Node] {
        cut(children.count, growing: true).map { range in
            Node(
                level: level,
                keys: children[range].map(\.key),
                children: children[range].map(\.location)
            )
        }
    }

    /// Where values vary in size, a node takes what fits into about 8 KiB, and at least one.
    private static func cut(
        _ count: Int,
        growing: Bool,
        _ sizes: [Int]? = nil
    ) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        while start < count {
            var size = min(Node.limit, count - start)
            if let sizes {
                var bytes = 0
                let fitting = sizes[start..<start + size].prefix { entry in
                    bytes += entry + 20
                    return bytes <= 8192
                }
                if fitting.count < size {
                    ranges.append(start..<start + max(1, fitting.count))
                    start += max(1, fitting.count)
                    continue
                }
            }
            let rest = count - start - size
            if rest > 0, rest < Node.limit / 4, !growing { size = (count - start + 1) / 2 }
            ranges.append(start..<start + size)
            start += size
        }
        return ranges
    }

    /// The changes of one rewriting.
    struct Batch {
        let changes: [Change]
        let deleted: [KeyRange]

        func isDeleted(_ key: MapKey) -> Bool {
            let index = firstRange(endingAfter: key)
            return index < deleted.count && deleted[index].lower <= key
        }

        func deletes(in range: KeyRange) -> Bool {
            let index = firstRange(endingAfter: range.lower)
            return index < deleted.count && deleted[index].lower < range.upper
        }

        func deletesAll(of range: KeyRange) -> Bool {
            let index = firstRange(endingAfter: range.lower)
            return index < deleted.count && deleted[index].lower <= range.lower
                && range.upper <= deleted[index].upper
        }

        func puts(in range: Range<Int>) -> Bool { range.contains { changes[$0].value != nil } }

        private func firstRange(endingAfter key: MapKey) -> Int {
            var low = 0
            var high = deleted.count
            while low < high {
                let middle = (low + high) / 2
                if deleted[middle].upper <= key { low = middle + 1 } else { high = middle }
            }
            return low
        }

        func fresh() -> [(MapKey, Value)] {
            changes.compactMap { change in change.value.map { (change.key, $0) } }
        }

        /// A leaf's entries with the changes put in, and whether they only came after its end.
        func merge(
            _ leaf: Node,
            _ range: Range<Int>
        ) -> (entries: [(MapKey, Value)], isGrowing: Bool) {
            var entries: [(MapKey, Value)] = []
            entries.reserveCapacity(leaf.keys.count + range.count)
            var next = range.lowerBound
            for index in leaf.keys.indices {
                let key = leaf.keys[index]
                while next < range.upperBound, changes[next].key < key {
                    if let value = changes[next].value {
                        entries.append((changes[next].key, value))
                    }
                    next += 1
                }
                if next < range.upperBound, changes[next].key == key {
                    if let value = changes[next].value { entries.append((key, value)) }
                    next += 1
                } else if !isDeleted(key) {
                    entries.append((key, leaf.values[index]))
                }
            }
            let isGrowing = next == range.lowerBound
            while next < range.upperBound {
                if let value = changes[next].value { entries.append((changes[next].key, value)) }
                next += 1
            }
            return (entries, isGrowing)
        }
    }
}
