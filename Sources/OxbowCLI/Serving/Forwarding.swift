#if Server
package import BranchServer
import Glibc
import Oxbow

/// How a command reaches the server that has its store open, and what the server does with it: the
/// same as a process of its own would.
package enum Forwarding {
    /// Has a command done by the store's server; nil where there is none, and the command opens
    /// the store itself.
    static func run(_ call: Invocation, _ arguments: [String]) throws -> ExitCode? {
        guard call.command.place == .store, call.environment.host == nil,
            !call.command.isHere(call)
        else { return nil }
        let request = ControlRequest(
            arguments.map(RawText.bytes),
            folder: try workingFolder(),
            actor: call.environment.actor,
            store: call.environment.store.map(RawText.bytes)
        )
        do throws(ControlClient.Failure) {
            let code = try ControlClient.run(
                request,
                store: call.folder,
                input: STDIN_FILENO,
                results: STDOUT_FILENO,
                messages: STDERR_FILENO
            )
            return code.map { ExitCode(rawValue: $0) }
        } catch {
            throw Failure(error.isRefusal ? "busy" : "reopen", error.message)
        }
    }

    static func workingFolder() throws(Failure) -> [UInt8] {
        guard let path = unsafe getcwd(nil, 0) else {
            throw Failure(
                "file",
                "find the working folder: \(unsafe String(cString: strerror(errno)))"
            )
        }
        defer { unsafe free(path) }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: path, count: strlen(path)))
    }

    /// Does a command that came in, on the server's store, and returns its exit code.
    package static func serve(_ command: ControlCommand, _ host: StoreHost) -> Int32 {
        let request = command.request
        func stream(_ descriptor: Int32, isInput: Bool = false) -> ByteStream {
            ByteStream(descriptor, client: command.connection, isInput: isInput)
        }
        var environment = Environment(
            store: request.store.map(RawText.text),
            actor: request.actor
        )
        environment.folder = request.folder
        environment.input = Input(stream(command.input, isInput: true))
        environment.host = host
        let output = Output(
            results: stream(command.results),
            messages: stream(command.messages)
        )
        return Program.run(request.arguments.map(RawText.text), output, environment).rawValue
    }
}
#endif
