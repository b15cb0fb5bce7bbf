import Glibc

/// A program that a command runs: found on `PATH`, with signals as a shell would hand them on.
final class ChildProcess {
    let id: pid_t
    private let name: String
    private var status: Int32?

    /// Variables of this process's environment that are others in the program; nil takes one away.
    typealias Changes = [(name: String, value: String?)]

    /// - Parameters:
    ///   - words: The program and its arguments.
    ///   - descriptors: What becomes its standard input, output and error; where nil, this one's.
    init(
        _ words: [String],
        changes: Changes = [],
        input: Int32? = nil,
        results: Int32? = nil,
        messages: Int32? = nil
    ) throws(Failure) {
        name = words.first ?? ""
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, place) in [(input, 0), (results, 1), (messages, 2)] {
            guard let descriptor else { continue }
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(place))
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        var usual = sigset_t()
        unsafe sigemptyset(&usual)
        unsafe sigaddset(&usual, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &usual)
        let flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        unsafe posix_spawnattr_setflags(&attributes, flags)
        var made: pid_t = 0
        let result = Self.withTexts(words.map(RawText.bytes)) { arguments -> Int32 in
            Self.withTexts(Self.environment(changes)) { environment -> Int32 in
                guard let program = unsafe arguments[0] else { return ENOENT }
                return unsafe posix_spawnp(
                    &made,
                    program,
                    &actions,
                    &attributes,
                    arguments,
                    environment
                )
            }
        }
        guard result == 0 else {
            throw Failure(
                result == ENOENT ? "notFound" : "file",
                "run \(Text.plain(name)): \(unsafe String(cString: strerror(result)))"
            )
        }
        id = made
    }

    /// A variable of this process's environment.
    static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// This process's environment, changed.
    static func environment(_ changes: Changes) -> [[UInt8]] {
        let changed = Set(changes.map { Array("\($0.name)=".utf8) })
        var all: [[UInt8]] = []
        var next = unsafe environ
        while let start = unsafe next.pointee {
            let entry = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: strlen(start)))
            let name = entry.prefix { $0 != UInt8(ascii: "=") } + [UInt8(ascii: "=")]
            if !changed.contains(Array(name)) { all.append(entry) }
            unsafe next += 1
        }
        return all
            + changes.compactMap { change in
                change.value.map { Array("\(change.name)=".utf8) + RawText.bytes($0) }
            }
    }

    // Safe to call: the pointers are good for as long as the body runs.
    @safe
    static func withTexts<Result>(
        _ texts: [[UInt8]],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var bytes: [CChar] = []
        var starts: [Int] = []
        for text in texts {
            starts.append(bytes.count)
            bytes += text.map { CChar(bitPattern: $0) } + [0]
        }
        return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            let base = buffer.baseAddress
            var pointers = unsafe starts.map { start in unsafe base.map { unsafe $0 + start } }
            unsafe pointers.append(nil)
            return unsafe body(&pointers)
        }
    }

    /// The exit code, or 128 and the signal; nil while it runs.
    func poll() -> Int32? { reap(WNOHANG) }

    func wait() -> Int32 {
        while true { if let code = reap(0) { return code } }
    }

    private func reap(_ options: Int32) -> Int32? {
        if let status { return status }
        var raw: Int32 = 0
        let result = unsafe waitpid(id, &raw, options)
        if result == 0 || (result < 0 && errno == EINTR) { return nil }
        // One that somebody else has waited for is over.
        let signal = raw & 0x7F
        status = result < 0 ? 1 : signal == 0 ? (raw >> 8) & 0xFF : 128 + signal
        return status
    }

    /// Sends a signal while it runs.
    func signal(_ number: Int32) {
        if poll() == nil { kill(id, number) }
    }

    /// Becomes another program. Returns only where that is not possible.
    static func become(_ words: [String], changes: Changes) -> Failure {
        for (name, value) in changes {
            _ = unsafe value.map { unsafe setenv(name, $0, 1) } ?? unsetenv(name)
        }
        let code = withTexts(words.map(RawText.bytes)) { arguments -> Int32 in
            guard let program = unsafe arguments[0] else { return ENOENT }
            unsafe execvp(program, arguments)
            return errno
        }
        let name = Text.plain(words.first ?? "")
        let help = code == ENOENT ? "; `apt-get install postgresql-client` brings it" : ""
        return Failure(
            code == ENOENT ? "notFound" : "file",
            "run \(name): \(unsafe String(cString: strerror(code)))\(help)"
        )
    }
}
