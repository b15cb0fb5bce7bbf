import Oxbow
import Primitives

/// What a store says that it holds, as far as it costs little to ask.
struct Observation {
    let branches: [BranchInfo]
    let snapshots: [SnapshotInfo]

    init(_ store: Store) throws {
        branches = try store.branches(includingDeleted: true)
        snapshots = try store.snapshots()
    }

    /// Where the record of a change that may have been made stands, if it was.
    func mark(of change: ModelChange, _ store: Store) throws -> ModelMark? {
        switch change {
        case .commit(let id, _):
            return branches.first { $0.id == id }.map {
                ModelMark(lsn: $0.head.lsn, time: $0.head.time)
            }
        case .create(let name, _, _, _, _):
            return branches.last { $0.name == name }.map {
                ModelMark(lsn: LSN(rawValue: $0.id.rawValue), time: $0.created)
            }
        case .deleteSnapshot: return ModelMark(lsn: .zero, time: .zero)
        default:
            guard let id = change.eventBranch, branches.contains(where: { $0.id == id }) else {
                return nil
            }
            return try store.branch(id).events().last.map { ModelMark(lsn: $0.lsn, time: $0.time) }
        }
    }
}

extension ModelState {
    /// How a store differs from this; nil where it does not.
    func difference(from seen: Observation) -> String? {
        guard seen.branches.count == branches.count else {
            return "\(seen.branches.count) branches, expected \(branches.count)"
        }
        for (model, info) in zip(branches, seen.branches) {
            if let difference = model.difference(from: info) {
                return "branch \(info.name) (\(info.id)): \(difference)"
            }
        }
        guard seen.snapshots.count == snapshots.count else {
            return "\(seen.snapshots.count) snapshots, expected \(snapshots.count)"
        }
        for (model, info) in zip(snapshots, seen.snapshots) {
            let isSame =
                model.name == info.name && model.branch == info.branch
                && model.point.mark.lsn == info.lsn && model.point.mark.time == info.time
                && model.created == info.created && model.author == info.author
            if !isSame { return "snapshot \(info), expected \(model.name)" }
        }
        return nil
    }
}

extension ModelBranch {
    func difference(from info: BranchInfo) -> String? {
        func compare<Value: Equatable>(
            _ what: String,
            _ seen: Value,
            _ expected: Value
        ) -> String? {
            seen == expected ? nil : "\(what) is \(seen), expected \(expected)"
        }
        let differences: [String?] = [
            compare("id", info.id, id), compare("name", info.name, name),
            compare("head", info.head.lsn, head.mark.lsn),
            compare("time of the head", info.head.time, head.mark.time),
            compare("timeline", info.timeline, head.timeline),
            compare("created", info.created, created), compare("author", info.author, author),
            compare("parent", info.parent, parent), compare("origin", info.origin, origin),
            compare("protection", info.isProtected, isProtected),
            compare("deleted", info.deleted, death?.time),
            expiry.admits(info.expires)
                ? nil : "expires \(info.expires?.description ?? "never"), expected \(expiry)",
        ]
        for case let difference? in differences { return difference }
        return nil
    }

    /// Whether a store tells the same of what was done with the branch.
    func difference(from seen: [LifecycleEvent]) -> String? {
        guard seen.count == events.count else {
            return "\(seen.count) events of \(name), expected \(events.count)"
        }
        for (index, (model, event)) in zip(events, seen).enumerated() {
            let isKnown = model.action != "expiry" && model.action != "window"
            let isSame =
                model.action == event.action && model.author == event.author
                && (!isKnown || model.detail == event.detail)
            if !isSame { return "event \(index) of \(name) is \(event), expected \(model)" }
            if index > 0, event.lsn <= seen[index - 1].lsn {
                return "event \(index) of \(name) stands before the one before it"
            }
        }
        return nil
    }
}

extension ModelMark: CustomStringConvertible {
    var description: String { lsn.description }
}
