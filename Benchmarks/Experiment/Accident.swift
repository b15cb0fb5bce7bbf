import Foundation
import Glibc

/// Rows of production, gone at one known moment after a time in which nobody wrote.
final class Accident {
    /// How many rows there were.
    let rows: String
    /// When they were gone, at the latest.
    private let end: Date
    /// What the asked moment snapped to, in words.
    private(set) var note = ""

    init(_ lab: Laboratory, _ archive: ArchivedServer, quietSeconds: Int) throws {
        let login = archive.login
        let ours = try lab.ifOurs { server, _ in server.login(Laboratory.database) }
        let sessions = try ([login] + (ours.map { [$0] } ?? [])).map { try Session($0) }
        defer { sessions.forEach { $0.end() } }
        for session in sessions { try session.query("CHECKPOINT") }
        rows = try sessions[0].value(lab.question)
        try Self.settle(sessions, atMostSeconds: lab.pick(40, quick: 8, tiny: 1))
        lab.tell("\(quietSeconds) quiet seconds, then the accident")
        sleep(UInt32(quietSeconds))
        end = Date()
        for session in sessions {
            guard try session.value(lab.question) == rows else {
                throw BenchmarkError("the systems do not have the same rows")
            }
            try session.query("DELETE FROM \(lab.arguments.table)")
            guard try session.value(lab.question) == "0" else {
                throw BenchmarkError("the rows are still there")
            }
        }
        try lab.ifOurs { _, console in try check(console, quietSeconds, lab) }
    }

    /// PostgreSQL notes what is running up to 15 s after something was written: waits for that, so
    /// that the quiet is one.
    private static func settle(_ sessions: [Session], atMostSeconds limit: Int) throws {
        func positions() throws -> [String] {
            try sessions.map { try $0.value("SELECT pg_current_wal_insert_lsn()") }
        }
        let first = try positions()
        for _ in 0..<limit * 2 {
            let now = try positions()
            if zip(first, now).allSatisfy({ $0 != $1 }) { break }
            usleep(500_000)
        }
        // And for what was noted to be written.
        sleep(1)
    }

    /// A moment in the quiet: the first shortly before the accident, each next a little earlier.
    func moment(_ number: Int) -> String {
        let form = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return end.addingTimeInterval(-0.1 - 0.02 * Double(number)).formatted(form)
    }

    /// The same as PostgreSQL writes it.
    func postgresMoment(_ number: Int) -> String {
        moment(number).replacing("T", with: " ").replacing("Z", with: "+00")
    }

    /// Holds the record that the moment snaps to against what happened.
    private func check(_ console: Session, _ quiet: Int, _ lab: Laboratory) throws {
        let asked = moment(0)
        let row = try console.query("SHOW POINT main AT '\(asked)'").first ?? []
        guard row.count == 5, let lsn = row[0], let time = row[1], let next = row[4] else {
            throw BenchmarkError("SHOW POINT says \(row)")
        }
        guard let at = Self.date(time), let after = Self.date(next),
            let asked = Self.date(asked), at <= asked, after > asked
        else { throw BenchmarkError("\(asked) snapped to \(time), before \(next)") }
        let distance = asked.timeIntervalSince(at)
        note =
            "the moment \(asked.formatted(.iso8601)) snapped to \(lsn), "
            + String(format: "%.1f s earlier", distance) + "; the next record is the accident's"
        lab.tell(note)
        guard distance < Double(quiet) + 60 else {
            throw BenchmarkError("a record \(distance) s earlier is not that of the quiet")
        }
    }

    private static func date(_ text: String) -> Date? {
        // To the millisecond: the style takes no more digits.
        let parts = text.split(separator: ".")
        let digits = parts.count > 1 ? parts[1].prefix { $0.isNumber }.prefix(3) : "0"
        let whole = parts[0].replacing("Z", with: "")
        return try? Date(
            whole + "." + digits + "Z",
            strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        )
    }

    func expectRescued(_ value: String, at moment: String) throws {
        guard value == rows else {
            throw BenchmarkError("\(moment) has \(value) rows, and not \(rows)")
        }
    }
}
