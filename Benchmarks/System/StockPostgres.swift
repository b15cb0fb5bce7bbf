import Foundation
import Glibc

/// Stock PostgreSQL on a folder of a file system, run by us.
final class StockPostgres {
    let data: String
    private let tools: PostgresTools
    private let sockets: String
    private let cleanup: Cleanup
    private let password: String?
    private var settings: [String]
    private var program: Program?
    private var forget: (() -> Void)?

    init(
        _ tools: PostgresTools,
        data: String,
        sockets: String,
        _ cleanup: Cleanup,
        settings: [String] = [],
        password: String? = nil
    ) {
        self.tools = tools
        self.data = data
        self.sockets = sockets
        self.cleanup = cleanup
        self.settings = settings
        self.password = password
    }

    func login(_ database: String = "postgres") -> Login {
        Login(.unix(folder: sockets, port: 5432), database: database, password: password)
    }

    var process: pid_t { program?.process ?? 0 }

    /// Starts it, and returns at once.
    func launch(_ more: [String] = []) throws {
        let log = open(data + ".log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer { close(log) }
        let all = ["listen_addresses=", "unix_socket_directories=\(sockets)"] + settings + more
        let started = try Program(
            tools.unprivileged + [tools.path("postgres"), "-D", data]
                + all.flatMap { ["-c", $0] },
            Program.Streams(output: log, error: log)
        )
        program = started
        forget = cleanup.add { started.end(SIGINT) }
    }

    /// Starts it, and waits until somebody is let in.
    func start(_ more: [String] = []) throws {
        try launch(more)
        _ = try firstRow("SELECT 1", in: "postgres", since: Measure.now())
    }

    /// Waits until a query is answered: connects again and again, since nobody tells.
    func firstRow(
        _ sql: String,
        in database: String,
        since start: UInt64,
        until isAnswer: (String) -> Bool = { _ in true }
    ) throws -> Session.Arrival {
        while true {
            do {
                let arrival = try Session.arrive(login(database), sql, since: start)
                if isAnswer(arrival.value) { return arrival }
            } catch {
                guard Self.isEarly(error), program?.isRunning == true else {
                    throw BenchmarkError("\(data): \(error)\n\(lastLines)")
                }
            }
            usleep(500)
        }
    }

    /// Not there yet, or not yet letting anybody in.
    private static func isEarly(_ error: any Error) -> Bool {
        if let refused = error as? Refused { return refused.state == "57P03" }
        return error is BenchmarkError
    }

    private var lastLines: String {
        let text = (try? String(contentsOfFile: data + ".log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(8).joined(separator: "\n")
    }

    /// Ends it: at once and cleanly, or as a crash would.
    func stop(crash: Bool = false) {
        program?.signal(crash ? SIGQUIT : SIGINT)
        program?.wait()
        program = nil
        forget?()
        forget = nil
    }
}
