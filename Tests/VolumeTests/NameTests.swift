import Oxbow
import Primitives
import TestSupport
import Testing
import Volume

@Suite struct NameTests {
    @Test func `a name is any bytes but a slash and NUL, up to 255`() throws {
        #expect(kind { _ = try FileName("") } == .invalid)
        #expect(kind { _ = try FileName(".") } == .invalid)
        #expect(kind { _ = try FileName("..") } == .invalid)
        #expect(kind { _ = try FileName("a/b") } == .invalid)
        #expect(kind { _ = try FileName([97, 0]) } == .invalid)
        #expect(kind { _ = try FileName([UInt8](repeating: 97, count: 256)) } == .nameTooLong)
        let test = try TestVolume()
        let odd = try FileName([0xFF, 0xFE, 10, 32])
        let long = try FileName([UInt8](repeating: 0xC3, count: 255))
        for name in [odd, long] {
            let number = try test.files.makeFile(name, in: .root, Ownership(permissions: 0o644))
            #expect(try test.files.lookUp(name, in: .root) == number)
        }
    }

    @Test func `a list that is read in parts has each entry once, whatever comes and goes`() throws
    {
        let test = try TestVolume()
        let folder = try test.makeFolder("many")
        for index in 0..<300 { try test.make("f\(index)", in: folder) }
        var seen: [String: Int] = [:]
        var cursor = FolderCursor.start
        var round = 0
        while true {
            var part = 0
            try test.files.visitEntries(of: folder, from: cursor) { entry, next in
                seen[entry.name.description, default: 0] += 1
                cursor = next
                part += 1
                return part < 7
            }
            if part == 0 { break }
            // Entries that come and go may be seen or not, but disturb nobody.
            try test.files.remove(FileName("f\(round)"), from: folder)
            try test.make("new\(round)", in: folder)
            round += 1
        }
        for index in round..<300 { #expect(seen["f\(index)"] == 1) }
        #expect(seen.values.allSatisfy { $0 == 1 })
        #expect(try test.files.attributes(of: folder).size == 300)
        #expect(try test.problems() == [])
    }

    @Test func `paths lead through folders and links, and not in circles`() throws {
        let test = try TestVolume()
        let folder = try test.makeFolder("etc")
        let file = try test.make("motd", in: folder)
        let ownership = Ownership(permissions: 0o777)
        try test.files.makeLink(FileName("l"), in: .root, to: Array("etc/motd".utf8), ownership)
        try test.files.makeLink(FileName("up"), in: folder, to: Array("../l".utf8), ownership)
        try test.files.makeLink(FileName("abs"), in: folder, to: Array("/l".utf8), ownership)
        try test.files.makeLink(FileName("x"), in: .root, to: Array("y".utf8), ownership)
        try test.files.makeLink(FileName("y"), in: .root, to: Array("x".utf8), ownership)
        for path in ["/etc/motd", "etc//./motd", "l", "etc/up", "etc/abs", "/etc/../../l"] {
            #expect(try test.files.resolve(path) == file, "\(path)")
        }
        #expect(try test.files.resolve("/") == .root)
        #expect(try test.files.resolve("l", followingLast: false) != file)
        #expect(kind { _ = try test.files.resolve("x") } == .tooManyHops)
        #expect(kind { _ = try test.files.resolve("etc/motd/z") } == .notAFolder)
        #expect(kind { _ = try test.files.resolve("nowhere") } == .notFound)
        #expect(try test.files.resolveParent("/etc/new/").name == FileName("new"))
        #expect(kind { _ = try test.files.resolveParent("//") } == .invalid)
    }

    @Test func `a file has as many names as it can have`() throws {
        let test = try TestVolume()
        let file = try test.make("a")
        try test.files.link(file, as: FileName("b"), in: .root)
        #expect(try test.files.attributes(of: file).linkCount == 2)
        #expect(kind { try test.files.link(.root, as: FileName("r"), in: .root) } == .isAFolder)
        try test.files.remove(FileName("a"), from: .root)
        #expect(try test.files.lookUp(FileName("b"), in: .root) == file)
        #expect(try test.problems() == [])
    }

    @Test func `after a reset or a deletion the files of before are stale, and say so`() throws {
        let test = try TestVolume()
        let open = try test.files.openFile(test.make("a"))
        try test.files.sync()
        let point = try test.main.point(at: .head)
        try test.make("b")
        try test.main.reset(to: point)
        #expect(kind { try test.make("c") } == .stale)
        #expect(kind { try open.write([1], at: 0) } == .stale)
        #expect(kind { try open.sync() } == .stale)
        #expect(kind { try open.reserve(0..<1, keepingSize: true) } == .stale)
        #expect(kind { try test.files.sync() } == .stale)
        #expect(kind { _ = try test.files.attributes(of: open.number) } == .stale)
        #expect(kind { _ = try test.files.lookUp(FileName("a"), in: .root) } == .stale)
        let after = try BranchFiles.open(test.main)
        #expect(try after.lookUp(FileName("a"), in: .root) == open.number)
        #expect(kind { _ = try after.lookUp(FileName("b"), in: .root) } == .notFound)
        let fork = try test.store.fork("fork", from: test.main)
        let forked = try BranchFiles.open(fork)
        try fork.delete()
        #expect(kind { _ = try forked.lookUp(FileName("a"), in: .root) } == .stale)
    }

    @Test func `a branch with other pages is no volume, and does not become one`() throws {
        let store = try Store.temporary()
        let main = try store.branch("main")
        #expect(kind { _ = try BranchFiles.open(main, creating: false) } == .notFound)
        let page = [UInt8](repeating: 1, count: 8192)
        try main.commit { edit in try edit.write(page, page: 0, of: ObjectID(5)) }
        #expect(kind { _ = try BranchFiles.open(main) } == .invalid)
        #expect(kind { _ = try PastFiles(main.view()) } == .notFound)
        try main.commit { edit in try edit.write(page, page: 0, of: ObjectID(0)) }
        #expect(kind { _ = try BranchFiles.open(main) } == .damaged)
    }

    /// Names whose places are the same are too rare to be met.
    @Test func `a list has all names that share a page, and the longest`() throws {
        let test = try TestVolume()
        let folder = try test.makeFolder("d")
        let names =
            ["x", "y"].map { String(repeating: $0, count: 200) }
            + [String(repeating: "z", count: 255)]
        func page(_ entries: [(name: String, slot: UInt8)]) -> [UInt8] {
            var bytes = Array("FOLD".utf8) + [1, UInt8(entries.count)]
            for entry in entries {
                bytes += withUnsafeBytes(of: folder.rawValue.littleEndian) { Array($0) }
                bytes += [FileKind.file.rawValue, entry.slot, UInt8(entry.name.utf8.count)]
                bytes += Array(entry.name.utf8)
            }
            return bytes + [UInt8](repeating: 0, count: 8192 - bytes.count)
        }
        try test.main.commit { edit in
            let object = ObjectID(folder.rawValue)
            try edit.write(page([(names[0], 0), (names[1], 3)]), page: 7, of: object)
            try edit.write(page([(names[2], 5)]), page: 9, of: object)
        }
        let past = try PastFiles(test.main.view())
        var found: [(name: String, next: FolderCursor)] = []
        try past.visitEntries(of: folder, from: .start) { entry, next in
            found.append((entry.name.description, next))
            return true
        }
        #expect(found.map(\.name) == names)
        for (index, entry) in found.enumerated() {
            var rest: [String] = []
            try past.visitEntries(of: folder, from: entry.next) { entry, _ in
                rest.append(entry.name.description)
                return true
            }
            #expect(rest == Array(names.dropFirst(index + 1)))
        }
    }

    @Test func `all who open a branch's files get the same`() throws {
        let test = try TestVolume()
        #expect(try BranchFiles.open(test.main) === test.files)
        let fork = try test.store.fork("fork", from: test.main)
        #expect(try BranchFiles.open(fork) !== test.files)
    }
}
