import PageStorage
import Primitives
import TestSupport
import Testing
import WriteAheadLog

/// Changes in memory against a list of what was done, last first.
@Suite struct DeltaTests {
    enum Change {
        case write(MapKey, Location)
        case delete(MapKey)
        case deleteRange(KeyRange)
    }

    private func someKey(_ random: inout SeededRandom) -> MapKey {
        MapKey(UInt64(random.below(2)), UInt64(random.below(60)))
    }

    private func someChange(_ random: inout SeededRandom, _ number: Int) -> Change {
        let key = someKey(&random)
        switch random.below(6) {
        case 0: return .delete(key)
        case 1, 2:
            let end = MapKey(key.high, key.low + UInt64(random.below(12)))
            return .deleteRange(KeyRange(key, end))
        default:
            let place = LSN(rawValue: UInt64(number + 1) * 8)
            return .write(key, Location(lsn: place, length: 64, checksum: 1))
        }
    }

    private func answer(_ key: MapKey, _ changes: [Change]) -> Delta.Answer {
        for change in changes.reversed() {
            switch change {
            case .write(key, let location): return .at(location)
            case .delete(key): return .deleted
            case .deleteRange(let range) where range.contains(key): return .deleted
            default: break
            }
        }
        return .untouched
    }

    private func apply(_ changes: [Change]) -> Delta {
        var delta = Delta()
        for change in changes {
            switch change {
            case .write(let key, let location): delta.write(key, location)
            case .delete(let key): delta.delete(key)
            case .deleteRange(let range): delta.delete(range)
            }
        }
        return delta
    }

    @Test func `the last that was done to a page counts, in one layer and in two`() {
        var random = SeededRandom(test: 720)
        for round in 0..<300 {
            let changes = (0..<1 + random.below(40)).map { someChange(&random, $0) }
            let middle = random.below(changes.count)
            let whole = apply(changes)
            let older = apply(Array(changes[..<middle]))
            let newer = apply(Array(changes[middle...]))
            let joined = older.followed(by: newer)
            let map = PageMap(older: older, newer: newer)
            for high in 0..<2 as Range<UInt64> {
                for low in 0..<75 as Range<UInt64> {
                    let key = MapKey(high, low)
                    let expected = answer(key, changes)
                    #expect(whole[key] == expected, "round \(round), \(key)")
                    #expect(joined[key] == expected, "round \(round), \(key)")
                    #expect(map[key] == expected, "round \(round), \(key)")
                }
            }
            for delta in [whole, joined] {
                let apart = zip(delta.ranges, delta.ranges.dropFirst()).allSatisfy {
                    $0.upper < $1.lower
                }
                #expect(apart)
            }
        }
    }
}
