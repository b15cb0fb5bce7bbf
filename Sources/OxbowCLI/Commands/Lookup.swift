import Oxbow

#if Server
import BranchServer
#endif

/// How branches and points are found from what people write, and what is said where they are not.
extension Store {
    func find(_ reference: BranchReference) throws -> Branch {
        switch reference {
        case .id(let id):
            let branch = try branch(id)
            let info = try branch.info()
            if info.deleted != nil { throw Self.gone(info, "\(id)") }
            if info.isServersOwn { throw Failure("notFound", "there is no branch \(id)") }
            return branch
        case .name(let name):
            do throws(OxbowError) {
                let branch = try branch(name)
                if try !branch.info().isServersOwn { return branch }
            } catch {
                guard error.kind == .notFound else { throw error }
            }
            throw try missing(name)
        }
    }

    /// Finds a branch that may be deleted: by its id, or by its name where no living one has it.
    func findEvenDeleted(_ reference: BranchReference) throws -> Branch {
        let name: String
        switch reference {
        case .id(let id): return try branch(id)
        case .name(let given): name = given
        }
        do throws(OxbowError) { return try branch(name) } catch {
            guard error.kind == .notFound else { throw error }
            guard let deleted = try lastDeleted(name) else { throw try missing(name) }
            return try branch(deleted.id)
        }
    }

    /// The branch deleted last of those that had a name.
    func lastDeleted(_ name: String) throws(OxbowError) -> BranchInfo? {
        do throws(OxbowError) { return try deletedBranch(name) } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    private func missing(_ name: String) throws(OxbowError) -> Failure {
        if let deleted = try lastDeleted(name) { return Self.gone(deleted, name) }
        let names = try branches().filter { !$0.isServersOwn }.map(\.name)
        if names.isEmpty {
            let canComeBack = try branches(includingDeleted: true).contains { $0.canBeUndeleted }
            return Failure(
                "notFound",
                "there is no branch \(name), nor any other"
                    + (canComeBack
                        ? ": `oxbow branch list --all` shows those that were deleted, and "
                            + "`oxbow branch undelete` brings one back" : "")
            )
        }
        let near = Suggestion.nearest(to: name, among: names)
        return Failure(
            "notFound",
            "there is no branch \(name)"
                + (near.map { "; did you mean \($0)?" }
                    ?? ": `oxbow branch list` shows those there are")
        )
    }

    private static func gone(_ info: BranchInfo, _ reference: String) -> Failure {
        Failure(
            "notFound",
            "branch \(info.name) was deleted (\(Text.time(info.deleted ?? .zero)))"
                + (info.canBeUndeleted
                    ? ": `oxbow branch undelete \(reference)` brings it back"
                    : ", before the history that is kept")
        )
    }

    /// The point that a branch and a moment mean. The branch of a snapshot may be deleted.
    func point(_ asked: BranchMoment) throws -> Point {
        let moment: Moment
        switch asked.moment {
        case .moment(let plain): moment = plain
        case .walPosition(let position): return try point(position, on: find(asked.branch))
        }
        guard case .snapshot(let name) = moment else {
            return try find(asked.branch).point(at: moment)
        }
        let branch = try findEvenDeleted(asked.branch)
        guard let snapshot = try snapshots().first(where: { $0.name == name }) else {
            throw Failure(
                "notFound",
                "there is no snapshot \(name): `oxbow snapshot list` shows those there are; other "
                    + "moments are an LSN (L16B3F28), a time with its zone (2026-04-08T22:56:02Z) "
                    + "and a time back (10m)"
            )
        }
        guard snapshot.branch == branch.id else {
            let owner = try self.branch(snapshot.branch).info().name
            throw Failure(
                "notFound",
                "snapshot \(name) is of branch \(owner): write \(owner)@\(name)"
            )
        }
        return try point(snapshot: name)
    }

    private func point(_ walPosition: UInt64, on branch: Branch) throws -> Point {
        #if Server
        do throws(WALError) {
            return try WALPositionSearch(branch).point(of: WALPosition(rawValue: walPosition))
        } catch {
            throw Failure(error.kind == .failed ? "damaged" : "notFound", error.message)
        }
        #else
        throw Failure("invalid", "this program was built without what reads PostgreSQL's log")
        #endif
    }

    /// The names of all branches there ever were that the store still knows.
    func branchNames() throws(OxbowError) -> [BranchID: String] {
        var names: [BranchID: String] = [:]
        for info in try branches(includingDeleted: true) { names[info.id] = info.name }
        return names
    }
}

extension Branch {
    /// Makes a change after which the branch shows other files, which a protected one refuses, and
    /// says how the protection goes where it does.
    func unlessProtected(_ call: Invocation, _ change: () throws(OxbowError) -> Void) throws {
        let info = try info()
        // Before anybody's session is ended for it.
        if info.isProtected { throw Self.protected(info.name) }
        do { try call.whileHeld(self) { try change() } } catch let error as OxbowError {
            guard error.kind == .conflict, try self.info().isProtected else { throw error }
            throw Self.protected(info.name)
        }
    }

    private static func protected(_ name: String) -> Failure {
        Failure(
            "conflict",
            "branch \(name) is protected: `oxbow branch protect \(name) --off` takes that away"
        )
    }
}
