import Foundation
import Glibc

/// pgbench against a server, in the background or to its end.
final class Load {
    private let program: Program
    private let output: Pipe
    private let forget: () -> Void

    enum Script: String {
        /// TPC-B, more or less: pgbench's own.
        case transactions = "tpcb-like"
        case selects = "select-only"
    }

    init(
        _ lab: Laboratory,
        _ login: Login,
        _ script: Script,
        clients: Int,
        seconds: Int,
        logPrefix: String? = nil
    ) throws {
        output = Pipe()
        var words = [
            lab.tools.path("pgbench"), "-n", "-b", script.rawValue, "-c", "\(clients)",
            "-j", "\(min(clients, 2))", "-T", "\(seconds)", "-M", "prepared",
        ]
        if let logPrefix { words += ["-l", "--log-prefix=\(logPrefix)"] }
        program = try Program(
            words,
            environment: login.environment,
            Program.Streams(
                output: output.fileHandleForWriting.fileDescriptor,
                error: output.fileHandleForWriting.fileDescriptor
            )
        )
        try output.fileHandleForWriting.close()
        let program = program
        forget = lab.cleanup.add { program.end() }
    }

    var process: pid_t { program.process }

    /// Waits for its end: transactions in a second, without the time that connecting takes.
    func finish() throws -> Double {
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        let status = program.wait()
        forget()
        let line = text.split(separator: "\n").first { $0.hasPrefix("tps = ") }
        guard status == 0, let tps = line?.split(separator: " ").dropFirst(2).first,
            let number = Double(tps)
        else { throw BenchmarkError("pgbench ended with \(status): \(text.suffix(1_000))") }
        return number
    }

    /// Ends it before its time.
    func stop() {
        program.end(SIGINT)
        forget()
    }

    static func run(
        _ lab: Laboratory,
        _ login: Login,
        _ script: Script,
        clients: Int,
        seconds: Int
    ) throws -> Double {
        let load = try Load(lab, login, script, clients: clients, seconds: seconds)
        return try load.finish()
    }

    /// The single transactions of a run that was logged, which are removed.
    static func latencies(_ prefix: String) throws -> [Double] {
        let folder = URL(filePath: prefix).deletingLastPathComponent().path
        let name = URL(filePath: prefix).lastPathComponent + "."
        var all: [Double] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder)
        where file.hasPrefix(name) {
            let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
            // client, transaction, microseconds, ...
            all += text.split(separator: "\n").compactMap { line in
                line.split(separator: " ").dropFirst(2).first.flatMap { Double($0) }.map {
                    $0 / 1_000
                }
            }
            unlink(folder + "/" + file)
        }
        return all
    }
}
