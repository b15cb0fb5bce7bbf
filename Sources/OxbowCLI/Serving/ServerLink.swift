#if Server
import BranchServer
import CLinux
import Glibc

/// What a command that runs in its own process asks of the server.
struct ServerLink {
    let call: Invocation

    /// Has a command done, its messages going to the standard error; returns what it printed.
    @discardableResult
    func ask(_ words: [String], quietly: Bool = false) throws -> String {
        var ends: [Int32] = [-1, -1]
        guard unsafe oxbow_make_pipe(&ends) == 0 else {
            throw Failure("file", "make a pipe: \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(ends[0]) }
        let nothing = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        let request = ControlRequest(
            words.map(RawText.bytes),
            folder: try Forwarding.workingFolder(),
            actor: call.environment.actor,
            store: call.environment.store.map(RawText.bytes)
        )
        let code: Int32?
        do throws(ControlClient.Failure) {
            // What these commands print fits into a pipe.
            code = try ControlClient.run(
                request,
                store: call.folder,
                input: nothing,
                results: ends[1],
                messages: quietly ? nothing : STDERR_FILENO
            )
        } catch {
            close(ends[1])
            throw Failure(error.isRefusal ? "busy" : "reopen", error.message)
        }
        close(ends[1])
        guard let code else { throw call.noServer }
        var bytes: [UInt8] = []
        let reader = Input(ByteStream(ends[0]))
        while true {
            let part = try reader.read(4096)
            if part.isEmpty { break }
            bytes += part
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard code == 0 else {
            // An error in JSON.
            if !text.isEmpty {
                try call.output.line(String(text.dropLast()))
                try call.output.flush()
            }
            throw ProgramEnd(code: code)
        }
        return text
    }

    /// Where a branch, or a moment of it, is reached.
    func address(
        of branch: String?,
        database: String? = nil,
        user: String? = nil
    ) throws -> BranchAddress {
        var words = ["url", "--format", "fields"]
        if let database { words.append("--database=\(database)") }
        if let user { words.append("--user=\(user)") }
        if let branch { words += ["--", branch] }
        guard let address = BranchAddress(fields: try ask(words)) else {
            throw Failure(
                "defect",
                "the server's answer cannot be read: use the same oxbow for both"
            )
        }
        return address
    }
}
#endif
