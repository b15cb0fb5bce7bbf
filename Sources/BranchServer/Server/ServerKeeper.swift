import CLinux
import DiskIO
import FuseMount
import Glibc
import Oxbow
import Primitives

/// What a server does now and then: a socket for each branch there is, an end for what runs on
/// branches that there are no more, and a look at who may log in.
// Safe to share: what changes is under the lock, or used by the one thread alone.
final class ServerKeeper: @unchecked Sendable {
    private let branches: ServedBranches
    private let front: Front
    private let folder: ServerFolder
    private let lock = Lock()
    private var isEnded = false
    private var thread: WorkerThread?
    /// The names that have a socket.
    private let listening = Guarded<Set<String>>([])
    private var rounds = 0
    /// Branches that go by themselves any moment, and what lets sessions begin on them again.
    private var expiring: [BranchID: @Sendable () -> Void] = [:]
    private let roles: RoleKeeper

    private static let pauseMilliseconds = 500
    /// So long before a branch goes its sessions are told, and its compute ends.
    private static let notice = Duration.milliseconds(2 * pauseMilliseconds)
    /// A branch that is still there so long after it should have gone stays for now: history does
    /// not believe the clock.
    private static let respite = Duration.seconds(5)
    /// Branches beyond that many have no socket of their own, the newest first.
    private static let socketLimit = 1000
    /// Every so many rounds who may log in is looked at where computes run.
    private static let roleRounds = 2
    /// Every so many rounds memory that was freed is given back, which the C library keeps, and
    /// the logs go of branches that are deleted.
    private static let tidyRounds = 60

    init(_ branches: ServedBranches, _ front: Front, _ folder: ServerFolder) {
        self.branches = branches
        self.front = front
        self.folder = folder
        roles = RoleKeeper(branches)
        round()
        branches.whenReleased { [weak self] in self?.hurry() }
        thread = WorkerThread { [self] in work() }
    }

    func end() {
        lock.withLock {
            isEnded = true
            lock.wakeAll()
        }
        thread?.join()
        thread = nil
        roles.end()
        for release in expiring.values { release() }
        listening.withLock { listening in
            for name in listening { close(name) }
            listening = []
        }
    }

    /// Makes a branch's socket now, where it is about to.
    func expectSocket(of name: String) {
        listening.withLock { listening in
            if listening.count < Self.socketLimit, !listening.contains(name), open(name) {
                listening.insert(name)
            }
        }
    }

    /// Has the next round begin now.
    private func hurry() { lock.withLock { lock.wakeAll() } }

    private func work() {
        while true {
            let goesOn = lock.withLock { () -> Bool in
                if !isEnded { lock.wait(atMostMilliseconds: Self.pauseMilliseconds) }
                return !isEnded
            }
            guard goesOn else { return }
            round()
        }
    }

    private func round() {
        rounds += 1
        let tidies = rounds % Self.tidyRounds == 1
        if tidies { oxbow_give_memory_back() }
        // A store that failed says so to whoever uses it.
        guard let all = keepSockets() else { return }
        endExpiring(all)
        endOrphans(all, alsoLogs: tidies)
        if rounds % Self.roleRounds == 0 { branches.refreshRoles(all) }
        roles.look(all)
    }

    // MARK: Sockets

    /// Returns the branches there are.
    private func keepSockets() -> [BranchInfo]? {
        listening.withLock { listening in
            // Under the lock, so that it knows of each branch that has got a socket.
            guard let all = try? branches.all() else { return nil }
            let newest = all.sorted { $0.id > $1.id }.prefix(Self.socketLimit)
            let wanted = Set(newest.map(\.name))
            for name in listening.subtracting(wanted) { close(name) }
            listening.formIntersection(wanted)
            for name in wanted.subtracting(listening) where open(name) { listening.insert(name) }
            return all
        }
    }

    private func path(_ name: String) -> String {
        "\(folder.branches)/\(name)/.s.PGSQL.\(ComputePlace.port)"
    }

    private func open(_ name: String) -> Bool {
        guard path(name).utf8.count <= ComputePlace.socketLimit else { return false }
        let place = "\(folder.branches)/\(name)"
        unsafe mkdir(place, ServerFolder.nameless)
        // Whatever the caller's new files are for others.
        unsafe chmod(place, ServerFolder.nameless)
        return (try? front.listen(path: path(name), branch: name)) != nil
    }

    private func close(_ name: String) {
        front.close(path: path(name))
        unsafe rmdir("\(folder.branches)/\(name)")
    }

    // MARK: Branches that go by themselves

    /// Ends what runs on a branch before its files go. Where nothing runs, whoever comes is let in:
    /// a branch may be meant for less time than the notice.
    private func endExpiring(_ all: [BranchInfo]) {
        let now = LogTime(rawValue: SystemClock().now())
        var due: [BranchID: BranchInfo] = [:]
        for info in all {
            guard let expires = info.expires, expires <= now.advanced(by: Self.notice),
                now <= expires.advanced(by: Self.respite)
            else { continue }
            due[info.id] = info
        }
        for (id, release) in expiring where due[id] == nil {
            release()
            expiring[id] = nil
        }
        let running = Set(branches.computes.statuses.map(\.key))
        for (id, info) in due where expiring[id] == nil && running.contains("\(id)") {
            // Where somebody is just coming, again in the next round.
            expiring[id] = try? branches.hold(info.name, atMostMilliseconds: 100)
        }
    }

    /// A branch may go by itself in other ways, while somebody is connected.
    private func endOrphans(_ all: [BranchInfo], alsoLogs: Bool) {
        let living = Set(all.map { "\($0.id)" })
        var keys = Set(branches.computes.statuses.map(\.key))
        if alsoLogs { keys.formUnion(branches.computes.loggedKeys) }
        keys = keys.filter { !$0.contains("@") && !living.contains($0) }
        guard !keys.isEmpty, let known = try? branches.store.branches(includingDeleted: true)
        else { return }
        // One that was made after the branches were listed is no orphan.
        for info in known where info.deleted != nil && keys.contains("\(info.id)") {
            front.endSessions(ofKey: "\(info.id)")
            branches.computes.discard("\(info.id)")
        }
    }
}
