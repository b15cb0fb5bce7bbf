import Glibc
import PostgresWire
import Primitives

/// The way into a compute, on a thread that may wait.
struct ComputeLogin: Sendable {
    /// A session that has begun. Whoever gets it closes the descriptor and calls the release.
    struct Opened: Sendable {
        let descriptor: Int32
        let session: ComputeHandshake.Session
        let endpoint: Endpoint
    }

    /// Why there is none, as the client is told.
    struct Failure: Error {
        let report: ServerReport
        /// Whether the compute came or went just then, so that it may be otherwise at once.
        var isPassing = false
    }

    let directory: any BranchDirectory
    let timeoutMilliseconds: Int

    /// Between attempts: together as long as PostgreSQL mostly needs to recover when one of its
    /// processes has crashed.
    private static let pausesMilliseconds: [UInt32] = [50, 100, 200, 400, 800, 800, 800]

    /// Opens a session. Who comes while a compute is stopped, reset, renamed or recovers gets in
    /// afterwards: nothing was asked of it yet.
    func open(
        _ request: ConnectionRequest,
        randomBytes: [UInt8]
    ) throws(Failure) -> Opened {
        for pause in Self.pausesMilliseconds {
            do throws(Failure) { return try openOnce(request, randomBytes) } catch {
                guard error.isPassing else { throw error }
            }
            usleep(pause * 1000)
        }
        return try openOnce(request, randomBytes)
    }

    private func openOnce(
        _ request: ConnectionRequest,
        _ randomBytes: [UInt8]
    ) throws(Failure) -> Opened {
        let endpoint: Endpoint
        do { endpoint = try directory.open(request) } catch {
            throw Failure(report: error.report(.fatal), isPassing: error.isPassing)
        }
        do throws(Failure) {
            let descriptor = try connect(endpoint)
            do throws(Failure) {
                let session = try logIn(descriptor, request, endpoint, randomBytes)
                Sockets.setBlocking(descriptor, false)
                return Opened(descriptor: descriptor, session: session, endpoint: endpoint)
            } catch {
                Sockets.close(descriptor)
                throw error
            }
        } catch {
            endpoint.release()
            throw error
        }
    }

    private func connect(_ endpoint: Endpoint) throws(Failure) -> Int32 {
        do {
            return try Sockets.connect(
                path: endpoint.socketPath,
                timeoutMilliseconds: timeoutMilliseconds
            )
        } catch {
            throw Self.lost(endpoint, error.description)
        }
    }

    private static func lost(
        _ endpoint: Endpoint,
        _ detail: String,
        isPassing: Bool = true
    ) -> Failure {
        Failure(
            report: ServerReport(
                .fatal,
                state: SQLState.connectionFailure.rawValue,
                "the compute of branch \"\(endpoint.branch)\" cannot be reached",
                detail: detail,
                hint: "Try again: it is started when somebody connects."
            ),
            isPassing: isPassing
        )
    }

    /// What a session begins with: what the client asked for, and what the front adds.
    static func startup(_ request: ConnectionRequest, _ endpoint: Endpoint) -> StartupMessage {
        var parameters = request.startup.parameters.filter { $0.name != "options" }
        let options = StartupOptions(settings: request.options.settings + endpoint.settings)
        if !options.settings.isEmpty {
            parameters.append(WireParameter("options", options.text))
        }
        return StartupMessage(.v3, parameters)
    }

    private func logIn(
        _ descriptor: Int32,
        _ request: ConnectionRequest,
        _ endpoint: Endpoint,
        _ randomBytes: [UInt8]
    ) throws(Failure) -> ComputeHandshake.Session {
        var handshake = ComputeHandshake(
            Self.startup(request, endpoint),
            ComputeHandshake.Configuration(password: endpoint.password),
            randomBytes: randomBytes
        )
        var buffer = [UInt8](repeating: 0, count: 8 << 10)
        while true {
            switch handshake.next() {
            case .send(let bytes)?:
                guard Self.sendAll(descriptor, bytes) else {
                    throw Self.lost(endpoint, "It closed the connection.")
                }
            case .ready(let session)?: return session
            case .refused(let report)?:
                throw Failure(report: report, isPassing: Self.isPassing(report))
            case .failed(let error)?:
                throw Failure(report: ServerReport(closingWith: error))
            case nil:
                let outcome = unsafe buffer.withUnsafeMutableBytes {
                    unsafe Sockets.receive(descriptor, $0)
                }
                switch outcome {
                case .bytes(let count): handshake.receive(Array(buffer[..<count]))
                case .ended: throw Self.lost(endpoint, "It closed the connection.")
                case .wouldBlock:
                    throw Self.lost(endpoint, "It did not answer.", isPassing: false)
                }
            }
        }
    }

    /// Whether it is just coming or going.
    private static func isPassing(_ report: ServerReport) -> Bool {
        ["57P01", "57P03"].contains(report[.state])
    }

    static func sendAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let outcome = unsafe bytes.withUnsafeBytes {
                unsafe Sockets.send(descriptor, UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            guard case .bytes(let count) = outcome else { return false }
            sent += count
        }
        return true
    }

    /// Hands a cancel request on, and waits until the compute has taken it.
    static func cancel(_ target: CancelTable.Target, timeoutMilliseconds: Int) {
        var writer = WireWriter()
        guard (try? StartupPacket.cancel(target.key).encode(into: &writer)) != nil,
            let descriptor = try? Sockets.connect(
                path: target.socketPath,
                timeoutMilliseconds: timeoutMilliseconds
            )
        else { return }
        defer { Sockets.close(descriptor) }
        guard sendAll(descriptor, writer.bytes) else { return }
        var buffer = [UInt8](repeating: 0, count: 256)
        while case .bytes = unsafe buffer.withUnsafeMutableBytes({
            unsafe Sockets.receive(descriptor, $0)
        }) {}
    }
}
