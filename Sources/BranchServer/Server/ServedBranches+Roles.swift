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

    /// The same for a fork of a moment at which the branch's list may not have been up to date:
    /// where it had another soon afterwards, or none yet.
    func learnRolesIfOld(of fork: Branch, of parent: Branch, at point: Point) {
        guard mount != nil else { return }
        do {
            if let socket = computes.socketPath(of: parent.computeKey) {
                roles.refresh(parent, socketPath: socket)
            }
            let soon = try parent.point(at: .time(point.time.advanced(by: Self.listDelay)))
            let later = try roles.kept(in: parent.view(at: soon))
            guard try fork.hasCluster(), try roles.kept(in: fork.view()) != later else { return }
            try learnRoles(of: fork.info().name)
        } catch {
            log.note("who may log in on \(fork.id) is not known anew: \(error)")
        }
    }

    /// A branch's list is written so long after a change at the latest, mostly.
    private static let listDelay = Duration.seconds(2)

    /// The same for the default branch, where nobody has looked yet; other branches have it of the
    /// one that they were forked from.
    func learnMissingRoles() throws {
        let name = defaultBranch
        guard let branch = try? store.branch(name), try branch.hasCluster(),
            !roles.isKnown(branch)
        else { return }
        try learnRoles(of: name)
    }

    /// The branches that a compute of their own was on when the store was left; of those forked
    /// last, as many as may run.
    func interrupted() -> [String] {
        let all = (try? all()) ?? []
        let names = all.filter { info in
            (try? store.branch(info.id).wasLeftRunning()) ?? false
        }.map(\.name)
        return Array(names.suffix(options.computeLimit))
    }

    func refreshRoles(_ all: [BranchInfo]) {
        for info in all {
            guard let branch = try? store.branch(info.id),
                let socket = computes.socketPath(of: branch.computeKey)
            else { continue }
            roles.refresh(branch, socketPath: socket)
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
        learnRolesIfOld(of: made, of: parent, at: point)
        return made
    }
}
