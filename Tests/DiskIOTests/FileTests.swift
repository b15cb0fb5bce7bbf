import DiskIO
import Dispatch
import Primitives
import TestSupport
import Testing

/// What every disk owes the engine, whichever disk it is: the bytes of a file.
@Suite struct FileTests {
    @Test(arguments: DiskKind.allCases)
    func `a read ends where the file does`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            #expect(try file.read(5, at: 0) == [])
            try file.write([1, 2, 3], at: 0)
            #expect(try file.read(5, at: 1) == [2, 3])
            #expect(try file.read(0, at: 1) == [])
            #expect(try file.read(5, at: 3) == [])
            for offset in [4, 1 << 40, UInt64(Int64.max), .max] {
                #expect(try file.read(5, at: offset) == [])
            }
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `what was never written reads as zeros`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            try file.write([1], at: 10)
            try file.write([2], at: 1_000_000)
            #expect(try file.length() == 1_000_001)
            #expect(try file.read(11, at: 0) == Array(repeating: 0, count: 10) + [1])
            let middle = try file.read(999_989, at: 11)
            #expect(middle.count == 999_989 && middle.allSatisfy { $0 == 0 })
            #expect(try file.read(9, at: 1_000_000) == [2])
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a hole takes no space`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            // Twice what the disk in memory has.
            try file.write([1], at: 128 << 20)
            #expect(try file.allocatedBytes() <= 1 << 20)
            #expect(try file.read(2, at: 128 << 20) == [1])
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a cut file forgets what was behind the cut`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            try file.write([UInt8](repeating: 7, count: 200_000), at: 0)
            for length in [131_072, 65_537, 65_536, 3, 0] as [UInt64] {
                try file.truncate(to: length)
                #expect(try file.length() == length)
                #expect(try file.read(10, at: length) == [])
                try file.truncate(to: 200_000)
                let bytes = try file.read(200_000, at: 0)
                #expect(bytes.count == 200_000)
                #expect(bytes.prefix(Int(length)).allSatisfy { $0 == 7 })
                #expect(bytes.dropFirst(Int(length)).allSatisfy { $0 == 0 })
            }
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `allocating extends a file with zeros and keeps what is there`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            try file.write([1, 2, 3], at: 0)
            try file.allocate(1 << 20)
            #expect(try file.length() == 1 << 20)
            #expect(try file.allocatedBytes() >= 1 << 20)
            #expect(try file.read(5, at: 0) == [1, 2, 3, 0, 0])
            try file.allocate(10)
            #expect(try file.length() == 1 << 20)
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `allocating nothing is no mistake`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            try file.allocate(0)
            #expect(try file.length() == 0)
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a place past every file is an error and changes nothing`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            try file.write([1], at: 0)
            for offset in [UInt64(Int64.max), .max - 1, .max] {
                #expect(throws: DiskError.self) { try file.write([1, 2, 3], at: offset) }
                #expect(throws: DiskError.self) { try file.allocate(offset) }
                #expect(throws: DiskError.self) { try file.truncate(to: max(offset, 1 << 63)) }
            }
            #expect(try file.length() == 1)
            #expect(try file.read(9, at: 0) == [1])
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `writing nothing changes nothing`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            try file.write([], at: 5)
            #expect(try file.length() == 0)
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a file is what a plain array would be`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            var random = SeededRandom(test: 20)
            let file = try disk.create("a")
            var model: [UInt8] = []
            for step in 0..<400 {
                let offset = random.below(300_000)
                switch random.below(8) {
                case 0:
                    try file.truncate(to: UInt64(offset))
                    model = resized(model, offset)
                case 1:
                    try file.allocate(UInt64(offset))
                    model = resized(model, max(offset, model.count))
                case 2, 3, 4:
                    let bytes = random.bytes(1 + random.below(random.oneIn(8) ? 70_000 : 500))
                    try file.write(bytes, at: UInt64(offset))
                    model = resized(model, max(model.count, offset + bytes.count))
                    model.replaceSubrange(offset..<offset + bytes.count, with: bytes)
                default:
                    let expected = model.dropFirst(offset).prefix(random.below(100_000))
                    let read = try file.read(expected.count, at: UInt64(offset))
                    try #require(read == Array(expected), "step \(step), seed \(testSeed)")
                }
                try #require(try file.length() == UInt64(model.count), "step \(step)")
            }
            #expect(try file.read(model.count + 1, at: 0) == model)
        }
    }

    private func resized(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
        bytes.prefix(count) + Array(repeating: 0, count: max(0, count - bytes.count))
    }

    @Test(arguments: DiskKind.allCases)
    func `threads write and read their own parts of one file`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            DispatchQueue.concurrentPerform(iterations: 4) { index in
                let part = [UInt8](repeating: UInt8(index + 1), count: 1_000)
                for round in 0..<50 {
                    let offset = UInt64((round * 4 + index) * 1_000)
                    do {
                        try file.write(part, at: offset)
                        #expect(try file.read(1_000, at: offset) == part)
                    } catch { Issue.record(error) }
                }
            }
            #expect(try file.length() == 200_000)
            let bytes = try file.read(200_000, at: 0)
            #expect(bytes.indices.allSatisfy { bytes[$0] == UInt8($0 / 1_000 % 4 + 1) })
        }
    }
}
