import BranchServer
import Glibc
import Primitives

@main enum ServerWorker {
    static func main() throws {
        let signals = EndSignals.hold()
        var options = ServerOptions(dataPath: CommandLine.arguments[1])
        options.port = UInt16(CommandLine.arguments[2]) ?? 0
        options.preparedForks = Int(CommandLine.arguments.dropFirst(3).first ?? "") ?? 0
        let server = try Server(options)
        print(server.url())
        fflush(nil)
        while !signals.wait(atMostMilliseconds: 1000) {}
        server.end()
        print("ended")
    }
}
