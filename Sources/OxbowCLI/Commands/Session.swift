import Oxbow

extension Invocation {
    /// The folder that the command works on.
    var folder: String { self[Globals.store] ?? environment.store ?? "." }

    /// Runs a body on the store, and closes it in good order, so that what the body did is durable
    /// before anybody is told.
    func withStore(_ body: (Store) throws -> Void) throws {
        var options = StoreOptions()
        options.createIfMissing = false
        let store: Store
        do throws(OxbowError) { store = try Store.open(folder, options) } catch {
            switch error.kind {
            case .notFound: throw noStore()
            case .damaged:
                throw Failure("damaged", "\(error); `oxbow dump` shows what can be read")
            default: throw error
            }
        }
        do { try body(store) } catch {
            // What went wrong first is what is told.
            do throws(OxbowError) { try store.close() } catch {}
            throw error
        }
        try store.close()
    }

    func noStore() -> Failure {
        Failure(
            "notFound",
            "there is no store in \(folder): make one with `oxbow init \(folder)`, or say --store DIR"
        )
    }

    /// Who does it, and what they want to be known.
    var author: Author {
        var labels: [String: String] = [:]
        for label in all(Common.label) { labels[label.key] = label.value }
        return Author(self[Common.actor] ?? environment.actor, labels: labels)
    }
}

/// Options that several commands take.
enum Common {
    static let actor = Option(
        "actor",
        "WHO",
        help: "Who does it, for the history; by default $OXBOW_ACTOR, or else the login name",
        parse: Values.text
    )
    static let label = Option(
        "label",
        "KEY=VALUE",
        repeats: true,
        help: "What else the history should say of it",
        parse: Values.label
    )
    static let authoring: [any AnyOption] = [actor, label]

    static let branch = Positional(
        "BRANCH",
        help: "The branch, by its name or its id",
        parse: Values.branch
    )
    static let branchMoment = Positional(
        "BRANCH[@POINT]",
        help: "The branch, as it is now or as it was at a point",
        parse: Values.branchMoment
    )
}

extension Store {
    func find(_ reference: BranchReference) throws(OxbowError) -> Branch {
        switch reference {
        case .name(let name): try branch(name)
        case .id(let id): try branch(id)
        }
    }

    /// Finds a branch that may be deleted: by its id, or by its name where no living one has it.
    func findEvenDeleted(_ reference: BranchReference) throws(OxbowError) -> Branch {
        guard case .name(let name) = reference else { return try find(reference) }
        do throws(OxbowError) { return try branch(name) } catch {
            guard error.kind == .notFound else { throw error }
            do throws(OxbowError) { return try branch(deletedBranch(name).id) } catch _ {
                throw error
            }
        }
    }

    func point(_ asked: BranchMoment) throws(OxbowError) -> Point {
        try find(asked.branch).point(at: asked.moment)
    }

    /// The names of all branches there ever were that the store still knows.
    func branchNames() throws(OxbowError) -> [BranchID: String] {
        var names: [BranchID: String] = [:]
        for info in try branches(includingDeleted: true) { names[info.id] = info.name }
        return names
    }
}
