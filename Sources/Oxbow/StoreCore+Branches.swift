import PageStorage
import Primitives
import Timelines
import WriteAheadLog

extension StoreCore {
    /// A change to one living branch.
    func changeBranch(
        _ branch: BranchID,
        _ author: Author,
        urgency: Urgency = .ordinary,
        _ verb: String,
        _ change: (BranchEntry) -> LifecycleChange
    ) throws(OxbowError) {
        _ = try self.change(author, urgency: urgency, "\(verb) branch \(branch)") {
            catalog,
            nodes throws(LogError) -> Result<LifecycleChange, OxbowError> in
            guard let entry = try catalog.branch(branch, nodes) else {
                return .failure(Self.noBranch(branch))
            }
            if entry.death != nil { return .failure(Self.deleted(entry)) }
            return .success(change(entry))
        }
    }

    func rename(
        _ branch: BranchID,
        to name: String,
        _ author: Author
    ) throws(OxbowError) {
        try give(branch, name, author, "rename", .rename(branch, name: name))
    }

    func handOver(
        _ branch: BranchID,
        as name: String,
        _ expiry: Expiry?,
        _ author: Author
    ) throws(OxbowError) {
        let moment = try moment(of: expiry)
        let change = LifecycleChange.handOver(branch, name: name, expiry: moment)
        try give(branch, name, author, "hand over", change)
    }

    /// A change by which a living branch gets a name that is free.
    private func give(
        _ branch: BranchID,
        _ name: String,
        _ author: Author,
        _ verb: String,
        _ change: LifecycleChange
    ) throws(OxbowError) {
        try Name.check(name)
        _ = try self.change(author, "\(verb) branch \(branch)") {
            catalog,
            nodes throws(LogError) -> Result<LifecycleChange, OxbowError> in
            guard let entry = try catalog.branch(branch, nodes) else {
                return .failure(Self.noBranch(branch))
            }
            if entry.death != nil { return .failure(Self.deleted(entry)) }
            if let conflict = try conflict(name, &catalog, nodes) { return .failure(conflict) }
            return .success(change)
        }
    }

    func undelete(
        _ branch: BranchID,
        as name: String?,
        _ expiry: Expiry?,
        _ author: Author
    ) throws(OxbowError) {
        if let name { try Name.check(name) }
        let moment = try moment(of: expiry)
        _ = try change(author, "undelete branch \(branch)") {
            catalog,
            nodes throws(LogError) -> Result<LifecycleChange, OxbowError> in
            guard let entry = try catalog.branch(branch, nodes) else {
                return .failure(Self.noBranch(branch))
            }
            guard let death = entry.death else {
                return .failure(OxbowError(.conflict, "branch \(entry.name) is not deleted"))
            }
            let line = try catalog.timeline(entry.timeline, nodes)
            if !catalog.canUndelete(entry, line) {
                return .failure(
                    OxbowError(
                        .notFound,
                        "branch \(entry.name) was deleted at \(death.time), before the history "
                            + "that is kept"
                    )
                )
            }
            let name = name ?? entry.name
            if let conflict = try conflict(name, &catalog, nodes) { return .failure(conflict) }
            return .success(.undelete(branch, name: name, expiry: moment))
        }
    }

    func setWindow(
        _ duration: Duration,
        _ bytes: UInt64,
        of branch: BranchID?,
        _ author: Author
    ) throws(OxbowError) {
        try checkWindow(duration)
        let window = Window(nanoseconds: UInt64(duration.wholeNanoseconds), bytes: bytes)
        if let branch { return try setWindow(window, of: branch, author) }
        _ = try change(author, urgency: .makingRoom, "set the window") { _, _ in
            .success(.window(nil, window))
        }
    }

    /// Gives a branch a window of its own, or takes it away. Urgent, as for the store: on a full
    /// disk a shorter window is what makes room.
    func setWindow(
        _ window: Window?,
        of branch: BranchID,
        _ author: Author
    ) throws(OxbowError) {
        try changeBranch(branch, author, urgency: .makingRoom, "set the window of") { _ in
            .window(branch, window)
        }
    }

    func deleteSnapshot(_ name: String, _ author: Author) throws(OxbowError) {
        try Name.check(name)
        _ = try change(author, urgency: .makingRoom, "delete snapshot \(name)") {
            catalog,
            nodes throws(LogError) -> Result<LifecycleChange, OxbowError> in
            guard case .snapshot(let id)? = try catalog.holder(of: name, nodes) else {
                return .failure(OxbowError(.notFound, "there is no snapshot \(name)"))
            }
            return .success(.deleteSnapshot(id))
        }
    }
}
