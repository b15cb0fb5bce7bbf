import Foundation
import Glibc

/// `oxbow serve`, run as a user would.
final class OxbowServer {
    let data: String
    private let executable: String
    private let words: [String]
    private let cleanup: Cleanup
    private var program: Program?
    private var forget: (() -> Void)?
    private var port = 0
    private var run = ""
    private var password = ""
    /// So many forks it keeps ready: none, unless they are what is measured.
    private var prepared = 0

    init(
        _ executable: String,
        data: String,
        _ words: [String],
        _ cleanup: Cleanup
    ) {
        self.executable = executable
        self.data = data
        self.words = words
        self.cleanup = cleanup
    }

    var process: pid_t { program?.process ?? 0 }

    /// Starts it, and waits until it says where it listens.
    func start() throws {
        let log = open(data + ".log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer { close(log) }
        let started = try Program(
            [executable, "serve", "--data", data, "--listen", "127.0.0.1:0"]
                + ["--prepare", "\(prepared)"] + words,
            Program.Streams(output: log, error: log)
        )
        program = started
        forget = cleanup.add { [self] in
            started.end(SIGTERM, graceSeconds: 60)
            removeRun()
        }
        let end = Measure.now() + 120_000_000_000
        while !readAddress() {
            guard started.isRunning, Measure.now() < end else {
                throw BenchmarkError("oxbow serve does not listen: \(lastLines)")
            }
            usleep(5_000)
        }
    }

    private func readAddress() -> Bool {
        guard let text = try? String(contentsOfFile: data + "/server/address", encoding: .utf8),
            let secret = try? String(contentsOfFile: data + "/server/password", encoding: .utf8)
        else { return false }
        var found: [Substring: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            if words.count == 2 { found[words[0]] = String(words[1]) }
        }
        guard let port = found["port"].flatMap({ Int($0) }), let run = found["run"],
            found["pid"] == "\(process)"
        else { return false }
        self.port = port
        self.run = run
        password = secret.trimmingCharacters(in: .whitespacesAndNewlines)
        return true
    }

    private var lastLines: String {
        let text = (try? String(contentsOfFile: data + ".log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(8).joined(separator: "\n")
    }

    /// What a server leaves that was killed. Where its mount is still there, nothing is touched.
    private func removeRun() {
        guard !run.isEmpty, access(run + "/mnt", F_OK) != 0 else { return }
        try? FileManager.default.removeItem(atPath: run + "/computes")
        rmdir(run)
    }

    func restart(prepared: Int) throws {
        stop()
        self.prepared = prepared
        try start()
    }

    /// Waits until a fork is ready, and returns the first process on it.
    func awaitPrepared(_ console: Session) throws -> pid_t {
        let end = Measure.now() + 30_000_000_000
        while Measure.now() < end {
            for row in try console.query("SHOW COMPUTES") where row.count > 4 {
                // While it is made, the server has a session on it.
                guard row[2] == "ready", row[4] == "0", row[0]?.hasPrefix("prepared-") == true,
                    let process = row[3].flatMap({ pid_t($0) })
                else { continue }
                return process
            }
            usleep(20_000)
        }
        throw BenchmarkError("no fork was ready within 30 s")
    }

    func stop() {
        program?.end(SIGTERM, graceSeconds: 60)
        program = nil
        forget?()
        forget = nil
    }

    // MARK: Where it is reached

    /// Through the front's port.
    func login(_ database: String, branch: String = "main") -> Login {
        Login(.loopback(port: port), database: "\(database)@\(branch)", password: password)
    }

    /// Through the front's socket for a branch.
    func socketLogin(_ database: String, branch: String) -> Login {
        Login(
            .unix(folder: "\(run)/branches/\(branch)", port: 5432),
            database: database,
            password: password
        )
    }

    /// The front's own database.
    func console() throws -> Session {
        try Session(Login(.loopback(port: port), database: "oxbow", password: password))
    }

    /// Straight to the compute of a branch, which is found by when it was started.
    func straightLogin(_ database: String, branch: String) throws -> Login {
        let question = "SELECT pg_postmaster_start_time()"
        let session = try Session(login(database, branch: branch))
        defer { session.end() }
        let answer = try session.value(question)
        let folder = run + "/computes"
        for key in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let login = Login(
                .unix(folder: "\(folder)/\(key)/sockets", port: 5432),
                database: database
            )
            guard let other = try? Session(login) else { continue }
            defer { other.end() }
            if try other.value(question) == answer { return login }
        }
        throw BenchmarkError("the compute of \(branch) has no socket in \(folder)")
    }

    /// Makes a branch, which is durable when this returns.
    func fork(
        _ name: String,
        from parent: String = "main",
        at moment: String? = nil,
        _ console: Session
    ) throws {
        let place = moment.map { " AT '\($0)'" } ?? ""
        try console.query("CREATE BRANCH \"\(name)\" FROM \"\(parent)\"\(place) NO EXPIRY")
    }

    func drop(_ name: String, _ console: Session) throws {
        try console.query("DROP BRANCH IF EXISTS \"\(name)\"")
    }
}
