import CLinux
import DiskIO
import Glibc
import Oxbow
import PostgresWire
import Primitives
import Volume

// Safe to share: what changes is guarded by the lock.
/// What is known of the roles of one branch.
///
/// One question is under way at a time. Who comes meanwhile takes the answer to the next one, which
/// was asked after they came, together with all others who wait.
final class RoleShelf: @unchecked Sendable {
    private let branch: Branch
    private let role: String
    private let clock: any Clock
    private let changed: @Sendable (InodeNumber, BranchFiles) -> Void
    private let log: @Sendable (String) -> Void

    /// What holds as long as the branch's head is this record.
    private struct Known {
        let head: LSN
        let list: RoleList?
        /// Whether a compute says so, or the log shows that it would.
        let isCertain: Bool
    }

    private let lock = Lock()
    /// Guarded by `lock`, as all that follows.
    private var known: Known?
    /// What a compute said last, and which life of it; nil once the branch's own list was used.
    private var told: (life: ComputeLife, list: RoleList)?
    private var lastList: RoleList?
    private var testimony: Testimony?
    /// The record at which the branch's file had what a later server needs.
    private var noted: LSN?
    private var isAsking = false
    private var begun: UInt64 = 0
    private var answer: (number: UInt64, result: Result<Answer, Failure>)?
    /// The database that somebody wanted last, who need not have been let in.
    private var wantedDatabase: String?
    /// Until when a compute that did not answer is left alone, and how long that is.
    private var pausedUntil: UInt64 = 0
    private var lastFailure: RoleError?
    private var pauseSeconds = RoleLimits.pauseSeconds.lowerBound

    /// What came of a question.
    struct Answer {
        let list: RoleList
        /// Whether the branch's own list is the same.
        let isKept: Bool
    }

    private enum Failure: Error {
        case away
        case failed(RoleError)
        /// It failed a moment ago.
        case paused(RoleError)
    }

    init(
        _ branch: Branch,
        role: String,
        clock: any Clock,
        changed: @escaping @Sendable (InodeNumber, BranchFiles) -> Void,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.branch = branch
        self.role = role
        self.clock = clock
        self.changed = changed
        self.log = log
    }

    /// The list: the compute's where one is there, else the branch's own.
    ///
    /// - Parameter orKept: Whether the branch's own will do where the compute does not answer.
    func list(_ socketPath: String?, orKept: Bool = false) throws(RoleError) -> RoleList {
        guard let socketPath else { return try own() }
        do throws(Failure) { return try ask(socketPath).list } catch {
            switch error {
            // It stops, or is about to start.
            case .away: return try own()
            case .failed(let error), .paused(let error):
                guard orKept else { throw error }
                do throws(RoleError) { return try own() } catch let kept {
                    var failure = error
                    failure.isOld = kept.isOld
                    throw failure
                }
            }
        }
    }

    /// Has a question asked in this database where a cluster's usual ones let nobody in.
    func expect(_ database: String?) { lock.withLock { wantedDatabase = database } }

    /// What a compute of the branch said that a fork of it may go by.
    var lastTestimony: Testimony? { lock.withLock { testimony } }

    func take(_ testimony: Testimony) { lock.withLock { self.testimony = testimony } }

    /// Has a compute asked again that did not answer a moment ago.
    func hurry() { lock.withLock { pausedUntil = 0 } }

    /// The compute's list; written down in the branch where that had another.
    func asked(
        _ socketPath: String,
        in database: String? = nil
    ) throws(RoleError) -> Answer {
        do throws(Failure) { return try ask(socketPath, in: database) } catch {
            switch error {
            case .away: throw RoleError("the compute is not there any more")
            case .failed(let error), .paused(let error): throw error
            }
        }
    }

    /// What a compute has said since its last start, and since the branch's own list was last used;
    /// nil where it was not asked.
    func told(by socketPath: String) -> RoleList? {
        guard let life = ComputeLife(socketPath) else { return nil }
        return lock.withLock { told?.life == life ? told?.list : nil }
    }

    /// Of the list that was looked at last.
    var usualIterations: Int {
        lock.withLock { lastList }?.usualIterations ?? SCRAMVerifier.usualIterations
    }

    private func head() throws(RoleError) -> LSN {
        do throws(OxbowError) { return try branch.point(at: .head).lsn } catch {
            throw RoleError(error.message)
        }
    }

    // MARK: The branch's own list

    private func own() throws(RoleError) -> RoleList {
        // Who is measured by this one is to be measured by what a compute says after now.
        lock.withLock { told = nil }
        let head = try head()
        if let known = lock.withLock({ known }), known.head == head {
            return try Self.expect(known)
        }
        let found = try look(view())
        lock.withLock {
            known = found
            lastList = found.list ?? lastList
        }
        return try Self.expect(found)
    }

    /// What is known by the files of the branch as they are at one record.
    private func look(_ view: View) throws(RoleError) -> Known {
        let head = view.point.lsn
        let log: WALFiles?
        do throws(WALError) { log = try WALFiles(view) } catch {
            return Known(head: head, list: nil, isCertain: true)
        }
        guard let log else {
            // No compute was ever there that could have changed them.
            return Known(head: head, list: try RoleFile.read(view)?.list, isCertain: false)
        }
        // A file that is no list is as one that is old.
        let file = (try? RoleFile.read(view)) ?? nil
        for earlier in [lastTestimony, file?.testimony] {
            guard let newer = (try? earlier?.renewed(by: log)) ?? nil else { continue }
            take(newer)
            return Known(head: head, list: newer.list, isCertain: true)
        }
        return Known(head: head, list: nil, isCertain: true)
    }

    private static func expect(_ known: Known) throws(RoleError) -> RoleList {
        if let list = known.list { return list }
        guard known.isCertain else {
            throw RoleError("nobody has asked its PostgreSQL yet who may (import it anew)")
        }
        var error = RoleError("its roles may have changed since its PostgreSQL was asked last")
        error.isOld = true
        throw error
    }

    // MARK: The compute's

    private func ask(
        _ socketPath: String,
        in database: String? = nil
    ) throws(Failure) -> Answer {
        lock.lock()
        defer { lock.unlock() }
        let before = begun
        while true {
            if let answer, answer.number > before { return try answer.result.get() }
            if !isAsking { break }
            lock.wait()
        }
        let head: LSN
        do throws(RoleError) { head = try self.head() } catch { throw .failed(error) }
        if let known, known.isCertain, known.head == head, let list = known.list {
            told = ComputeLife(socketPath).map { ($0, list) }
            return Answer(list: list, isKept: true)
        }
        let (earlier, pause) = (testimony, pause)
        let life = ComputeLife(socketPath)
        begun += 1
        let number = begun
        isAsking = true
        lock.unlock()
        let found = Result { () throws(Failure) in
            try find(earlier, pause, socketPath, database)
        }
        let result = found.map { Answer(list: $0.list, isKept: keep($0.list, $0.testimony)) }
        lock.lock()
        isAsking = false
        answer = (number, result)
        switch result {
        case .success(let answer):
            lastList = answer.list
            told = life.map { ($0, answer.list) }
            guard let found = try? found.get() else { break }
            if found.wasAsked {
                pauseSeconds = RoleLimits.pauseSeconds.lowerBound
                lastFailure = nil
            }
            if answer.isKept, found.isSettled {
                known = Known(head: found.head, list: answer.list, isCertain: true)
                testimony = found.testimony
            }
        case .failure(.away), .failure(.paused): break
        case .failure(.failed(let error)):
            lastFailure = error
            if error.isFull {
                pausedUntil = clock.monotonic() + RoleLimits.fullPause
                break
            }
            pausedUntil = clock.monotonic() + pauseSeconds * 1_000_000_000
            pauseSeconds = min(2 * pauseSeconds, RoleLimits.pauseSeconds.upperBound)
        }
        lock.wakeAll()
        return try result.get()
    }

    /// Why a compute is not asked now, where it failed a moment ago.
    private var pause: Failure? {
        guard clock.monotonic() < pausedUntil else { return nil }
        return lastFailure.map { failure in
            var repeated = failure
            repeated.isRepeated = true
            return .paused(repeated)
        }
    }

    /// What is known of the roles by a record of the branch.
    private struct Finding {
        let head: LSN
        let list: RoleList
        let isSettled: Bool
        let testimony: Testimony?
        let wasAsked: Bool
    }

    /// By PostgreSQL's log where that shows no change, else by asking.
    private func find(
        _ earlier: Testimony?,
        _ pause: Failure?,
        _ socketPath: String,
        _ database: String?
    ) throws(Failure) -> Finding {
        let view: View
        do throws(RoleError) { view = try self.view() } catch { throw .failed(error) }
        let head = view.point.lsn
        // A log that cannot be read shows nothing.
        let log = (try? WALFiles(view)) ?? nil
        if let earlier, let log, let newer = (try? earlier.renewed(by: log)) ?? nil {
            return Finding(
                head: head,
                list: newer.list,
                isSettled: true,
                testimony: newer,
                wasAsked: false
            )
        }
        if let pause { throw pause }
        let mark = (try? log?.mark()) ?? nil
        let query = try question(socketPath, database, lock.withLock { wantedDatabase })
        var testimony: Testimony?
        // A record that PostgreSQL has not written is none of its own.
        if let mark, mark.end <= query.written, query.isSettled {
            testimony = Testimony(list: query.list, mark: mark, reach: query.reach)
        }
        return Finding(
            head: head,
            list: query.list,
            isSettled: query.isSettled,
            testimony: testimony,
            wasAsked: true
        )
    }

    private func question(
        _ socketPath: String,
        _ database: String?,
        _ last: String?
    ) throws(Failure) -> RoleQuery {
        do throws(ProbeFailure) {
            return try RoleQuery(
                PostgresProbe.rows(
                    RoleQuery.sql,
                    at: socketPath,
                    role: role,
                    database: database,
                    orElse: last,
                    RoleQuery.limits
                )
            )
        } catch {
            switch error {
            case .away: throw .away
            case .full:
                var error = RoleError("its PostgreSQL has no session left to be asked who may")
                error.isFull = true
                throw .failed(error)
            case .failed(let what):
                throw .failed(RoleError("its PostgreSQL does not tell \(role) who may: \(what)"))
            }
        }
    }

    /// Writes the list down where the branch has another. Who asked has its answer in any case.
    private func keep(_ list: RoleList, _ testimony: Testimony?) -> Bool {
        do throws(RoleError) {
            if try RoleFile.read(view())?.list == list { return true }
        } catch { log("\(branch.id): \(error); it is written anew") }
        do throws(RoleError) {
            try RoleFile.write(list, testimony, to: branch, changed)
            return true
        } catch {
            log("\(branch.id): \(error)")
            return false
        }
    }

    private func view() throws(RoleError) -> View {
        do throws(OxbowError) { return try branch.view() } catch {
            throw RoleError(error.message)
        }
    }

    /// Writes down by what the list is known to hold, where what stands there will not do for long:
    /// for who finds the branch without its compute, or makes a fork of it without a server.
    func note() {
        do throws(RoleError) {
            let view = try view()
            guard lock.withLock({ noted }) != view.point.lsn, let testimony = lastTestimony,
                let log = (try? WALFiles(view)) ?? nil
            else { return }
            let file = try RoleFile.read(view)
            if let old = file?.testimony, old.list == testimony.list,
                let now = (try? old.renewed(by: log)) ?? nil,
                (try? log.areNear(old.mark, now.mark)) == true
            {
                return lock.withLock { noted = view.point.lsn }
            }
            guard let now = (try? testimony.renewed(by: log)) ?? nil else { return }
            let isThere = file?.list == now.list
            try RoleFile.write(now.list, now, to: branch, onlyMark: isThere, changed)
        } catch { log("\(branch.id): \(error)") }
    }

    /// Waits until the branch has as much of PostgreSQL's log as what was said may be of. Without
    /// that a fork could not go by it.
    func awaitLog(atMostMilliseconds limit: Int) {
        for _ in 0..<limit / 2 {
            guard let testimony = lastTestimony, let log = try? WALFiles(view()),
                (try? log.reaches(testimony)) == false
            else { return }
            lock.withLock { lock.wait(atMostMilliseconds: 2) }
        }
    }
}

/// What tells one life of a compute from the next: its socket, which each start makes anew.
private struct ComputeLife: Equatable {
    private let inode: UInt
    /// When it was made: its bytes, since the type's module is another in each build.
    private let time: [UInt8]

    init?(_ socketPath: String) {
        var status = stat()
        guard unsafe lstat(socketPath, &status) == 0 else { return nil }
        inode = status.st_ino
        time = unsafe withUnsafeBytes(of: status.st_ctim) { unsafe Array($0) }
    }
}
