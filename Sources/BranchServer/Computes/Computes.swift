import Glibc
import Primitives
public import Volume

// Safe to share: what changes is guarded by the lock.
/// The computes of a server: at most one for each branch and for each moment.
///
///     let options = ComputeOptions(mountPath: "/mnt/db", runPath: "/run/db", logPath: "/log/db")
///     let computes = try Computes(options)
///     let lease = try computes.acquire(ComputeTarget(key: "B1000", files: .branch("main")))
///     // ... lease.socketPath takes sessions while the lease is held
///
/// Lock order: the pool's lock, then a compute's.
public final class Computes: @unchecked Sendable {
    /// What holds for all of them.
    public let options: ComputeOptions
    /// The PostgreSQLs that are installed.
    public let installed: [PostgresInstallation]
    let user: SystemUser?
    /// Where computes see their branch alone.
    let waiting: WaitingPool?
    private let lock = Lock()
    /// Guarded by `lock`, as what follows.
    private var computes: [String: Compute] = [:]
    private var slotsTaken = 0
    private var isEnded = false

    /// A pool without any computes yet. Its folders are made; the mount must be there.
    public init(_ options: ComputeOptions) throws(ComputeError) {
        self.options = options
        installed = PostgresInstallation.all()
        user = geteuid() == 0 ? try SystemUser(named: options.user) : nil
        try ComputeFiles.makeFolder(options.runPath, mode: 0o700)
        try ComputeFiles.makeFolder(options.logPath, mode: 0o700)
        waiting = user == nil ? nil : WaitingPool(options)
        for key in loggedKeys where key.contains("@") { discard(key) }
    }

    /// Waits until a compute lets sessions in, and holds it. May be called by many at once: one
    /// process is started. Not from a thread that serves the mount.
    public func acquire(_ target: ComputeTarget) throws(ComputeError) -> ComputeLease {
        try requested(target).wait()
    }

    /// With the pool's lock held until it is asked for, so that it is not let go in between.
    private func requested(_ target: ComputeTarget) throws(ComputeError) -> Compute {
        lock.lock()
        defer { lock.unlock() }
        let compute = try compute(target)
        compute.request(target)
        return compute
    }

    private func compute(_ target: ComputeTarget) throws(ComputeError) -> Compute {
        guard !isEnded else { throw ComputeError(.busy, "the server ends") }
        if let known = computes[target.key] { return known }
        for (key, spent) in computes where spent.isSpent {
            spent.place.remove()
            computes[key] = nil
        }
        let place = try ComputePlace(options, key: target.key, user: user)
        try place.make()
        let made = try Compute(target, place, self)
        computes[target.key] = made
        return made
    }

    /// Ends the compute of a key, and waits until its last process is gone: before its branch is
    /// reset, deleted or renamed. At once, it makes no checkpoint, and recovers when it is started
    /// again.
    public func stop(_ key: String, atOnce: Bool = false) {
        guard let compute = lock.withLock({ computes[key] }) else { return }
        compute.close(atOnce: atOnce)
        lock.withLock { if computes[key] === compute { computes[key] = nil } }
    }

    /// Ends the compute of a key at once, without a word to its sessions and without a checkpoint:
    /// its files are of no use to anybody any more.
    public func discard(_ key: String) {
        lock.withLock { computes.removeValue(forKey: key) }?.close(atOnce: true)
        (try? ComputePlace(options, key: key, user: user))?.remove()
    }

    /// Has the compute of a key stay for as long as if a session had just ended.
    func touch(_ key: String) { lock.withLock { computes[key] }?.touch() }

    /// Where the compute of a key takes sessions; nil where it does not run.
    func socketPath(of key: String) -> String? {
        lock.withLock { computes[key] }.flatMap { $0.isReady ? $0.place.socketPath : nil }
    }

    /// Ends all, at the same time, and waits for that. Their logs stay.
    public func end() {
        let all = lock.withLock {
            isEnded = true
            lock.wakeAll()
            return Array(computes.values)
        }
        let threads = all.map { compute in WorkerThread { compute.close() } }
        for thread in threads { thread.join() }
        waiting?.end()
        // Each knows this pool.
        lock.withLock { computes = [:] }
        for key in ComputeFiles.names(in: options.runPath) {
            (try? ComputePlace(options, key: key, user: user))?.removeRun()
        }
        unsafe rmdir(options.runPath)
    }

    /// What each does, by its key.
    public var statuses: [ComputeStatus] {
        lock.withLock { Array(computes.values) }.map(\.status).sorted { $0.key < $1.key }
    }

    /// What a compute said, in this server's time and before: at most 2 MiB, oldest first.
    public func logs(of key: String) throws(ComputeError) -> String {
        ComputeLog(try ComputePlace(options, key: key, user: user).logs).text
    }

    /// Whose logs are kept.
    var loggedKeys: [String] { ComputeFiles.names(in: options.logPath) }

    // MARK: How many run

    /// Takes one of the places, where none is free that of the one that was idle for longest.
    func takeSlot(for compute: Compute) throws(ComputeError) {
        var patience = options.waitSeconds * 1000
        lock.lock()
        defer { lock.unlock() }
        while slotsTaken >= options.limit {
            guard !isEnded else { throw ComputeError(.busy, "the server ends") }
            if compute.isGivenUp { throw ComputeError(.gone, "nobody waits for it any more") }
            retireLongestIdle()
            guard patience > 0 else {
                throw ComputeError(
                    .busy,
                    options.limit == 1
                        ? "the one compute that may run is in use: end a session, or allow more"
                        : "all \(options.limit) computes are in use: end a session, or allow more"
                )
            }
            lock.wait(atMostMilliseconds: 100)
            patience -= 100
        }
        slotsTaken += 1
        // So that the next one need not wait for the end of another.
        if options.limit - slotsTaken < options.spareCount { retireLongestIdle() }
    }

    /// Whether one more can run without anybody having to wait, or to go.
    var hasRoom: Bool { lock.withLock { options.limit - slotsTaken > options.spareCount } }

    func giveSlot() {
        lock.withLock {
            slotsTaken -= 1
            lock.wakeAll()
        }
    }

    private func retireLongestIdle() {
        let idle = computes.values.compactMap { compute in
            compute.idleSince.map { (since: $0, compute: compute) }
        }
        _ = idle.min { $0.since < $1.since }?.compute.retire()
    }

    // MARK: New clusters

    /// Makes a cluster in a branch that has none, with data checksums and one role. It is there
    /// whole or not at all.
    ///
    /// - Parameters:
    ///   - files: Those of the branch.
    ///   - changed: Is told of each name that was given or taken in a folder otherwise than through
    ///     the mount.
    public func initialize(
        _ target: ComputeTarget,
        in files: BranchFiles,
        password: String,
        version: Int? = nil,
        changed: @escaping (FileName, InodeNumber) -> Void
    ) throws(ComputeError) {
        guard case .branch(let name) = target.files else {
            throw ComputeError(.invalid, "a moment that is past cannot be initialized")
        }
        guard let chosen = version ?? installed.first?.version else {
            throw ComputeError(
                .unavailable,
                "no PostgreSQL is installed: `apt-get install postgresql-15`"
            )
        }
        let place = try ComputePlace(options, key: target.key, user: user)
        try place.make()
        let lock = try place.takeLock()
        defer { close(lock) }
        let cluster = PostgresCluster(place: place, name: name, files: files, changed: changed)
        try cluster.initialize(
            with: PostgresInstallation.matching(chosen, among: installed),
            password: password
        )
    }
}
