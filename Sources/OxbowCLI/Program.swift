import Glibc
import Oxbow
import Volume

@main enum Program {
    static func main() {
        StandardStreams.fill()
        // A reader that goes away is told by the write that finds nobody.
        signal(SIGPIPE, SIG_IGN)
        let output = Output()
        let arguments = RawText.arguments()
        exit(run(arguments, output, .current()).rawValue)
    }

    /// Does what a command line asks for.
    package static func run(
        _ arguments: [String],
        _ output: Output,
        _ environment: Environment
    ) -> ExitCode {
        do {
            let parser = Parser(Commands.table, output: output, environment: environment)
            switch try parser.parse(arguments) {
            case .version: try VersionCommand.print(asJSON: wantsJSON(arguments), output)
            case .help(let path):
                try HelpCommand.show(path, asJSON: wantsJSON(arguments), output)
            case .run(let call):
                if let code = try forwarded(call, arguments) { return code }
                try call.command.run(call)
            }
            try output.flush()
            return .success
        } catch let end as ProgramEnd {
            return ExitCode(rawValue: end.code)
        } catch {
            output.discard()
            return report(Failure(error), arguments, output)
        }
    }

    private static func forwarded(
        _ call: Invocation,
        _ arguments: [String]
    ) throws -> ExitCode? {
        #if Server
        return try Forwarding.run(call, arguments)
        #else
        return nil
        #endif
    }

    private static func report(
        _ failure: Failure,
        _ arguments: [String],
        _ output: Output
    ) -> ExitCode {
        if failure.isTold { return failure.code }
        if wantsJSON(arguments), wrote(failure, output) { return failure.code }
        if arguments.isEmpty {
            output.message(Help.overview(Commands.table).joined(separator: "\n") + "\n")
        }
        let lines = failure.message.split(whereSeparator: \.isNewline).map {
            Text.plain(String($0))
        }
        output.message("oxbow: \(lines.joined(separator: "\n  "))")
        return failure.code
    }

    /// Says as JSON why a command failed; false where that cannot be written either.
    private static func wrote(_ failure: Failure, _ output: Output) -> Bool {
        if failure.kind == "output" { return false }
        do {
            try output.json([
                "error": ["kind": .string(failure.kind), "message": .string(failure.message)]
            ])
            try output.flush()
            return true
        } catch { return false }
    }

    private static func wantsJSON(_ arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains("--json")
    }
}

/// What the command tells the shell.
package struct ExitCode: RawRepresentable, Equatable, Sendable {
    package static let success = ExitCode(rawValue: 0)
    package static let failure = ExitCode(rawValue: 1)
    package static let misuse = ExitCode(rawValue: 2)

    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }
}

/// A program that a command ran has ended, and the command ends as it did.
struct ProgramEnd: Error {
    let code: Int32
}

/// ``Failure``, for types that have another of that name.
package typealias CommandFailure = Failure

/// Why a command did not do what it was asked to.
package struct Failure: Error {
    /// One of ``OxbowError/Kind``, or `usage`, `input`, `output`.
    package let kind: String
    package let message: String
    /// Whether what was printed says it already.
    package let isTold: Bool
    /// What keeps the store from being opened, as `oxbow check` lists it.
    var problem: CheckProblem?

    package init(_ kind: String, _ message: String, isTold: Bool = false) {
        self.kind = kind
        self.message = message
        self.isTold = isTold
    }

    package init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let misuse as Misuse: self.init("usage", misuse.message)
        case let error as OxbowError: self.init(error.kind.rawValue, error.description)
        case let error as VolumeError: self.init(Self.kind(error), error.message)
        case let failure as LocalFailure: self.init("file", failure.message)
        case let failure as Output.Failure:
            self.init("output", "write the results: \(failure.reason)")
        default: self.init("defect", "\(error)")
        }
    }

    /// A volume that failed is reopened with its store.
    private static func kind(_ error: VolumeError) -> String {
        error.kind == .failed ? OxbowError.Kind.reopen.rawValue : error.kind.rawValue
    }

    /// Somebody told the process to end.
    static var interrupted: Failure { Failure("input", "told to end before it was done") }

    package var code: ExitCode { kind == "usage" || kind == "invalid" ? .misuse : .failure }
}

extension Environment {
    /// That of this process.
    static func current() -> Environment {
        Environment(
            store: value("OXBOW_STORE"),
            actor: value("OXBOW_ACTOR") ?? loginName() ?? ""
        )
    }

    private static func value(_ name: String) -> String? {
        guard let text = unsafe getenv(name), unsafe text.pointee != 0 else { return nil }
        return unsafe String(cString: text)
    }

    private static func loginName() -> String? {
        guard let entry = unsafe getpwuid(getuid()), let name = unsafe entry.pointee.pw_name
        else { return nil }
        return unsafe String(cString: name)
    }
}
