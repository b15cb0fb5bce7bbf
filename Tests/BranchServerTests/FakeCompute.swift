import Foundation
import Glibc
import Primitives

/// What listens where a compute would, and says what it is told to.
final class FakeCompute: Sendable {
    /// Bytes to be said in answer to the start, and to the question.
    struct Script: Sendable {
        var welcome: [UInt8]
        var answer: [UInt8]
        /// What happens after the greeting: before the question is answered.
        var before: @Sendable () -> Void = {}
    }

    let folder: String
    var path: String { folder + "/.s.PGSQL.5432" }
    private let listener: Int32
    private let lock = Lock()
    // Safe: under the lock.
    nonisolated(unsafe) private var script = Script(welcome: [], answer: [])
    // Safe: under the lock.
    nonisolated(unsafe) private var asked = 0

    /// How many sessions there were.
    var count: Int { lock.withLock { asked } }

    func say(_ script: Script) { lock.withLock { self.script = script } }

    init() throws {
        folder = "/tmp/oxbow-fake-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array((folder + "/.s.PGSQL.5432").utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 50) == 0 else { throw CocoaError(.fileWriteUnknown) }
        Thread.detachNewThread { [self] in serve() }
    }

    /// Nobody listens any more.
    func end() {
        shutdown(listener, Int32(SHUT_RDWR))
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func serve() {
        while case let session = accept(listener, nil, nil), session >= 0 {
            let script = lock.withLock {
                asked += 1
                return self.script
            }
            talk(session, script)
            close(session)
        }
        close(listener)
    }

    private func talk(_ session: Int32, _ script: Script) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard recv(session, &buffer, buffer.count, 0) > 0, say(session, script.welcome),
            recv(session, &buffer, buffer.count, 0) > 0
        else { return }
        script.before()
        guard say(session, script.answer) else { return }
        // Until the other side has had enough.
        while recv(session, &buffer, buffer.count, 0) > 0 {}
    }

    private func say(_ session: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(session, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    // MARK: Words of the protocol

    static func message(_ kind: Character, _ body: [UInt8]) -> [UInt8] {
        [kind.asciiValue ?? 0] + number(body.count + 4, 4) + body
    }

    static func number(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    static func row(_ values: [String?]) -> [UInt8] {
        var body = number(values.count, 2)
        for value in values {
            body += number(value?.utf8.count ?? -1, 4) + Array((value ?? "").utf8)
        }
        return message("D", body)
    }

    static let ready = message("Z", [UInt8(ascii: "I")])
    static let welcome = message("R", [0, 0, 0, 0]) + ready

    /// What a PostgreSQL says of its roles: names, whether they may, passwords and times. None of
    /// them is a superuser.
    static func roles(
        _ roles: [[String?]],
        isSettled: Bool = true,
        written: UInt64 = 1 << 40,
        reach: UInt64 = 0
    ) -> Script {
        let rows = roles.flatMap { row($0 + ["f"]) }
        return Script(
            welcome: welcome,
            answer: row([isSettled ? "f" : "t"]) + rows + row(["\(written)", "\(reach)"]) + ready
        )
    }

    static func error(_ state: String, _ text: String) -> [UInt8] {
        message("E", Array("SFATAL\0C\(state)\0M\(text)\0\0".utf8))
    }
}
