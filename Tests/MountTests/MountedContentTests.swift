import Foundation
import Primitives
import TestSupport
import Testing

/// A file on the mount does what the same file in memory does, by whatever means it is read and
/// written. Needs root and FUSE.
@Suite(
    .serialized,
    .enabled(if: MountedStore.isPossible, "FUSE or root is missing: no mount was tested")
)
struct MountedContentTests {
    @Test func `a file is the bytes that were written, through calls and through memory`() throws {
        let mounted = try MountedStore()
        var random = SeededRandom(test: 77)
        var file = try ModelFile(mounted.path + "/main/f")
        for step in 0..<800 {
            try file.step(&random)
            if step % 200 == 199 {
                // What the kernel keeps is not all there is.
                #expect(mounted.tell("fork main copy\(step)") == "done")
                let copy = try Data(
                    contentsOf: URL(filePath: mounted.path + "/copy\(step)/f")
                )
                #expect([UInt8](copy) == file.expected)
                try file.reopen()
            }
        }
        #expect(try file.content() == file.expected)
        file.close()
        try mounted.end()
    }

    @Test(arguments: 0..<4)
    func `all see the same of a file, in whichever ways they have it open`(seed: UInt64) throws {
        let mounted = try MountedStore()
        var random = SeededRandom(test: 80 + seed)
        var file = SharedFile(path: mounted.path + "/main/f")
        for _ in 0..<2000 { try file.step(&random) }
        file.close()
        #expect([UInt8](try Data(contentsOf: URL(filePath: file.path))) == file.expected)
        try mounted.end()
    }
}

/// A file that is open several times, some of them such that each write is synced.
private struct SharedFile {
    let path: String
    var expected: [UInt8] = []
    private var open: [(descriptor: Int32, flags: Int32)] = []
    private static let ways = [
        O_RDWR, O_RDONLY, O_RDWR | O_DSYNC, O_RDWR | O_SYNC, O_WRONLY | O_DSYNC,
    ]

    init(path: String) { self.path = path }

    mutating func step(_ random: inout SeededRandom) throws {
        switch random.below(16) {
        case 0, 1: try openOnce(Self.ways[random.below(Self.ways.count)])
        case 2, 3:
            guard !open.isEmpty else { return }
            Glibc.close(open.remove(at: random.below(open.count)).descriptor)
        case 4: try truncate(to: random.below(200_000))
        case 5...8: try write(&random)
        default: try read(&random)
        }
    }

    mutating func close() {
        for one in open { Glibc.close(one.descriptor) }
        open = []
    }

    private mutating func openOnce(_ flags: Int32) throws {
        guard open.count < 5 else { return }
        let descriptor = Glibc.open(path, flags | O_CREAT, 0o600)
        try #require(descriptor >= 0)
        open.append((descriptor, flags))
    }

    private func one(_ without: Int32, _ random: inout SeededRandom) -> Int32? {
        let fitting = open.filter { $0.flags & O_ACCMODE != without }
        return fitting.isEmpty ? nil : fitting[random.below(fitting.count)].descriptor
    }

    private mutating func truncate(to size: Int) throws {
        guard !open.isEmpty else { return }
        try #require(Glibc.truncate(path, size) == 0)
        if size < expected.count { expected.removeLast(expected.count - size) }
        grow(to: size)
    }

    private mutating func write(_ random: inout SeededRandom) throws {
        guard let descriptor = one(O_RDONLY, &random) else { return }
        let bytes = random.bytes(random.oneIn(2) ? 8192 : 1 + random.below(20_000))
        let offset = random.oneIn(2) ? random.below(20) * 8192 : random.below(150_000)
        try #require(pwrite(descriptor, bytes, bytes.count, offset) == bytes.count)
        grow(to: offset + bytes.count)
        expected.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    private mutating func grow(to size: Int) {
        guard size > expected.count else { return }
        expected.append(contentsOf: repeatElement(0, count: size - expected.count))
    }

    private func read(_ random: inout SeededRandom) throws {
        guard let descriptor = one(O_WRONLY, &random) else { return }
        var bytes = [UInt8](repeating: 0, count: 1 + random.below(30_000))
        let offset = random.below(170_000)
        let found = pread(descriptor, &bytes, bytes.count, offset)
        let range = (offset..<offset + bytes.count).clamped(to: 0..<expected.count)
        try #require(found == range.count)
        try #require(Array(bytes[..<found]) == Array(expected[range]))
    }
}

/// A file, and the bytes that it must have.
struct ModelFile {
    let path: String
    var descriptor: Int32
    var expected: [UInt8] = []

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        try #require(descriptor >= 0)
    }

    mutating func reopen() throws {
        Glibc.close(descriptor)
        descriptor = open(path, O_RDWR)
        try #require(descriptor >= 0)
    }

    func close() { _ = Glibc.close(descriptor) }

    func content() throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path)))
    }

    mutating func step(_ random: inout SeededRandom) throws {
        let offset = random.below(2) == 0 ? random.below(36) * 8192 : random.below(200_000)
        let count = 1 + random.below(random.below(3) == 0 ? 60_000 : 9_000)
        switch random.below(12) {
        case 0...3: try write(random.bytes(count), at: offset)
        case 4, 5: try read(count, at: offset)
        case 6: try truncate(to: offset)
        case 7: try map(random.bytes(1 + random.below(5000)), &random)
        case 8: try clear(offset, count, lengthening: false)
        case 9: try clear(offset, count, lengthening: true)
        case 10: try #require(fsync(descriptor) == 0)
        default: try readMapped()
        }
    }

    private mutating func grow(to size: Int) {
        guard size > expected.count else { return }
        expected.append(contentsOf: repeatElement(0, count: size - expected.count))
    }

    private mutating func write(_ bytes: [UInt8], at offset: Int) throws {
        try #require(pwrite(descriptor, bytes, bytes.count, offset) == bytes.count)
        grow(to: offset + bytes.count)
        expected.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    private func read(_ count: Int, at offset: Int) throws {
        var bytes = [UInt8](repeating: 0, count: count)
        let found = pread(descriptor, &bytes, count, offset)
        let range = (offset..<offset + count).clamped(to: 0..<expected.count)
        try #require(found == range.count)
        try #require(Array(bytes[..<found]) == Array(expected[range]))
    }

    private mutating func truncate(to size: Int) throws {
        try #require(ftruncate(descriptor, size) == 0)
        if size < expected.count { expected.removeLast(expected.count - size) }
        grow(to: size)
    }

    /// Writes through memory that shows the file.
    private mutating func map(_ bytes: [UInt8], _ random: inout SeededRandom) throws {
        guard expected.count > bytes.count else { return }
        let offset = random.below(expected.count - bytes.count)
        let memory = try memory(PROT_READ | PROT_WRITE)
        memory.advanced(by: offset).copyMemory(from: bytes, byteCount: bytes.count)
        try #require(munmap(memory, expected.count) == 0)
        expected.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    private func readMapped() throws {
        guard !expected.isEmpty else { return }
        let memory = try memory(PROT_READ)
        defer { munmap(memory, expected.count) }
        let found = UnsafeRawBufferPointer(start: memory, count: expected.count)
        try #require(found.elementsEqual(expected))
    }

    private func memory(_ protection: Int32) throws -> UnsafeMutableRawPointer {
        let memory = mmap(nil, expected.count, protection, MAP_SHARED, descriptor, 0)
        return try #require(memory == MAP_FAILED ? nil : memory)
    }

    private mutating func clear(_ offset: Int, _ count: Int, lengthening: Bool) throws {
        let mode = lengthening ? "--zero-range" : "--punch-hole"
        let command = "fallocate \(mode) --offset \(offset) --length \(count) \(path)"
        try #require(system(command) == 0)
        if lengthening { grow(to: offset + count) }
        let range = (offset..<offset + count).clamped(to: 0..<expected.count)
        expected.replaceSubrange(range, with: repeatElement(0, count: range.count))
    }
}
