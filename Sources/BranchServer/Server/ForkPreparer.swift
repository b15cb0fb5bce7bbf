import DiskIO
import Oxbow
import Primitives

/// Makes the forks that are kept ready: of the branch that was forked last, once it rests, and
/// where a compute more hinders nobody.
// Safe to share: what changes is used by the one thread alone, but for the thread itself, which its
// owner ends once.
final class ForkPreparer: @unchecked Sendable {
    private let branches: ServedBranches
    private let clock = SystemClock()
    private var thread: WorkerThread?
    /// What the branch showed at the last look, and since when.
    private var seen: (head: LSN, since: UInt64)?
    private var pace = PreparationPace()
    private var givenCount = 0

    private static let pauseMilliseconds = 100
    /// The newest databases, of a cluster that has more.
    private static let visitedDatabases = 8

    init(_ branches: ServedBranches) {
        self.branches = branches
        thread = WorkerThread { [self] in work() }
    }

    /// Ends it. What it made is the server's own, and is deleted with the rest of that.
    func end() {
        branches.prepared.end()
        thread?.join()
        thread = nil
    }

    private func work() {
        while branches.prepared.wait(atMostMilliseconds: Self.pauseMilliseconds) { step() }
    }

    private func step() {
        let demand = branches.prepared.wanted
        let now = clock.monotonic()
        var head: LSN?
        if let demand, !isOver(demand, now) {
            head = try? branches.store.branch(demand.parent).point(at: .head).lsn
        }
        let useless = branches.prepared.drop { fork in
            fork.parent == demand?.parent && fork.origin == head
                && branches.computes.socketPath(of: fork.branch.computeKey) != nil
        }
        for fork in useless { branches.discard(fork.branch) }
        if useless.contains(where: { $0.parent == demand?.parent && $0.origin != head }) {
            pace.spoiled()
        }
        if branches.prepared.givenCount != givenCount {
            givenCount = branches.prepared.givenCount
            pace.given()
        }
        guard let demand, let head else {
            if let demand { branches.prepared.forget(demand) }
            return
        }
        if seen?.head != head { seen = (head, now) }
        // Who has just forked it is about to use the processor.
        let rests = now >= max(seen?.since ?? now, demand.since) + pace.restNanoseconds
        if rests, !branches.prepared.isFull, branches.computes.hasRoom { prepare(demand, head) }
    }

    /// Whether the last fork is so long ago that an idle compute would have been stopped.
    private func isOver(_ demand: PreparedForks.Demand, _ now: UInt64) -> Bool {
        guard let seconds = branches.options.idleSeconds else { return false }
        return now >= demand.since + UInt64(seconds) * 1_000_000_000
    }

    private func prepare(_ demand: PreparedForks.Demand, _ head: LSN) {
        do {
            let parent = try branches.store.branch(demand.parent)
            // What is written down of the roles now does not spoil it later.
            branches.refreshRoles([try parent.info()])
            guard try parent.point(at: .head).lsn == head else { return }
            let use = OwnBranch.prepared
            let made = try branches.store.fork(
                use.newName,
                from: parent,
                expires: .never,
                by: use.author("oxbow")
            )
            do {
                let fork = PreparedForks.Fork(branch: made, parent: parent.id, origin: head)
                let lease = try branches.computes.acquire(branches.target(made, made.info()))
                defer { withExtendedLifetime(lease) {} }
                try visitDatabases(of: made, lease)
                let isSame = try parent.point(at: .head).lsn == head
                if !isSame || !branches.prepared.keep(fork) { branches.discard(made) }
            } catch {
                branches.discard(made)
                throw error
            }
        } catch {
            // Who forks it next is told the same.
            branches.log.note("no fork is kept ready: \(error)")
            branches.prepared.forget(demand)
        }
    }

    /// The first session in a database after a start has its catalog read anew, and who may log in
    /// is asked anew when the branch has changed.
    private func visitDatabases(of branch: Branch, _ lease: ComputeLease) throws {
        let role = branches.computes.options.role
        let limits = ProbeLimits(rows: Self.visitedDatabases, bytes: 1 << 16, seconds: 10)
        let names = try PostgresProbe.rows(
            """
            SELECT datname FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate
            ORDER BY oid DESC LIMIT \(Self.visitedDatabases)
            """,
            at: lease.socketPath,
            role: role,
            limits
        )
        for name in names {
            guard let name = name.first.flatMap({ $0 }) else { continue }
            _ = try PostgresProbe.rows(
                "SELECT 1",
                at: lease.socketPath,
                role: role,
                database: String(decoding: name, as: UTF8.self),
                limits
            )
        }
        branches.roles.refresh(branch, socketPath: lease.socketPath)
    }
}
