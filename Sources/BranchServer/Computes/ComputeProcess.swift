import CLinux
import Glibc
import Primitives

/// What is to be run, by whom, and what it sees.
package struct ComputeProgram: Sendable {
    var path: String
    var arguments: [String]
    /// Nobody else where nil.
    var user: SystemUser?
    /// Folders, and where they are seen instead of what is there; nil where the program sees what
    /// we see.
    var view: [(folder: String, place: String)]?
    /// A file that it holds open until its last process ends.
    var keep: Int32 = -1

    package init(path: String, arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }

    /// All that programs are told of our environment.
    static let environment = [
        "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/nonexistent",
    ]
}

/// A process of a compute's, from its start until its end is known.
///
/// It ends when the thread that started it does, and so with the server: in its own space of
/// processes it is the first, and all others there go with it.
package struct ComputeProcess: ~Copyable {
    let id: pid_t
    /// Readable when the process has ended.
    let end: Int32
    /// What it says.
    let output: Int32

    /// Starts a program. Its first process is a child of this thread.
    init(_ program: ComputeProgram) throws(ComputeError) {
        let (reader, writer) = try ComputeFiles.makePipe()
        let null = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer {
            close(writer)
            if null >= 0 { close(null) }
        }
        do throws(ComputeError) {
            id = try Self.launch(program, input: null, output: writer)
        } catch {
            close(reader)
            throw error
        }
        output = reader
        _ = fcntl(reader, F_SETFL, O_NONBLOCK)
        end = oxbow_watch_process(id)
        invariant(end >= 0, "pidfd_open \(id): \(errno)")
    }

    deinit {
        close(end)
        close(output)
    }

    /// Tells that this process is alive: nothing is ever written, and no program keeps it.
    private static let life: (reader: Int32, writer: Int32) =
        (try? ComputeFiles.makePipe()) ?? (-1, -1)

    private static func launch(
        _ program: ComputeProgram,
        input: Int32,
        output: Int32
    ) throws(ComputeError) -> pid_t {
        var launch = unsafe oxbow_launch()
        unsafe launch.input = input
        unsafe launch.output = output
        unsafe launch.keep = program.keep
        unsafe launch.life_reader = life.reader
        unsafe launch.life_writer = life.writer
        unsafe launch.user = program.user.map { Int32($0.id) } ?? -1
        unsafe launch.group = program.user.map { Int32($0.group) } ?? -1
        unsafe launch.is_isolated = program.view == nil ? 0 : 1
        // Alone, PostgreSQL ends its processes by itself where it is told to quit.
        unsafe launch.death_signal = program.view == nil ? SIGQUIT : SIGKILL
        let binds = (program.view ?? []).flatMap { [$0.folder, $0.place] }
        let hidden = program.view.map { OtherMounts.places(butThoseOf: $0.map(\.folder)) } ?? []
        let words = [program.path] + program.arguments
        let (id, step) = unsafe CStrings.withArray(words) { arguments in
            unsafe CStrings.withArray(ComputeProgram.environment) { environment in
                unsafe CStrings.withArray(binds) { binds in
                    unsafe CStrings.withArray(hidden) { hidden in
                        unsafe launch.path = UnsafePointer(arguments[0])
                        unsafe launch.arguments = UnsafePointer(arguments)
                        unsafe launch.environment = UnsafePointer(environment)
                        unsafe launch.binds = CStrings.constant(binds)
                        unsafe launch.hidden = CStrings.constant(hidden)
                        let id = unsafe oxbow_launch_process(&launch)
                        // It may be one of these strings.
                        let step = unsafe launch.failed_step.map { unsafe String(cString: $0) }
                        return (id, step)
                    }
                }
            }
        }
        guard id > 0 else {
            let reason = unsafe String(cString: strerror(launch.error))
            throw ComputeError(.failed, "start \(program.path): \(step ?? "start"): \(reason)")
        }
        return id
    }

    /// What it said since it was last asked; nil at the end.
    func read() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = unsafe Glibc.read(output, &bytes, bytes.count)
        if count > 0 { return Array(bytes[..<count]) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? [] : nil
    }

    /// Sleeps until the process says something or ends, `other` is readable, or time is up.
    func wait(atMostMilliseconds limit: Int32, or other: Int32 = -1) -> (ended: Bool, said: Bool) {
        let wanted = Int16(POLLIN)
        var files = [
            pollfd(fd: end, events: wanted, revents: 0),
            pollfd(fd: output, events: wanted, revents: 0),
            pollfd(fd: other, events: wanted, revents: 0),
        ]
        _ = unsafe poll(&files, 3, limit)
        return (files[0].revents != 0, files[1].revents != 0)
    }

    /// How a process ended that has ended, which makes it no zombie.
    static func reap(_ id: pid_t) -> ExitStatus {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
        return ExitStatus(raw: status)
    }
}

/// Strings as the system takes them: many, and nothing after the last.
enum CStrings {
    static func withArray<Result>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe body(&pointers)
    }

    static func constant(
        _ strings: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    ) -> UnsafePointer<UnsafePointer<CChar>?> {
        unsafe UnsafeRawPointer(strings).assumingMemoryBound(to: UnsafePointer<CChar>?.self)
    }
}

/// How a process ended.
package struct ExitStatus: Equatable, Sendable, CustomStringConvertible {
    /// Its number, or that of the signal and 128, as shells have it.
    package let code: Int32

    package init(code: Int32) { self.code = code }
    init(raw: Int32) { code = raw & 0x7f == 0 ? (raw >> 8) & 0xff : (raw & 0x7f) + 128 }

    package var description: String {
        code > 128 ? "ended by signal \(code - 128)" : "ended with status \(code)"
    }
}

extension ComputeProcess {
    /// Runs a program to its end and returns all that it said.
    package static func run(
        _ program: ComputeProgram,
        atMostMilliseconds limit: Int = 120_000
    ) throws(ComputeError) -> (said: String, status: ExitStatus) {
        let process = try ComputeProcess(program)
        var said: [UInt8] = []
        var left = limit
        while true {
            let (ended, spoke) = process.wait(atMostMilliseconds: 100)
            if spoke, let more = process.read(), said.count < 1 << 20 { said += more }
            if ended { break }
            if !spoke { left -= 100 }
            if left <= 0 { kill(process.id, SIGKILL) }
        }
        while let more = process.read(), !more.isEmpty { said += more }
        let status = reap(process.id)
        if left <= 0 { throw ComputeError(.failed, "\(program.path): no end within \(limit) ms") }
        return (String(decoding: said, as: UTF8.self), status)
    }

    /// What a program says that sees what we see; nil where it fails.
    static func output(of path: String, _ arguments: [String]) throws(ComputeError) -> String? {
        let (said, status) = try run(ComputeProgram(path: path, arguments: arguments))
        return status.code == 0 ? said : nil
    }
}
