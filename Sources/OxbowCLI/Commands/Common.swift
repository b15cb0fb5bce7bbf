import Oxbow

extension Invocation {
    /// The folder that the command works on.
    var folder: String { self[Globals.store] ?? environment.store ?? "." }

    /// The same as a path of this machine.
    var storePath: LocalPath { environment.place(LocalPath(RawText.bytes(folder))) }

    /// Runs a body on the store, and closes it in good order, so that what the body did is durable
    /// before anybody is told. In a server it is the server's, and stays open.
    func withStore(_ body: (Store) throws -> Void) throws {
        if let host = environment.host {
            try body(host.store)
            return try host.store.sync()
        }
        var options = StoreOptions()
        options.createIfMissing = false
        let store: Store
        do throws(OxbowError) { store = try Store.open(folder, options) } catch {
            switch error.kind {
            case .notFound: throw noStore()
            case .damaged:
                var failure = Failure(
                    "damaged",
                    "\(error); `oxbow dump` shows what can be read"
                )
                failure.problem = error.problem
                throw failure
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
            "there is no store in \(folder): make one with `oxbow init \(folder)`, or say --store "
                + "DIR"
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
