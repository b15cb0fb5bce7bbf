import CrashWorkload
import Foundation
import Oxbow
import Primitives
import TestSupport
import Testing

/// On the real disk: a process is killed, at any moment and at every system call, and what was
/// acknowledged is there.
@Suite(.serialized) struct KillTests {
    /// More of it with `KILLS=n`.
    static let kills = ProcessInfo.processInfo.environment["KILLS"].flatMap { Int($0) } ?? 60
    /// Every system call with `EVERY_CALL=1`, every tenth without.
    static let stride = ProcessInfo.processInfo.environment["EVERY_CALL"] == nil ? 10 : 1

    @Test func `nothing acknowledged is lost when the process is killed at any moment`() throws {
        var random = SeededRandom(test: 41)
        var killed = 0
        while killed < Self.kills {
            let rounds = min(Self.killsPerStore, Self.kills - killed)
            guard try killOneStore(rounds, &random) else { return }
            killed += rounds
        }
    }

    /// All of a store is read after each kill, so one store for many would take ever longer.
    private static let killsPerStore = 60

    /// Whether everything acknowledged was there after each of so many kills.
    private func killOneStore(_ kills: Int, _ random: inout SeededRandom) throws -> Bool {
        let worker = try Worker()
        defer { worker.remove() }
        var acknowledged = 0
        var round = 0
        // On a busy machine a process may be killed before it has done anything.
        while round < kills || acknowledged <= kills && round < 10 * kills {
            round += 1
            let result = try worker.run(
                commits: 1_000_000,
                killAfter: 5 + Double(random.below(60)),
                onceAtWork: round % 2 == 0
            )
            #expect(!result.isClosed)
            acknowledged = max(acknowledged, result.acknowledged)
            if let wrong = try worker.verify(acknowledged: acknowledged) {
                Issue.record("round \(round): \(wrong)")
                return false
            }
        }
        #expect(acknowledged >= kills / 2)
        return true
    }

    static let calls =
        "pwrite64,fdatasync,fsync,rename,renameat,ftruncate,openat,unlinkat,fallocate"

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")))
    func `nothing acknowledged is lost when the process is killed at any system call`() throws {
        var call = 1
        var killed = 0
        while true {
            let worker = try Worker()
            defer { worker.remove() }
            let result = try worker.run(
                commits: 60,
                strace: ["-e", "inject=\(Self.calls):signal=SIGKILL:when=\(call)"]
            )
            if result.isClosed { break }
            killed += 1
            if let wrong = try worker.verify(acknowledged: result.acknowledged) {
                Issue.record("killed at call \(call): \(wrong)")
                return
            }
            call += Self.stride
        }
        #expect(killed > 100 / Self.stride)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")))
    func `recovery can be killed at any system call`() throws {
        let crashed = try Worker()
        defer { crashed.remove() }
        let first = try crashed.run(commits: 1_000_000, killAfter: 120)
        var call = 1
        while true {
            let worker = try Worker(copyOf: crashed)
            defer { worker.remove() }
            let result = try worker.run(
                commits: 3,
                strace: ["-e", "inject=\(Self.calls):signal=SIGKILL:when=\(call)"]
            )
            let acknowledged = max(first.acknowledged, result.acknowledged)
            if let wrong = try worker.verify(acknowledged: acknowledged) {
                Issue.record("killed at call \(call) of recovery: \(wrong)")
                return
            }
            if result.isClosed { break }
            call += max(1, Self.stride / 4)
        }
        #expect(call > 10)
    }

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")),
        arguments: ["fdatasync:error=EIO", "pwrite64:error=EIO", "fallocate:error=ENOSPC"]
    )
    func `a call that fails reaches the caller, and loses nothing acknowledged`(
        fault: String
    ) throws {
        for call in Swift.stride(from: 4, to: 60, by: Self.stride == 1 ? 1 : 7) {
            let worker = try Worker()
            defer { worker.remove() }
            let result = try worker.run(
                commits: 80,
                strace: ["-e", "inject=\(fault):when=\(call)"]
            )
            if let wrong = try worker.verify(acknowledged: result.acknowledged) {
                Issue.record("\(fault) at call \(call): \(wrong)")
                return
            }
        }
    }
}
