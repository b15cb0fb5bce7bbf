import FuseMount
import Oxbow
import PostgresWire
import Primitives
import Volume

/// The way of an authenticated client to its compute.
extension ServedBranches {
    func open(_ request: ConnectionRequest) throws -> Endpoint {
        let name = request.target.branch ?? defaultBranch
        if copies != nil { return try openCopy(of: name, request) }
        if request.target.isFork { return try openFork(of: name, request) }
        if let moment = request.target.moment, moment != .head {
            return try openPast(of: name, moment, request)
        }
        return try openPresent(of: name, request)
    }

    private func openPresent(of name: String, _ request: ConnectionRequest) throws -> Endpoint {
        try entering(name) { branch, info in
            let lease = try computes.acquire(target(branch, info))
            try confirm(request, on: branch, lease.socketPath)
            let held = HeldLease(lease)
            return Endpoint(
                socketPath: lease.socketPath,
                branch: info.name,
                key: branch.computeKey,
                settings: [Self.setting("oxbow.branch", info.name)]
            ) { held.give() }
        }
    }

    /// Without a mount: a standby on a copy of the files, as they are now or were at a moment.
    private func openCopy(of name: String, _ request: ConnectionRequest) throws -> Endpoint {
        guard !request.target.isFork else {
            throw Refusal(
                "0A000",
                "a fork of branch \"\(name)\" could not be written",
                detail: "This server has no FUSE, and shows copies."
            )
        }
        let branch = try find(name)
        let moment = request.target.moment ?? .head
        if moment != .head { try confirm(request, onPastOf: branch) }
        let point = try point(moment, on: branch)
        let lease = try computes.acquire(copyTarget(branch, point))
        if moment == .head { try confirm(request, on: branch, lease.socketPath) }
        let held = HeldLease(lease)
        let copy = ServerReport(
            .notice,
            state: "00000",
            "this is a copy of branch \"\(name)\" as it was at \(point.lsn), \(point.time), and "
                + "can only be read",
            detail: "This server has no FUSE."
        )
        return Endpoint(
            socketPath: lease.socketPath,
            branch: name,
            key: branch.computeKey,
            notices: (moment == .head ? [] : [Self.notice(of: point, asked: moment, name)]) + [
                copy
            ],
            settings: Self.settings(name, point)
        ) { held.give() }
    }

    /// A compute on a copy of a branch's files.
    private func copyTarget(_ branch: Branch, _ point: Point) -> ComputeTarget {
        let copies = copies
        var target = ComputeTarget(
            key: "\(branch.computeKey)@\(point.lsn)",
            files: .moment {
                guard let copies else { throw ComputeError(.failed, "there are no copies") }
                return try copies.make(branch.view(at: point))
            }
        )
        target.idle = .after(seconds: options.momentIdleSeconds)
        return target
    }

    /// What says of a branch who may log in on it.
    func rolesTarget(_ branch: Branch, _ info: BranchInfo) throws -> ComputeTarget {
        guard copies != nil else { return target(branch, info) }
        return try copyTarget(branch, branch.point(at: .head))
    }

    /// What was proved against a branch's note of its roles must hold against the roles: also where
    /// the compute was started by somebody else meanwhile.
    private func confirm(
        _ request: ConnectionRequest,
        on branch: Branch,
        _ socketPath: String?
    ) throws(Refusal) {
        let user = request.user
        var isConfirmed = false
        do throws(RoleError) {
            if let proved = request.proved {
                isConfirmed = try whenKnown { () throws(RoleError) in
                    try roles.confirm(
                        user,
                        proved,
                        on: branch,
                        socketPath: socketPath,
                        database: request.target.database
                    )
                }
            }
        } catch {
            if error.isOld { throw .rolesAreNotKnown(error) }
            if error.isFull {
                throw Refusal.full(error)
            }
            // What could not be asked is no reason to call a password wrong.
            throw Refusal.passing("the compute could not be asked who may log in: \(error)")
        }
        guard isConfirmed else {
            throw Refusal("28P01", "password authentication failed for user \"\(user.text)\"")
        }
    }

    // MARK: The past

    /// A moment is entered by what the branch's roles have now.
    private func confirm(_ request: ConnectionRequest, onPastOf branch: Branch) throws(Refusal) {
        try confirm(request, on: branch, computes.socketPath(of: branch.computeKey))
    }

    private func openPast(
        of name: String,
        _ moment: RequestedMoment,
        _ request: ConnectionRequest
    ) throws -> Endpoint {
        let branch = try find(name)
        try confirm(request, onPastOf: branch)
        let point = try point(moment, on: branch)
        let lease = try computes.acquire(target(branch, point))
        let held = HeldLease(lease)
        return Endpoint(
            socketPath: lease.socketPath,
            branch: name,
            key: branch.computeKey,
            notices: [Self.notice(of: point, asked: moment, name)],
            settings: Self.settings(name, point)
        ) { held.give() }
    }

    /// The record that a moment snaps to.
    func point(_ moment: RequestedMoment, on branch: Branch) throws -> Point {
        if case .walPosition(let position) = moment {
            return try WALPositionSearch(branch).point(of: WALPosition(rawValue: position))
        }
        return try AdminStore.point(moment, branch)
    }

    static func notice(
        of point: Point,
        asked moment: RequestedMoment,
        _ name: String
    ) -> ServerReport {
        let distance = point.distance.map { ", \(DurationText.seconds($0)) before it" } ?? ""
        let next: String? =
            if case .snapshot = moment { nil } else {
                point.next.map { "The next record is \($0.lsn), \($0.time)." }
                    ?? "It is the newest record."
            }
        return ServerReport(
            .notice,
            state: "00000",
            "\(moment) of branch \"\(name)\" is the record \(point.lsn), \(point.time)\(distance)",
            detail: next
        )
    }

    private static func settings(_ name: String, _ point: Point) -> [StartupOptions.Setting] {
        [
            setting("oxbow.branch", name), setting("oxbow.lsn", "\(point.lsn)"),
            setting("oxbow.time", "\(point.time)"),
        ]
    }

    private static func setting(_ name: String, _ value: String) -> StartupOptions.Setting {
        StartupOptions.Setting(name: name, value: WireString(value))
    }

    // MARK: A fork for one connection

    private func openFork(of name: String, _ request: ConnectionRequest) throws -> Endpoint {
        let parent = try find(name)
        let use = OwnBranch.connection
        let author = use.author(request.user.text)
        var notices: [ServerReport] = []
        let fork: Branch
        if let moment = request.target.moment, moment != .head {
            try confirm(request, onPastOf: parent)
            let point = try point(moment, on: parent)
            notices.append(Self.notice(of: point, asked: moment, name))
            fork = try store.fork(use.newName, from: point, expires: .never, by: author)
        } else {
            fork = try self.fork(use.newName, from: parent, expires: .never, by: author)
        }
        do {
            let info = try fork.info()
            let lease = try computes.acquire(target(fork, info))
            // A past one has the passwords of its time, and is entered with those of now.
            if notices.isEmpty { try confirm(request, on: fork, lease.socketPath) }
            let held = HeldLease(lease)
            return Endpoint(
                socketPath: lease.socketPath,
                branch: info.name,
                key: fork.computeKey,
                endsWithClient: true,
                notices: notices,
                settings: [Self.setting("oxbow.branch", info.name)]
            ) { [self] in
                held.give()
                // Others who came in by its name.
                endSessions(of: fork)
                discard(fork)
            }
        } catch {
            discard(fork)
            throw error
        }
    }

    // MARK: Targets

    func target(_ branch: Branch, _ info: BranchInfo) -> ComputeTarget {
        var target = ComputeTarget(key: branch.computeKey, files: .branch(info.name))
        target.isFork = info.parent != nil
        target.idle = idle(of: branch)
        target.look = look(key: target.key)
        target.hasCutBlocks = {
            (try? CutBlocks.areIn(BranchFiles.open(branch, creating: false))) ?? false
        }
        let mount = mount
        target.promote = {
            let files = try BranchFiles.open(branch, creating: false)
            try PostgresInspection.promote(files) { mount?.forget($0, in: $1, of: files) }
        }
        return target
    }

    private func look(
        key: String
    ) -> @Sendable (String, Bool) throws -> PostgresPreflight? {
        let (store, mount) = (store, mount)
        return { name, isMoment in
            let branch = try store.branch(name)
            let files = try BranchFiles.open(branch, creating: false)
            let log = isMoment ? nil : try? WALFiles(branch.view())
            return try PostgresInspection.look(
                files,
                key: key,
                isMoment: isMoment,
                mayChange: mount.map { !$0.knows(files) } ?? true,
                bytesToRedo: (try? log?.bytesToRedo()) ?? 0
            )
        }
    }

    func target(_ branch: Branch, _ point: Point) -> ComputeTarget {
        let (store, use) = (store, OwnBranch.moment)
        var target = ComputeTarget(
            key: "\(branch.computeKey)@\(point.lsn)",
            files: .moment { [self] in
                let fork = try store.fork(
                    use.newName,
                    from: point,
                    expires: .never,
                    by: use.author("oxbow")
                )
                return ComputeFork(name: try fork.info().name) { [self] in
                    try? Self.delete(fork)
                    mount?.refresh()
                }
            }
        )
        target.idle = .after(seconds: options.momentIdleSeconds)
        target.look = look(key: target.key)
        return target
    }
}

/// A lease until somebody gives it back.
private final class HeldLease: Sendable {
    private let lease: Guarded<ComputeLease?>

    init(_ lease: ComputeLease) { self.lease = Guarded(lease) }

    func give() { lease.withLock { $0 = nil } }
}
