import PageStorage
import Primitives
import TestSupport
import Testing
import WriteAheadLog

/// Walks over all three layers of a branch's pages, against looking each page up.
@Suite struct PageWalkTests {
    private static let objects = 2 as UInt64
    /// So many that a map in the log has several leaves.
    private static let pages = 1500

    private func place(_ number: Int) -> Location {
        Location(lsn: LSN(rawValue: UInt64(number + 1) * 8), length: 64, checksum: 1)
    }

    private func someKey(_ random: inout SeededRandom) -> MapKey {
        MapKey(1 + UInt64(random.below(Int(Self.objects))), UInt64(random.below(Self.pages)))
    }

    private func someMap(
        _ random: inout SeededRandom,
        _ fixture: MapWriterTests.Fixture
    ) throws -> Location {
        let kept = random.below(4)
        var entries: [(key: MapKey, value: Location?)] = []
        for high in 1...Self.objects {
            for low in 0..<Self.pages where random.below(4) < kept {
                entries.append((MapKey(high, UInt64(low)), place(entries.count)))
            }
        }
        if entries.isEmpty { return .none }
        let writer = MapWriter<Location>(fixture.source, fixture)
        return try writer.apply(entries, deleted: [], to: .none)
    }

    private func someDelta(_ random: inout SeededRandom, _ first: Int) -> Delta {
        var delta = Delta()
        for number in 0..<random.below(random.oneIn(3) ? 300 : 12) {
            let key = someKey(&random)
            switch random.below(6) {
            case 0: delta.delete(key)
            case 1:
                let length = UInt64(random.below(random.oneIn(3) ? 700 : 9))
                delta.delete(KeyRange(key, MapKey(key.high, key.low + length)))
            default: delta.write(key, place(first + number))
            }
        }
        return delta
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `a walk meets each written page once, where it stands`(seed: UInt64) throws {
        let fixture = try MapWriterTests.Fixture()
        var random = SeededRandom(test: 760 + seed)
        for round in 0..<12 {
            let map = PageMap(
                root: try someMap(&random, fixture),
                older: someDelta(&random, 100_000),
                newer: someDelta(&random, 200_000)
            )
            let reader = MapReader<Location>(fixture.source, root: map.root)
            var written: [(key: MapKey, location: Location)] = []
            for high in 1...Self.objects {
                for low in 0..<UInt64(Self.pages) {
                    let key = MapKey(high, low)
                    switch map[key] {
                    case .at(let location): written.append((key, location))
                    case .deleted: continue
                    case .untouched:
                        if let location = try reader[key] { written.append((key, location)) }
                    }
                }
            }
            for first in [MapKey.first, someKey(&random), someKey(&random), .last] {
                var walk = try PageWalk(map, from: first, fixture.source)
                var met: [(key: MapKey, location: Location)] = []
                while let next = try walk.step() { met.append(next) }
                let expected = written.filter { $0.key >= first }
                #expect(met.map(\.key) == expected.map(\.key), "round \(round), from \(first)")
                #expect(met.map(\.location) == expected.map(\.location), "round \(round)")
                #expect(try walk.step() == nil)
            }
        }
    }
}
