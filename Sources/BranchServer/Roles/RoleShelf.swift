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
        /// Whether a compute said so, and not the branch's own list.
        let wasAsked: Bool
    }

    private let lock = Lock()
    /// Guarded by `lock`, as all that follows.
    private var known: Known?
    /// What a compute said last, and which life of it; nil once the branch's own list was used.
    private var told: (life: ComputeLife, list: RoleList)?
    private var lastList: RoleList?
    private var testimony: Testimony?
    private var isAsking = false
    private var begun: UInt64 = 0
    private var answer: (number: UInt64, result: Result<Answer, Failure>)?
    /// Until when a compute that did not answer is left alone, and how long that is.
    private var pausedUntil: UInt64 = 0
    private var lastFailure: RoleError?
    private var pauseSeconds = RoleLimits.pauseSeconds.lowerBound

    /// What a compute said, and how far PostgreSQL's log was before it was asked. It holds for as
    /// long as the log, of this branch or of a fork, shows no change of what databases share.
    struct Testimony {
        let list: RoleList
        let mark: WALMark
    }

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
            // It stops, or is about to start: whoever uses it will have it confirmed.
            case .away: return try own()
            case .failed(let error), .paused(let error):
                guard orKept else { throw error }
                return try own()
            }
        }
    }

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
            return try Self.expect(known.list)
        }
        let view: View
        do throws(OxbowError) { view = try branch.view() } catch {
            throw RoleError(error.message)
        }
        let list = try RoleFile.read(view)
        lock.withLock {
            known = Known(head: view.point.lsn, list: list, wasAsked: false)
            lastList = list ?? lastList
        }
        return try Self.expect(list)
    }

    private static func expect(_ list: RoleList?) throws(RoleError) -> RoleList {
        guard let list else {
            throw RoleError("nobody has asked its PostgreSQL yet who may (import it anew)")
        }
        return list
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
        if let known, known.wasAsked, known.head == head, let list = known.list {
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
        let result = found.map { Answer(list: $0.list, isKept: keep($0.list)) }
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
                known = Known(head: found.head, list: answer.list, wasAsked: true)
                testimony = found.mark.map { Testimony(list: answer.list, mark: $0) }
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
        let mark: WALMark?
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
        do throws(OxbowError) { view = try branch.view() } catch {
            throw .failed(RoleError(error.message))
        }
        let head = view.point.lsn
        // A log that cannot be read shows nothing.
        let log = (try? WALFiles(view)) ?? nil
        if let earlier, let mark = try? log?.markIfSharedIsUnchanged(since: earlier.mark) {
            return Finding(
                head: head,
                list: earlier.list,
                isSettled: true,
                mark: mark,
                wasAsked: false
            )
        }
        if let pause { throw pause }
        let mark = (try? log?.mark()) ?? nil
        let query = try question(socketPath, database)
        let isWritten = mark.map { $0.end <= query.written ?? 0 } ?? false
        return Finding(
            head: head,
            list: query.list,
            isSettled: query.isSettled,
            // A record that PostgreSQL has not written is none of its own.
            mark: isWritten ? mark : nil,
            wasAsked: true
        )
    }

    private func question(
        _ socketPath: String,
        _ database: String?
    ) throws(Failure) -> RoleQuery {
        do throws(ProbeFailure) {
            return try RoleQuery(
                PostgresProbe.rows(
                    RoleQuery.sql,
                    at: socketPath,
                    role: role,
                    database: database,
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
    private func keep(_ list: RoleList) -> Bool {
        do throws(RoleError) {
            if try stored() == list { return true }
        } catch { log("\(branch.id): \(error); it is written anew") }
        do throws(RoleError) {
            try RoleFile.write(list, to: branch, changed)
            return true
        } catch {
            log("\(branch.id): \(error)")
            return false
        }
    }

    private func stored() throws(RoleError) -> RoleList? {
        let view: View
        do throws(OxbowError) { view = try branch.view() } catch {
            throw RoleError(error.message)
        }
        return try RoleFile.read(view)
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
