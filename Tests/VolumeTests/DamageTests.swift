import Oxbow
import Primitives
import TestSupport
import Testing
import Volume

/// Whatever stands on the pages of a volume, an operation ends, and ends in an error where it
/// cannot be done.
@Suite(.timeLimit(.minutes(30))) struct DamageTests {
    @Test func `garbled pages end in errors, and a check says what is wrong`() throws {
        let volume = try DamagedVolume()
        var random = SeededRandom(seed: testSeed)
        var failed = 0
        for round in 0..<60 {
            let index = random.below(volume.pages.count)
            let bytes = try garbled(volume, index, &random)
            let orphan = random.below(4) == 0 ? volume.numbers.randomElement(using: &random) : nil
            let branch = try volume.branch("b\(round)", index, bytes, orphan: orphan)
            var misfortune = Misfortune()
            try misfortune.all(on: branch, volume.numbers)
            failed += misfortune.failures.count { $0.kind == .damaged }
            try look(branch)
            try branch.delete()
        }
        #expect(failed > 200)
    }

    /// A page with some of its bytes changed, another page of the volume, or noise.
    private func garbled(
        _ volume: DamagedVolume,
        _ index: Int,
        _ random: inout SeededRandom
    ) throws -> [UInt8] {
        var bytes = try volume.page(index)
        switch random.below(8) {
        case 0: return try volume.page(random.below(volume.pages.count))
        case 1: return bytes.map { _ in UInt8(truncatingIfNeeded: random.next()) }
        case 2: return [UInt8](repeating: 0, count: bytes.count)
        default:
            for _ in 0...random.below(3) {
                let place = random.below(112) / 8 * 8
                let word = [0, 1, 2, 15, 16, 17, 18, .max, .max - 1, 1 << 63, random.next()]
                let value = word[random.below(word.count)]
                let width = [1, 2, 4, 8][random.below(4)]
                for byte in 0..<width {
                    bytes[place + random.below(8 / width) * width + byte] =
                        UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte)))
                }
            }
            return bytes
        }
    }

    private func look(_ branch: Branch) throws {
        do { _ = try PastFiles(branch.view()).check() } catch let error as VolumeError {
            #expect(error.kind == .damaged || error.kind == .notFound, "\(error)")
        }
    }

    /// A field of an inode that lies: at which byte, how wide, and what it says.
    struct Lie: CustomTestStringConvertible, Sendable {
        let what: String
        let inode: Int
        let offset: Int
        let width: Int
        let value: UInt64

        init(_ what: String, _ inode: Int, _ offset: Int, _ width: Int, _ value: UInt64) {
            self.what = what
            self.inode = inode
            self.offset = offset
            self.width = width
            self.value = value
        }

        var testDescription: String { what }
    }

    /// The numbers are places in `DamagedVolume.numbers`: 1 folder, 2 inner, 3 file, 4 sparse.
    static let lies = [
        Lie("a folder above itself", 1, 88, 8, 17),
        Lie("two folders in each other", 1, 88, 8, 18),
        Lie("a folder in a file", 2, 88, 8, 19),
        Lie("a folder that says it is empty", 1, 96, 8, 0),
        Lie("a folder with too few entries and pages", 1, 96, 8, 1),
        Lie("a folder with entries beyond counting", 1, 96, 8, .max),
        Lie("a folder without pages", 1, 48, 8, 0),
        Lie("a folder without links", 1, 16, 4, 0),
        Lie("a folder with all links", 0, 16, 4, UInt64(UInt32.max)),
        Lie("a file without links", 3, 16, 4, 0),
        Lie("a file without pages", 3, 48, 8, 0),
        Lie("a file with too few pages", 3, 48, 8, 1),
        Lie("a sparse file that says it is not", 4, 48, 8, 13),
        Lie("a sparse file that says it nearly is", 4, 48, 8, 12),
        Lie("a file with pages beyond counting", 3, 48, 8, .max),
        Lie("a file larger than can be", 3, 40, 8, .max),
        Lie("a file shorter than its pages", 3, 40, 8, 1),
        Lie("a file that says it is a folder", 3, 5, 1, 2),
        Lie("a folder that says it is a file", 1, 5, 1, 1),
        Lie("a link that says it is a file", 5, 5, 1, 1),
        Lie("another's number", 3, 8, 8, 20),
        Lie("a target longer than its page", 5, 104, 2, 60_000),
    ]

    @Test(arguments: lies)
    func `an inode that lies is found out, and does no harm`(lie: Lie) throws {
        let volume = try DamagedVolume()
        let number = volume.numbers[lie.inode]
        let index = try #require(
            volume.pages.firstIndex {
                $0.object == ObjectID(1) && $0.page == PageNumber(number.rawValue)
            }
        )
        var bytes = try volume.page(index)
        for byte in 0..<lie.width {
            bytes[lie.offset + byte] = UInt8(truncatingIfNeeded: lie.value >> (8 * UInt64(byte)))
        }
        let branch = try volume.branch("lie", index, bytes)
        let report = try PastFiles(branch.view()).check()
        #expect(report.problemCount > 0)
        var misfortune = Misfortune()
        try misfortune.all(on: branch, volume.numbers)
        try look(branch)
    }

    @Test func `what is listed for its end and has a name keeps its content`() throws {
        let volume = try DamagedVolume()
        let file = volume.numbers[3]
        for orphan in [file, .root, InodeNumber(rawValue: 1), InodeNumber(rawValue: 999)] {
            let bytes = try volume.page(0)
            let branch = try volume.branch("o\(orphan)", 0, bytes, orphan: orphan)
            let files = try BranchFiles.open(branch)
            #expect(try files.openFile(file).read(at: 0, count: 3) == [7, 7, 7])
            #expect(try PastFiles(branch.view()).check().problemCount == 1)
        }
    }

    @Test func `a file as long as files can be is cut`() throws {
        let test = try TestVolume()
        let file = try test.make("a")
        var change = AttributeChange()
        change.size = UInt64(Int64.max)
        try test.files.change(file, change)
        change.size = 0
        #expect(try test.files.change(file, change).size == 0)
        #expect(try test.problems() == [])
    }
}
