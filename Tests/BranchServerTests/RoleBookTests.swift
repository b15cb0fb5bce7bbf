import BranchServer
import Foundation
import Oxbow
import PostgresWire
import Primitives
import Synchronization
import Testing
import Volume

/// Who may log in where, with a compute that says what it is told to.
@Suite struct RoleBookTests {
    /// Lines and files that the book told of.
    private final class Notes: Sendable {
        private let lock = Lock()
        // Safe: under the lock.
        nonisolated(unsafe) private var lines: [String] = []
        // Safe: under the lock.
        nonisolated(unsafe) private var numbers: Set<InodeNumber> = []

        func add(_ line: String) { lock.withLock { lines.append(line) } }
        func add(_ number: InodeNumber) { lock.withLock { _ = numbers.insert(number) } }
        var last: String { lock.withLock { lines.last ?? "" } }
        var files: Int { lock.withLock { numbers.count } }
    }

    private let store: Store
    private let main: Branch
    private let compute: FakeCompute
    private let book: RoleBook
    private let notes = Notes()
    private let clock = HandClock()

    init() throws {
        store = try Store.temporary()
        main = try store.branch("main")
        _ = try BranchFiles.open(main)
        compute = try FakeCompute()
        let notes = notes
        book = RoleBook(
            role: "postgres",
            clock: clock,
            changed: { number, _ in notes.add(number) },
            log: { notes.add($0) }
        )
    }

    private func tell(_ passwords: [String: String], isSettled: Bool = true) throws {
        compute.say(
            FakeCompute.roles(
                try passwords.map { name, password in
                    [name, "t", try RoleListTests.verifier(password).description, nil]
                },
                isSettled: isSettled
            )
        )
    }

    private func write() throws {
        let files = try BranchFiles.open(main)
        let name = try FileName("f\(UInt32.random(in: 0..<UInt32.max))")
        try files.makeFile(name, in: .root, Ownership(permissions: 0o600))
    }

    private func verifier(_ user: WireString, _ branch: Branch? = nil) -> SCRAMVerifier? {
        try? book.verifier(of: user, on: branch ?? main, socketPath: nil)
    }

    @Test func `nobody may log in on a branch that was never asked`() {
        #expect(verifier("app") == nil)
        #expect(notes.last.contains("nobody has asked its PostgreSQL yet"))
        #expect(!book.hasList(main))
        #expect(compute.count == 0)
        compute.end()
    }

    @Test func `what a compute said is known when it is gone, and forks with the branch`() throws {
        try tell(["app": "one"])
        #expect(book.refresh(main, socketPath: compute.path))
        // The folder that it is in, its own, and the file.
        #expect(notes.files == 3)
        try store.fork("copy", from: main)
        try tell(["app": "two"])
        try write()
        #expect(book.refresh(main, socketPath: compute.path))
        compute.end()
        let copy = try store.branch("copy")
        #expect(try verifier("app") == RoleListTests.verifier("two"))
        #expect(try verifier("app", copy) == RoleListTests.verifier("one"))
        #expect(verifier("nobody") == nil)
        #expect(notes.last.hasSuffix("there is no such role"))
        // As another server would see it.
        let other = RoleBook(role: "postgres")
        #expect(other.hasList(copy))
        #expect(
            try other.verifier(of: "app", on: copy, socketPath: nil)
                == RoleListTests.verifier("one")
        )
        #expect(try BranchFiles.open(main).cutWriteCount == 0)
    }

    @Test func `a compute is asked again only where its branch has changed`() throws {
        try tell(["app": "one"])
        func ask() -> SCRAMVerifier? {
            try? book.verifier(of: "app", on: main, socketPath: compute.path)
        }
        // The second time since the first wrote the list down.
        for _ in 0..<5 { #expect(try ask() == RoleListTests.verifier("one")) }
        #expect(compute.count == 2)
        try tell(["app": "two"])
        try write()
        for _ in 0..<5 { #expect(try ask() == RoleListTests.verifier("two")) }
        #expect(compute.count == 4)
        // Somebody is about to change roles: what comes of it may be in the log already.
        try tell(["app": "two"], isSettled: false)
        try write()
        for _ in 0..<3 { #expect(try ask() == RoleListTests.verifier("two")) }
        #expect(compute.count == 7)
        compute.end()
    }

    @Test func `what is written while a compute is asked is asked for again`() throws {
        let main = main
        try tell(["app": "one"])
        #expect(book.refresh(main, socketPath: compute.path))
        var script = FakeCompute.roles([])
        script.before = {
            _ = try? BranchFiles.open(main).makeFile(
                FileName("meanwhile"),
                in: .root,
                Ownership(permissions: 0o600)
            )
        }
        compute.say(script)
        try write()
        #expect(book.refresh(main, socketPath: compute.path))
        try tell(["app": "two"])
        let now = try book.verifier(of: "app", on: main, socketPath: compute.path)
        #expect(try now == RoleListTests.verifier("two"))
        compute.end()
    }

    @Test func `a password that was proved against an old list is not let in`() throws {
        try tell(["app": "one", "gone": "x"])
        #expect(book.refresh(main, socketPath: compute.path))
        try tell(["app": "two"])
        try write()
        let one = try #require(verifier("app"))
        let gone = try #require(verifier("gone"))
        #expect(try !book.confirm("app", one, on: main, socketPath: compute.path))
        #expect(notes.last.contains("another password"))
        #expect(try !book.confirm("gone", gone, on: main, socketPath: compute.path))
        let two = try #require(verifier("app"))
        #expect(try two == RoleListTests.verifier("two"))
        #expect(try book.confirm("app", two, on: main, socketPath: compute.path))
        // Asked once for all who come after that.
        let count = compute.count
        try write()
        #expect(try book.confirm("app", two, on: main, socketPath: compute.path))
        #expect(compute.count == count)
        #expect(try !book.confirm("app", one, on: main, socketPath: compute.path))
        compute.end()
    }

    @Test func `times and roles that may not log in are honoured`() throws {
        let verifier = try RoleListTests.verifier("x").description
        let soon = Int64(clock.now() / 1000) + 10_000_000
        compute.say(
            FakeCompute.roles([
                ["a", "t", verifier, "\(soon)"], ["b", "f", verifier, nil],
                ["c", "t", "md5" + String(repeating: "0", count: 32), nil], ["d", "t", nil, nil],
            ])
        )
        #expect(book.refresh(main, socketPath: compute.path))
        #expect(self.verifier("a") != nil)
        for name in ["b", "c", "d"] { #expect(self.verifier(WireString(name)) == nil) }
        clock.advance(seconds: 11)
        #expect(self.verifier("a") == nil)
        #expect(notes.last.contains("over"))
        compute.end()
    }

    @Test func `a compute that comes or goes is as one that is not there`() throws {
        try tell(["app": "one"])
        #expect(book.refresh(main, socketPath: compute.path))
        try write()
        let going = FakeCompute.error("57P03", "the database system is shutting down")
        compute.say(FakeCompute.Script(welcome: going, answer: []))
        let now = try book.verifier(of: "app", on: main, socketPath: compute.path)
        #expect(try now == RoleListTests.verifier("one"))
        let known = try #require(now)
        #expect(throws: RoleError.self) {
            try book.confirm("app", known, on: main, socketPath: compute.path)
        }
        compute.end()
        #expect(try book.verifier(of: "app", on: main, socketPath: compute.path) != nil)
        #expect(!book.refresh(main, socketPath: compute.path))
    }

    @Test func `one without a session left is told of as that, and asked again at once`() throws {
        try tell(["app": "one"])
        #expect(book.refresh(main, socketPath: compute.path))
        try write()
        let full = FakeCompute.error("53300", "sorry, too many clients already")
        compute.say(FakeCompute.Script(welcome: full, answer: []))
        // Who wants in proves the password of the list that is kept, and is not let in by that.
        let kept = try book.verifier(of: "app", on: main, socketPath: compute.path, orKept: true)
        #expect(try kept == RoleListTests.verifier("one"))
        #expect(try book.verifier(of: "app", on: main, socketPath: compute.path) == nil)
        let known = try #require(kept)
        for _ in 0..<20 {
            let error = try #require(
                #expect(throws: RoleError.self) {
                    try book.confirm("app", known, on: main, socketPath: compute.path)
                }
            )
            #expect(error.isFull)
            clock.advance(seconds: 1)
        }
        try tell(["app": "one"])
        #expect(try book.confirm("app", known, on: main, socketPath: compute.path))
        compute.end()
    }

    @Test func `who is no role is told of as many rounds as the others`() throws {
        let secret: [UInt8] = [1, 2, 3]
        func decoy(_ name: WireString) throws -> SCRAMVerifier {
            try book.decoy(for: name, on: main, secret: secret)
        }
        #expect(try decoy("a").iterations == SCRAMVerifier.usualIterations)
        let rare = try RoleListTests.verifier("x").description
        let usual = try RoleListTests.verifier("x", iterations: 5000).description
        compute.say(
            FakeCompute.roles([
                ["a", "t", rare, nil], ["b", "t", usual, nil], ["c", "t", usual, nil],
                ["d", "t", nil, nil], ["e", "t", nil, nil], ["f", "t", nil, nil],
            ])
        )
        #expect(book.refresh(main, socketPath: compute.path))
        #expect(try decoy("x").iterations == 5000)
        #expect(try decoy("x") == decoy("x"))
        #expect(try decoy("x").salt != decoy("y").salt)
        #expect(try decoy("x").salt.count == SCRAMVerifier.usualSaltCount)
        compute.end()
    }

    private static let hostile: [(String, [UInt8], [UInt8])] = [
        ("did not answer", FakeCompute.welcome, []),
        ("password", FakeCompute.message("R", [0, 0, 0, 10]), []),
        ("no such role", FakeCompute.error("28000", "no such\nrole"), []),
        ("bytes", FakeCompute.welcome, [UInt8(ascii: "D"), 0x7F, 0xFF, 0xFF, 0xFF]),
        ("bytes", FakeCompute.welcome, [UInt8(ascii: "D"), 0xFF, 0xFF, 0xFF, 0xFF]),
        (
            "bytes", FakeCompute.welcome,
            (0..<17).flatMap { _ in FakeCompute.message("N", [UInt8](repeating: 7, count: 1 << 20))
            }
        ),
        (
            "rows", FakeCompute.welcome,
            (0...10_002).flatMap { _ in FakeCompute.row(["f"]) } + FakeCompute.ready
        ),
        ("row", FakeCompute.welcome, FakeCompute.message("D", [0, 9, 1]) + FakeCompute.ready),
        ("row", FakeCompute.welcome, FakeCompute.message("D", []) + FakeCompute.ready),
        ("else", FakeCompute.welcome, FakeCompute.ready),
        ("else", FakeCompute.welcome, FakeCompute.roles([["a"]]).answer),
        ("time", FakeCompute.welcome, FakeCompute.roles([["a", "t", nil, "soon"]]).answer),
        ("names", FakeCompute.welcome, FakeCompute.roles([["", "t", nil, nil]]).answer),
    ]

    @Test(arguments: hostile.indices)
    func `whatever a compute says, nobody is let in by it`(index: Int) throws {
        let (word, welcome, answer) = Self.hostile[index]
        try tell(["app": "one"])
        #expect(book.refresh(main, socketPath: compute.path))
        try write()
        compute.say(FakeCompute.Script(welcome: welcome, answer: answer))
        #expect(try book.verifier(of: "app", on: main, socketPath: compute.path) == nil)
        #expect(notes.last.contains(word), "\(notes.last)")
        #expect(!notes.last.contains("\n"))
        // It is left alone for a while.
        let count = compute.count
        #expect(try book.verifier(of: "app", on: main, socketPath: compute.path) == nil)
        #expect(compute.count == count)
        clock.advance(seconds: 2)
        try tell(["app": "one"])
        #expect(try book.verifier(of: "app", on: main, socketPath: compute.path) != nil)
        compute.end()
    }

    @Test func `a file that is no list is as none, and is written anew`() throws {
        let files = try BranchFiles.open(main)
        let folder = try files.makeFolder(
            FileName(".oxbow"),
            in: .root,
            Ownership(permissions: 0o755, owner: 7)
        )
        let file = try files.makeFile(
            FileName("roles"),
            in: folder,
            Ownership(permissions: 0o600)
        )
        try files.openFile(file).write([UInt8](repeating: 7, count: 100_000), at: 0)
        #expect(verifier("app") == nil)
        #expect(notes.last.contains("no list of roles"))
        try tell(["app": "one"])
        #expect(book.refresh(main, socketPath: compute.path))
        #expect(try verifier("app") == RoleListTests.verifier("one"))
        #expect(try files.attributes(of: folder).permissions == 0o700)
        #expect(try files.attributes(of: folder).owner == 0)
        #expect(try files.attributes(of: file).size == UInt64(store.pageSize))
        // One that others may write is not believed.
        var open = AttributeChange()
        open.permissions = 0o666
        try files.change(file, open)
        #expect(verifier("app") == nil)
        #expect(notes.last.contains("root alone"))
        compute.end()
    }

    @Test func `a link is not followed`() throws {
        try tell(["app": "one"])
        #expect(book.refresh(main, socketPath: compute.path))
        let files = try BranchFiles.open(main)
        let name = try FileName(".oxbow")
        try files.rename(name, in: .root, to: FileName("elsewhere"), in: .root)
        let ownership = Ownership(permissions: 0o777)
        try files.makeLink(name, in: .root, to: Array("elsewhere".utf8), ownership)
        #expect(verifier("app") == nil)
        try write()
        #expect(!book.refresh(main, socketPath: compute.path))
        compute.end()
    }

    @Test func `many who come at once share the questions`() throws {
        let (book, main, path) = (book, main, compute.path)
        let come = Atomic(0)
        let letIn = Atomic(0)
        var script = FakeCompute.roles(
            [["app", "t", try RoleListTests.verifier("one").description, nil]],
            isSettled: false
        )
        script.before = {
            while come.load(ordering: .relaxed) < 32 { usleep(1000) }
            usleep(50_000)
        }
        compute.say(script)
        let threads = (0..<32).map { _ in
            WorkerThread {
                come.add(1, ordering: .relaxed)
                if (try? book.verifier(of: "app", on: main, socketPath: path)) != nil {
                    letIn.add(1, ordering: .relaxed)
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(letIn.load(ordering: .relaxed) == 32)
        #expect(compute.count < 16)
        compute.end()
    }
}
