import DiskIO
import PageStorage
import Primitives
import TestSupport
import Testing
import WriteAheadLog

/// Maps in the log, written version after version, against dictionaries.
@Suite struct MapWriterTests {
    typealias Model = [MapKey: Location]

    /// A log in memory that takes nodes.
    struct Fixture: NodeSink {
        let log: Log
        let source: NodeSource

        init() throws(LogError) {
            let geometry = Geometry(pageSize: 512, segmentBits: 22)
            let store = StoreID(high: 1, low: 2)
            let disk = MemoryDisk(limit: 64 << 20)
            let options = LogOptions(
                geometry: geometry,
                store: store,
                incarnation: 3,
                reserveBytes: 0,
                unflushedLimit: 1 << 24
            )
            let files = SegmentFiles(disk: disk, geometry: geometry, store: store)
            log = Log(disk: disk, clock: SystemClock(), options: options, files: files)
            try log.begin(
                after: LogEnd(segment: nil, end: .zero, lastTime: .zero, highestSegment: nil)
            )
            source = NodeSource(cache: NodeCache(byteLimit: 1 << 20), log: log)
        }

        func write(_ nodes: [[UInt8]], kind: UInt64, level: Int) throws(LogError) -> [Location] {
            var all: [Location] = []
            for node in nodes {
                var buffer = BlockBuffer()
                buffer.append(.node, payload: node, object: kind, page: UInt64(level))
                log.lock.lock()
                defer { log.lock.unlock() }
                _ = try log.append(
                    .blocks,
                    timeline: TimelineID.none,
                    blocks: buffer,
                    locations: &all
                )
            }
            return all
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `each version of a map holds what it was made of`(seed: UInt64) throws {
        let fixture = try Fixture()
        var random = SeededRandom(test: 730 + seed)
        let writer = MapWriter<Location>(fixture.source, fixture)
        var versions: [(Location, Model)] = [(.none, [:])]
        for round in 0..<60 {
            let (root, model) = versions[versions.count - 1]
            var next = model
            let ranges = someRanges(&random, round)
            for key in model.keys where ranges.contains(where: { $0.contains(key) }) {
                next[key] = nil
            }
            var changes: [MapKey: Location?] = [:]
            let run = random.oneIn(3)
            let start = random.below(4000)
            for step in 0..<(random.oneIn(4) ? 900 : random.below(60)) {
                let low = run ? start + step : random.below(5000)
                let key = MapKey(1, UInt64(low))
                let place = LSN(rawValue: UInt64(round * 1000 + step + 1))
                let isRemoved = random.oneIn(8)
                let value = Location(lsn: place, length: 64, checksum: UInt32(step))
                changes[key] = isRemoved ? .some(nil) : value
                next[key] = isRemoved ? nil : value
            }
            let sorted = changes.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
            versions.append((try writer.apply(sorted, deleted: ranges, to: root), next))
        }
        // With an empty cache, and of all versions, which share what did not change.
        let source = NodeSource(cache: NodeCache(byteLimit: 1 << 16), log: fixture.log)
        for (root, model) in versions { try compare(MapReader(source, root: root), model) }
    }

    /// Apart and in order, at times over whole leaves, whose bounds are met often.
    private func someRanges(_ random: inout SeededRandom, _ round: Int) -> [KeyRange] {
        guard round % 3 == 1 else { return [] }
        let start = UInt64(random.below(3000))
        let length = UInt64(random.oneIn(3) ? 2000 : 1 + random.below(200))
        let first = KeyRange(MapKey(1, start), MapKey(1, start + length))
        let second = start + length + 10
        return [first, KeyRange(MapKey(1, second), MapKey(1, second + 40))]
    }

    private func compare(_ map: MapReader<Location>, _ model: Model) throws {
        var entries: [(MapKey, Location)] = []
        try map.visit { key, value in
            entries.append((key, value))
            return true
        }
        let sorted = model.sorted { $0.key < $1.key }
        #expect(entries.map(\.0) == sorted.map(\.key))
        #expect(entries.map(\.1) == sorted.map(\.value))
        let wrong = try (0..<5050 as Range<UInt64>).map { MapKey(1, $0) }.first { key in
            try map[key] != model[key]
        }
        #expect(wrong == nil)
        for low in stride(from: 0 as UInt64, to: 5050, by: 503) {
            let key = MapKey(1, low)
            #expect(try map.first(from: key)?.key == sorted.first { $0.key >= key }?.key)
            #expect(try map.last(through: key)?.key == sorted.last { $0.key <= key }?.key)
        }
    }
}
