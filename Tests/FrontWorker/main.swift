import BranchServer
import PostgresWire
import Primitives

// A front before one PostgreSQL, for measuring by hand.
//
//     FrontWorker <PostgreSQL's socket> <port> <front's socket> <role> <password>

func run() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 5, let port = UInt16(arguments[1]) else {
        print("usage: FrontWorker <PostgreSQL's socket> <port> <front's socket> <role> <password>")
        return
    }
    let signals = EndSignals.hold()
    let verifier = try SCRAMVerifier(
        password: Array(arguments[4].utf8),
        salt: Array("a salt for a test".utf8)
    )
    let directory = FixedDirectory(
        socketPath: arguments[0],
        verifiers: [WireString(arguments[3]): verifier]
    )
    var tls: TLSContext?
    if arguments.count > 6 {
        try TLSCertificate.make(
            certificatePath: arguments[5],
            keyPath: arguments[6],
            names: ["localhost", "127.0.0.1", "::1"],
            serial: 1
        )
        tls = try TLSContext(certificatePath: arguments[5], keyPath: arguments[6])
    }
    let front = try Front(
        Front.Configuration(directory: directory, tls: tls, mockSecret: Array("secret".utf8))
    )
    let used = try front.listen(host: "127.0.0.1", port: port)
    try front.listen(path: arguments[2], branch: "main")
    print("listening on port \(used)")
    while !signals.wait(atMostMilliseconds: 1000) {}
    front.stop(graceMilliseconds: 1000)
}

try run()
