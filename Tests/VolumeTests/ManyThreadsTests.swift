import Foundation
import Oxbow
import Primitives
import TestSupport
import Testing
import Volume

@Suite struct ManyThreadsTests {
    @Test func `eight threads at the same few names leave a sound volume`() throws {
        let test = try TestVolume()
        let group = DispatchGroup()
        for thread in 0..<8 {
            group.enter()
            Thread.detachNewThread {
                var random = SeededRandom(test: 900 + UInt64(thread))
                for _ in 0..<400 { work(test.files, &random) }
                group.leave()
            }
        }
        // Meanwhile others look, and fork.
        for round in 0..<20 {
            let fork = try test.store.fork("fork\(round)", from: test.main)
            #expect(try PastFiles(fork.view()).check().problems == [])
            let forked = try BranchFiles.open(fork)
            try forked.makeFile(FileName("own"), in: .root, Ownership(permissions: 0o600))
            #expect(try PastFiles(fork.view()).check().problems == [])
        }
        group.wait()
        #expect(try test.problems() == [])
    }

    @Test func `what threads append to one file is there, each piece whole and once`() throws {
        let test = try TestVolume()
        let number = try test.make("log")
        let group = DispatchGroup()
        for thread in 0..<6 {
            group.enter()
            Thread.detachNewThread {
                let file = try? test.files.openFile(number)
                let piece = [UInt8](repeating: UInt8(65 + thread), count: 777)
                for _ in 0..<100 { _ = piece.withUnsafeBytes { try? file?.append($0) } }
                group.leave()
            }
        }
        group.wait()
        let file = try test.files.openFile(number)
        let all = try file.read(at: 0, count: 1_000_000)
        #expect(all.count == 600 * 777)
        var counts: [UInt8: Int] = [:]
        for start in stride(from: 0, to: all.count, by: 777) {
            let piece = all[start..<start + 777]
            #expect(piece.allSatisfy { $0 == piece[start] })
            counts[all[start], default: 0] += 1
        }
        #expect(counts.values.allSatisfy { $0 == 100 })
        #expect(try test.problems() == [])
    }
}

/// Something or other with a few names, which others use too; most of it fails.
private func work(_ files: BranchFiles, _ random: inout SeededRandom) {
    let names = (0..<6).compactMap { try? FileName("n\($0)") }
    let name = names[random.below(6)]
    let other = names[random.below(6)]
    let ownership = Ownership(permissions: 0o644)
    let folder = random.below(2) == 0 ? .root : (try? files.lookUp(other, in: .root)) ?? .root
    switch random.below(9) {
    case 0, 1: _ = try? files.makeFile(name, in: folder, ownership)
    case 2: _ = try? files.makeFolder(name, in: folder, ownership)
    case 3: try? files.remove(name, from: folder)
    case 4: try? files.removeFolder(name, from: folder)
    case 5: try? files.rename(name, in: folder, to: other, in: .root)
    case 6:
        guard let number = try? files.lookUp(name, in: folder) else { return }
        try? files.link(number, as: other, in: .root)
    case 7:
        guard let number = try? files.lookUp(name, in: folder) else { return }
        var change = AttributeChange()
        change.size = UInt64(random.below(30_000))
        _ = try? files.change(number, change)
    default:
        guard let number = try? files.lookUp(name, in: folder),
            let file = try? files.openFile(number)
        else { return }
        try? file.write([UInt8](repeating: 7, count: 5000), at: UInt64(random.below(40_000)))
        _ = try? file.read(at: 0, count: 10_000)
    }
}
