import Glibc
import Oxbow
import PostgresWire
import Primitives

/// Who may log in, as far as the server looks after it.
extension ServedBranches {
    /// Learns who may log in on a branch, which starts its compute: for an operator, never for a
    /// stranger.
    func learnRoles(of name: String) throws {
        try entering(name) { branch, info in
            try roles.learn(branch, from: computes, rolesTarget(branch, info))
        }
    }

    /// The same for a fork of a moment, where the list of that moment may be old.
    func learnRolesIfOld(of fork: Branch) {
        guard roles.isOld(fork) else { return }
        do { try learnRoles(of: fork.info().name) } catch {
            log.note("who may log in on \(fork.id) is not known anew: \(error)")
        }
    }

    /// The same for the default branch, where nobody has looked yet; other branches have it of the
    /// one that they were forked from.
    func learnMissingRoles() throws {
        let name = defaultBranch
        guard let branch = try? store.branch(name), try branch.hasCluster(),
            !roles.hasList(branch)
        else { return }
        try learnRoles(of: name)
    }

    /// Does something once it is known who may log in: while there is a list that may be old, it
    /// waits for the server to have asked. Of strangers only some may wait.
    func whenKnown<Result>(
        forStranger isStranger: Bool = false,
        _ body: () throws(RoleError) -> Result
    ) throws(RoleError) -> Result {
        var patience = Self.rolePatienceMilliseconds
        var mayWait = !isStranger
        defer { if isStranger, mayWait { waiting.withLock { $0 -= 1 } } }
        while true {
            do throws(RoleError) { return try body() } catch {
                if !mayWait {
                    mayWait = waiting.withLock { count in
                        guard count < Self.waitingStrangers else { return false }
                        count += 1
                        return true
                    }
                }
                guard error.isOld, !error.isFull, mayWait, patience > 0 else { throw error }
            }
            usleep(UInt32(Self.roleStepMilliseconds * 1000))
            patience -= Self.roleStepMilliseconds
        }
    }

    /// Less than a log-in may take.
    private static let rolePatienceMilliseconds = 8000
    private static let roleStepMilliseconds = 20
    /// Half of those whose passwords can be looked up at a time.
    private static let waitingStrangers = FrontLimits().verifyingThreads / 2

    /// Refuses to set the default branch back to where nobody could log in, not even to undo it.
    func checkReset(of branch: Branch, to point: Point) throws {
        guard try branch.info().name == defaultBranch else { return }
        let view = try branch.view(at: point)
        guard try !view.hasCluster() || roles.hasNobody(in: view) else { return }
        throw Refusal(
            "55000",
            "nobody could log in on branch \"\(defaultBranch)\" as it was at \(point.lsn), "
                + "and it is the default branch",
            hint: "SET DEFAULT BRANCH to another first."
        )
    }

    func refreshRoles(_ all: [BranchInfo]) {
        for info in all {
            guard let branch = try? store.branch(info.id),
                let socket = computes.socketPath(of: branch.computeKey)
            else { continue }
            roles.refresh(branch, socketPath: socket, noting: true)
        }
    }

    /// A branch of another, for somebody who runs something in this process.
    func makeFork(of name: String, at moment: String?) throws -> Branch {
        let parent = try find(name)
        let use = OwnBranch.connection
        let author = use.author("oxbow")
        guard let moment else {
            return try fork(use.newName, from: parent, expires: .never, by: author)
        }
        guard let requested = RequestedMoment(moment) else {
            throw ServerError(.invalid, RequestedMoment.expectation(moment))
        }
        let point = try point(requested, on: parent)
        let made = try store.fork(use.newName, from: point, expires: .never, by: author)
        learnRolesIfOld(of: made)
        return made
    }
}
