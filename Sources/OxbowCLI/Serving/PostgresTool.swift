#if Server
import BranchServer
import CLinux
import Glibc
import Primitives

/// PostgreSQL's own programs, run on a branch of a server. What they have to say of errors goes
/// where this process's messages go.
struct PostgresTool {
    let address: BranchAddress

    init(_ address: BranchAddress) { self.address = address }

    /// The same, for another database of the branch.
    func on(database: String) -> PostgresTool {
        var other = address
        other.database = database
        return PostgresTool(other)
    }

    /// With the branch among the options: so whatever database a script connects to next is the
    /// branch's, too.
    private var changes: ChildProcess.Changes {
        [
            ("PGHOST", address.host), ("PGPORT", "\(address.port)"), ("PGUSER", address.user),
            ("PGPASSWORD", address.password), ("PGDATABASE", address.database),
            ("PGOPTIONS", "-c oxbow.branch=\(address.branch)"), ("PGSERVICE", nil),
            ("PGHOSTADDR", nil),
        ]
    }

    private static let psql = ["-X", "-q", "-v", "ON_ERROR_STOP=1"]

    /// Begins one of the programs.
    func start(
        _ name: String,
        _ arguments: [String],
        input: Int32? = nil,
        results: Int32? = nil
    ) throws -> ChildProcess {
        try ChildProcess(
            [PsqlCommand.path(of: name)] + arguments,
            changes: changes,
            input: input,
            results: results
        )
    }

    /// The rows that a statement answers with, their columns parted by tabs.
    func rows(_ sql: String) throws -> [String] {
        let pipe = try Self.makePipe()
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer {
            close(pipe.reader)
            close(nothing)
        }
        let words = Self.psql + ["-A", "-t", "-F", "\t", "-c", sql]
        let child: ChildProcess
        do {
            child = try start("psql", words, input: nothing, results: pipe.writer)
        } catch {
            close(pipe.writer)
            throw error
        }
        close(pipe.writer)
        let reader = Input(ByteStream(pipe.reader))
        var bytes: [UInt8] = []
        while true {
            let part = try reader.read(4096)
            if part.isEmpty { break }
            bytes += part
        }
        try Self.expectSuccess("psql", child.wait())
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Does a statement, outside of a transaction.
    func run(_ sql: String) throws { _ = try rows(sql) }

    /// After a load: leaves a fork nothing to redo, where the role may make a checkpoint.
    func settle() throws {
        if try rows("SHOW is_superuser") == ["on"] { try run("CHECKPOINT") }
    }

    /// Hands a script to psql, piece by piece.
    func feed(_ pieces: some Sequence<[UInt8]>, _ progress: (UInt64) throws -> Void) throws {
        let pipe = try Self.makePipe()
        // What its statements answer with, nobody wants to see.
        let nothing = unsafe open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(nothing) }
        let child: ChildProcess
        do {
            child = try start("psql", Self.psql, input: pipe.reader, results: nothing)
        } catch {
            close(pipe.reader)
            close(pipe.writer)
            throw error
        }
        close(pipe.reader)
        var done: UInt64 = 0
        do {
            defer { close(pipe.writer) }
            let stream = ByteStream(pipe.writer)
            for piece in pieces {
                // One that reads no more has said why.
                guard stream.write(piece) == 0 else { break }
                done += UInt64(piece.count)
                try progress(done)
            }
        } catch {
            child.signal(SIGTERM)
            _ = child.wait()
            throw error
        }
        try Self.expectSuccess("psql", child.wait())
    }

    static func expectSuccess(_ name: String, _ code: Int32) throws(Failure) {
        guard code != 0 else { return }
        throw Failure("failed", "\(name) ended with status \(code), and said why above")
    }

    static func makePipe() throws(Failure) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe oxbow_make_pipe(&ends) == 0 else {
            throw Failure("file", "make a pipe: \(unsafe String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }

    /// A name as SQL takes it.
    static func quoted(_ name: String) -> String {
        "\"" + name.replacing(marks: ["\"": "\"\""]) + "\""
    }

    /// A text as SQL takes it.
    static func literal(_ text: String) -> String {
        // With a backslash, whatever the server's settings say of those.
        " E'" + text.replacing(marks: ["\\": "\\\\", "'": "''"]) + "'"
    }

    func has(database: String) throws -> Bool {
        try !rows("SELECT 1 FROM pg_database WHERE datname =\(Self.literal(database))").isEmpty
    }
}
#endif
