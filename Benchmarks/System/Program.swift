import Foundation
import Glibc

/// A process that this one started, in a process group of its own: Ctrl-C is for us to pass on.
final class Program {
    let process: pid_t
    private var status: Int32?

    /// Where its input comes from and its output goes to; nothing where nil.
    struct Streams {
        var input: Int32?
        var output: Int32?
        var error: Int32?

        init(input: Int32? = nil, output: Int32? = nil, error: Int32? = nil) {
            self.input = input
            self.output = output
            self.error = error
        }
    }

    init(
        _ words: [String],
        environment: [String: String] = [:],
        _ streams: Streams = Streams()
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in [streams.input, streams.output, streams.error].enumerated() {
            if let source {
                posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
            } else {
                let flags = target == 0 ? O_RDONLY : O_WRONLY
                posix_spawn_file_actions_addopen(&actions, Int32(target), "/dev/null", flags, 0)
            }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // This process holds signals back, and a child would inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETPGROUP)
        )
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let arguments = words.map { strdup($0) } + [nil]
        let variables = all.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var made: pid_t = 0
        let error = posix_spawnp(&made, words[0], &actions, &attributes, arguments, variables)
        guard error == 0 else {
            throw BenchmarkError("run \(words[0]): \(String(cString: strerror(error)))")
        }
        process = made
    }

    /// Whether it has not ended yet.
    var isRunning: Bool { reap(WNOHANG) == nil }

    func signal(_ signal: Int32) { if isRunning { kill(process, signal) } }

    /// Waits for its end: what it ended with, or 128 and the signal.
    @discardableResult
    func wait() -> Int32 { reap(0) ?? -1 }

    /// Waits so long for its end; whether it came.
    func wait(atMostSeconds limit: Double) -> Bool {
        let end = Measure.now() + UInt64(limit * 1e9)
        while isRunning {
            if Measure.now() > end { return false }
            usleep(2_000)
        }
        return true
    }

    /// Ends it: asked first, killed where that does not help.
    func end(_ first: Int32 = SIGTERM, graceSeconds: Double = 30) {
        signal(first)
        if !wait(atMostSeconds: graceSeconds) {
            signal(SIGKILL)
            wait()
        }
    }

    private func reap(_ options: Int32) -> Int32? {
        if let status { return status }
        var word: Int32 = 0
        while true {
            let found = waitpid(process, &word, options)
            if found == process { break }
            if found == 0 { return nil }
            if errno == EINTR { continue }
            // Somebody else has waited for it.
            status = -1
            return status
        }
        let signal = word & 0x7F
        status = signal == 0 ? (word >> 8) & 0xFF : 128 + signal
        return status
    }
}

/// Programs that do something and end.
enum Tool {
    /// Runs one; what it printed. An error with what it said where it failed.
    @discardableResult
    static func run(
        _ words: [String],
        environment: [String: String] = [:],
        input: (any Sequence<[UInt8]>)? = nil
    ) throws -> String {
        let output = Pipe()
        let error = try scratch()
        defer { close(error) }
        let source = input.map { _ in Pipe() }
        let program = try Program(
            words,
            environment: environment,
            Program.Streams(
                input: source?.fileHandleForReading.fileDescriptor,
                output: output.fileHandleForWriting.fileDescriptor,
                error: error
            )
        )
        try output.fileHandleForWriting.close()
        if let source, let input { try feed(source, input) }
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let status = program.wait()
        guard status == 0 else {
            throw BenchmarkError(
                "\(words.joined(separator: " ")): ended with \(status): \(contents(error))"
            )
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes all of it; a reader that went away is told by its status.
    private static func feed(_ pipe: Pipe, _ input: any Sequence<[UInt8]>) throws {
        try pipe.fileHandleForReading.close()
        for piece in input {
            do { try pipe.fileHandleForWriting.write(contentsOf: piece) } catch { break }
        }
        try pipe.fileHandleForWriting.close()
    }

    /// A file without a name, for what is said in between.
    private static func scratch() throws -> Int32 {
        var name = Array("/tmp/oxbow-bench-XXXXXX".utf8CString)
        let file = mkstemp(&name)
        guard file >= 0 else {
            throw BenchmarkError("a file in /tmp: \(String(cString: strerror(errno)))")
        }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        unlink(name)
        return file
    }

    private static func contents(_ file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 2_000)
        let size = Int(lseek(file, 0, SEEK_END))
        let count = pread(file, &bytes, bytes.count, max(0, size - bytes.count))
        let text = String(decoding: bytes[..<max(0, count)], as: UTF8.self)
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
