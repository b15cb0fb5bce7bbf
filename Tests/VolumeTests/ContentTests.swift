import Oxbow
import Primitives
import TestSupport
import Testing
import Volume

@Suite struct ContentTests {
    @Test func `bytes are where they were written, and zeros everywhere else`() throws {
        let test = try TestVolume()
        let file = try test.files.openFile(test.make("a"))
        try file.write(Array("hello".utf8), at: 100_000)
        #expect(try file.read(at: 99_998, count: 9) == [0, 0] + Array("hello".utf8))
        #expect(try file.read(at: 0, count: 5) == [0, 0, 0, 0, 0])
        #expect(try file.read(at: 100_005, count: 5) == [])
        let attributes = try test.files.attributes(of: file.number)
        #expect(attributes.size == 100_005)
        #expect(attributes.pageCount == 1)
    }

    @Test func `what was cut off does not come back when a file grows again`() throws {
        let test = try TestVolume()
        let file = try test.files.openFile(test.make("a"))
        try file.write([UInt8](repeating: 7, count: 20_000), at: 0)
        var change = AttributeChange()
        change.size = 10
        try test.files.change(file.number, change)
        change.size = 20_000
        try test.files.change(file.number, change)
        let expected = [UInt8](repeating: 7, count: 10) + [UInt8](repeating: 0, count: 19_990)
        #expect(try file.read(at: 0, count: 20_000) == expected)
        #expect(try test.files.attributes(of: file.number).pageCount == 1)
        #expect(try test.problems() == [])
    }

    @Test func `a hole gives its pages back, and can be found`() throws {
        let test = try TestVolume()
        let file = try test.files.openFile(test.make("a"))
        try file.write([UInt8](repeating: 7, count: 8 * 8192), at: 0)
        try file.clear(8192..<3 * 8192)
        #expect(try test.files.attributes(of: file.number).pageCount == 6)
        #expect(try test.files.seek(.hole, in: file.number, from: 5) == 8192)
        #expect(try test.files.seek(.data, in: file.number, from: 8192) == 3 * 8192)
        #expect(try test.files.seek(.data, in: file.number, from: 100) == 100)
        #expect(try test.files.seek(.hole, in: file.number, from: 3 * 8192) == 8 * 8192)
        #expect(try test.files.seek(.data, in: file.number, from: 8 * 8192) == nil)
        try file.write([1], at: 2 * 8192)
        #expect(try test.files.attributes(of: file.number).pageCount == 7)
        #expect(try test.problems() == [])
    }

    @Test func `a file cannot be larger than files can be`() throws {
        let test = try TestVolume()
        let file = try test.files.openFile(test.make("a"))
        #expect(kind { try file.write([1], at: UInt64(Int64.max)) } == .fileTooLarge)
        #expect(kind { try file.write([1], at: UInt64.max) } == .fileTooLarge)
        try file.write([1], at: UInt64(Int64.max) - 1)
        #expect(try file.read(at: UInt64(Int64.max) - 1, count: 5) == [1])
        var change = AttributeChange()
        change.size = UInt64(Int64.max) + 1
        #expect(kind { try test.files.change(file.number, change) } == .fileTooLarge)
        #expect(try test.problems() == [])
    }

    @Test func `writes that cut a page are counted, and others are not`() throws {
        let test = try TestVolume()
        let file = try test.files.openFile(test.make("a"))
        // Whole pages, over and behind the end, and text that grows.
        try file.write([UInt8](repeating: 1, count: 3 * 8192), at: 0)
        try file.write([UInt8](repeating: 2, count: 8192), at: 8192)
        let text = try test.files.openFile(test.make("b"))
        for line in 0..<300 {
            try text.write([UInt8](repeating: 3, count: 100), at: UInt64(line * 100))
        }
        #expect(test.files.cutWriteCount == 0)
        // A page that comes in three pieces.
        for (offset, count) in [(0, 3968), (3968, 128), (4096, 4096)] {
            try file.write([UInt8](repeating: 4, count: count), at: UInt64(8192 + offset))
        }
        #expect(test.files.cutWriteCount == 3)
        try file.write([UInt8](repeating: 5, count: 8192), at: 100)
        #expect(test.files.cutWriteCount == 4)
        #expect(test.files.cutFiles == [file.number])
        for name in 0..<64 {
            let one = try test.files.openFile(test.make("c\(name)"))
            try one.write([UInt8](repeating: 1, count: 8192), at: 0)
            try one.write([2], at: 7)
        }
        #expect(test.files.cutFiles == nil)
        #expect(test.files.cutWriteCount == 68)
    }

    @Test func `a file that lost its name is there until it is closed, and gone then`() throws {
        let test = try TestVolume()
        var file: OpenFile? = try test.files.openFile(test.make("a"))
        let number = try #require(file?.number)
        try file?.write([1, 2, 3], at: 0)
        try test.files.remove(FileName("a"), from: .root)
        try file?.write([4], at: 3)
        #expect(try file?.read(at: 0, count: 9) == [1, 2, 3, 4])
        #expect(try test.files.attributes(of: number).linkCount == 0)
        #expect(kind { try test.files.link(number, as: FileName("b"), in: .root) } == .notFound)
        // A fork has nobody who holds it open.
        let fork = try test.store.fork("fork", from: test.main)
        let forked = try BranchFiles.open(fork)
        #expect(kind { _ = try forked.attributes(of: number) } == .notFound)
        #expect(try test.problems() == [])
        file = nil
        #expect(kind { _ = try test.files.attributes(of: number) } == .notFound)
        #expect(try test.problems() == [])
    }

    @Test func `times are set by what happens, and are there after a close`() throws {
        let test = try TestVolume()
        let number = try test.make("a")
        let made = try test.files.attributes(of: number)
        #expect(made.modified == made.created)
        var file: OpenFile? = try test.files.openFile(number)
        try file?.write([1, 2], at: 0)
        let grown = try test.files.attributes(of: number)
        #expect(grown.modified > made.modified)
        try file?.write([3], at: 0)
        let changed = try test.files.attributes(of: number)
        #expect(changed.modified > grown.modified)
        // On its page the time is still the older one: a fork would not have it.
        let before = try PastFiles(test.main.view())
        #expect(try before.attributes(of: number).modified == grown.modified)
        try test.files.writeTimes()
        #expect(try PastFiles(test.main.view()).attributes(of: number) == changed)
        try file?.write([4], at: 0)
        let last = try test.files.attributes(of: number)
        file = nil
        #expect(try PastFiles(test.main.view()).attributes(of: number) == last)
    }

    @Test func `who syncs a file leaves the next one nothing to write`() throws {
        let test = try TestVolume()
        let numbers = try ["a", "b", "c"].map { try test.make($0) }
        let files = try numbers.map { try test.files.openFile($0) }
        for file in files {
            try file.write([1, 2], at: 0)
            // Inside of the file: its times alone are newer in memory then.
            try file.write([3], at: 0)
        }
        try files[0].sync()
        let head = try test.main.point(at: .head).lsn
        for (file, number) in zip(files, numbers) {
            let known = try test.files.attributes(of: number)
            #expect(try PastFiles(test.main.view()).attributes(of: number) == known)
            try file.sync()
        }
        #expect(try test.main.point(at: .head).lsn == head)
    }

    @Test func `times and owners are what they are set to`() throws {
        let test = try TestVolume()
        let number = try test.make("a")
        var change = AttributeChange()
        change.owner = 1000
        change.group = 1001
        change.accessed = .at(-5)
        change.modified = .at(1_000_000_007)
        let after = try test.files.change(number, change)
        #expect(after.owner == 1000 && after.group == 1001)
        #expect(after.accessed == -5 && after.modified == 1_000_000_007)
        #expect(try test.files.attributes(of: number) == after)
    }
}
