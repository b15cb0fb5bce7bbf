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
        return try store.fork(use.newName, from: point, expires: .never, by: author)
    }
}
