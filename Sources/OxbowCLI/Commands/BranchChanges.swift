import Oxbow

/// `oxbow branch create` and the commands that change a branch's name, protection and expiry, or
/// delete it and bring it back.
enum BranchChanges {
    private static let name = Positional("NAME", help: "The new branch's name", parse: Values.name)
    private static let newName = Positional("NAME", help: "The new name", parse: Values.name)
    private static let from = Option(
        "from",
        "BRANCH[@POINT]",
        isRequired: true,
        help: "What to fork: a branch as it is now, or as it was at a point",
        parse: Values.branchMoment
    )
    private static let expires = Option(
        "expires",
        "WHEN",
        help: "When it goes by itself: 1h, 7d, a time, or never",
        parse: Values.expiry
    )
    private static let ifNotExists = Flag(
        "if-not-exists",
        help: "Do nothing where the branch is there, and was made of the same"
    )
    private static let when = Positional(
        "WHEN",
        help: "When it goes by itself: 1h, 7d, a time, or never",
        parse: Values.expiry
    )
    private static let off = Flag("off", help: "Take the protection away")
    private static let newBranchName = Option(
        "as",
        "NAME",
        help: "Another name, where the old one is taken",
        parse: Values.name
    )

    static let create = Command(
        "branch create",
        "Make a branch of what another shows, now or in the past",
        positionals: [name],
        options: [from, expires, ifNotExists] + Common.authoring,
        discussion: [
            "It costs the same however much is in the branch, and however long ago the point is.",
            "With --if-not-exists a branch of that name is taken as it is where it was forked "
                + "from the same branch, and from the same record if a point is given; else that "
                + "is an error that says from what it was.",
        ],
        examples: [
            .init("oxbow branch create pr-1432 --from main --expires 7d", "a branch for a week"),
            .init("oxbow branch create rescue --from main@10m", "main as it was ten minutes ago"),
            .init(
                "oxbow branch create was --from main@2026-04-08T22:56:02Z --label ticket=1432",
                "main as it was at a time"
            ),
        ],
        keys: BranchDescription.keys("branch") + [
            .init("isNew", "whether it was made just now")
        ]
    ) { call in
        let (name, from) = (try call.value(name), try call.value(from))
        try call.withStore { store in
            func skip(_ there: Branch) throws {
                try tell(call, store, there, isNew: false) {
                    "\(name) is there, from \($0.from ?? "nothing")"
                }
            }
            if call[ifNotExists], let there = try existing(name, from, store) {
                return try skip(there)
            }
            let branch: Branch
            do { branch = try make(call, name, from, store) } catch {
                // Somebody else made it meanwhile.
                guard call[ifNotExists], let there = try existing(name, from, store) else {
                    throw error
                }
                return try skip(there)
            }
            try tell(call, store, branch, isNew: true) {
                "created branch \(name) from \($0.from ?? "nothing")"
            }
        }
    }

    private static func make(
        _ call: Invocation,
        _ name: String,
        _ from: BranchMoment,
        _ store: Store
    ) throws -> Branch {
        guard from.text == nil else {
            let point = try store.point(from)
            let made = try store.fork(name, from: point, expires: call[expires], by: call.author)
            call.environment.host?.madeOfPast(made)
            return made
        }
        let parent = try store.find(from.branch)
        guard let host = call.environment.host else {
            return try store.fork(name, from: parent, expires: call[expires], by: call.author)
        }
        return try host.fork(name, parent, call[expires], call.author)
    }

    /// The branch of a name, if it was made of what is asked for; nil where there is none.
    private static func existing(
        _ name: String,
        _ from: BranchMoment,
        _ store: Store
    ) throws -> Branch? {
        let branch: Branch
        do throws(OxbowError) { branch = try store.branch(name) } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
        let info = try branch.info()
        let parent = try store.findEvenDeleted(from.branch)
        let isSame =
            try info.parent == parent.id
            && (from.text == nil || info.origin == store.point(from).lsn)
        guard isSame else {
            let origin = try store.describe(branch).from.map { "from \($0)" } ?? "as the first"
            throw Failure("conflict", "branch \(name) exists already, and was made \(origin)")
        }
        return branch
    }

    static let rename = Command(
        "branch rename",
        "Give a branch another name",
        positionals: [Common.branch, newName],
        options: Common.authoring,
        discussion: ["Its id and its history stay, and branches forked from it do not notice."],
        examples: [.init("oxbow branch rename main production", "main is now called production")],
        keys: BranchDescription.keys("branch")
    ) { call in
        let newName = try call.value(newName)
        try change(call) { branch in
            let isDefault = try DefaultBranch.name(call) == branch.info().name
            try call.whileHeld(branch) { try branch.rename(to: newName, by: call.author) }
            if isDefault { try DefaultBranch.set(call, newName) }
        } tell: {
            "renamed \($0) to \(newName)"
        }
    }

    static let protect = Command(
        "branch protect",
        "Make a branch refuse to be reset or deleted",
        positionals: [Common.branch],
        options: [off] + Common.authoring,
        examples: [
            .init("oxbow branch protect main", "nobody resets main by mistake"),
            .init("oxbow branch protect main --off", "and now they can again"),
        ],
        keys: BranchDescription.keys("branch")
    ) { call in
        try change(call) { branch throws(OxbowError) in
            try branch.protect(!call[off], by: call.author)
        } tell: {
            call[off] ? "\($0) is no longer protected" : "\($0) is protected"
        }
    }

    static let expire = Command(
        "branch expire",
        "Say when a branch goes by itself",
        positionals: [Common.branch, when],
        options: Common.authoring,
        discussion: ["A branch that has expired is deleted, and can be undeleted like any other."],
        examples: [
            .init("oxbow branch expire pr-1432 2h", "two hours from now"),
            .init("oxbow branch expire pr-1432 never", "keep it"),
        ],
        keys: BranchDescription.keys("branch")
    ) { call in
        let expiry = try call.value(when)
        try change(call) { branch in
            if expiry != .never { try DefaultBranch.check(call, branch.info().name) }
            try branch.setExpiry(expiry, by: call.author)
        } tell: {
            expiry == .never ? "\($0) does not expire" : "\($0) has a new expiry"
        }
    }

    static let delete = Command(
        "branch delete",
        "Delete a branch",
        positionals: [Common.branch],
        options: Common.authoring,
        discussion: [
            "Branches forked from it stay. While its history is kept, it can be brought back: see "
                + "`oxbow help branch undelete`."
        ],
        examples: [.init("oxbow branch delete pr-1432", "it was merged")],
        keys: BranchDescription.keys("branch")
    ) { call in
        try change(call) { branch in
            try DefaultBranch.check(call, branch.info().name)
            try branch.unlessProtected(call) { () throws(OxbowError) in
                try branch.delete(by: call.author)
            }
        } tell: {
            "deleted \($0): `oxbow branch undelete \($0)` brings it back"
        }
    }

    static let undelete = Command(
        "branch undelete",
        "Bring a deleted branch back",
        positionals: [Common.branch],
        options: [newBranchName, expires] + Common.authoring,
        discussion: [
            "By its name the one deleted last is meant; `oxbow branch list --all` shows the ids of "
                + "others. It comes back without an expiry, unless told otherwise."
        ],
        examples: [
            .init("oxbow branch undelete pr-1432", "it was not merged after all"),
            .init("oxbow branch undelete B1A40 --as pr-1432-old", "the name is taken meanwhile"),
        ],
        keys: BranchDescription.keys("branch")
    ) { call in
        let reference = try call.value(Common.branch)
        try call.withStore { store in
            let id: BranchID
            switch reference {
            case .id(let known): id = known
            case .name(let name):
                guard let deleted = try store.lastDeleted(name), !deleted.isServersOwn else {
                    throw Failure(
                        "notFound",
                        "there is no deleted branch \(name): `oxbow branch list --all` shows those "
                            + "there are"
                    )
                }
                id = deleted.id
            }
            try store.undelete(
                id,
                as: call[newBranchName],
                expires: call[expires],
                by: call.author
            )
            try tell(call, store, store.branch(id)) { "\($0.info.name) is back" }
        }
    }

    /// Changes a branch, and tells what became of it.
    static func change(
        _ call: Invocation,
        _ body: (Branch) throws -> Void,
        tell line: (String) -> String
    ) throws {
        let reference = try call.value(Common.branch)
        try call.withStore { store in
            let branch = try store.find(reference)
            let name = try branch.info().name
            try body(branch)
            try tell(call, store, branch) { _ in line(name) }
        }
    }

    static func tell(
        _ call: Invocation,
        _ store: Store,
        _ branch: Branch,
        isNew: Bool? = nil,
        _ line: (BranchDescription) -> String
    ) throws {
        let description = try store.describe(branch)
        if call.wantsJSON {
            let more: [(String, JSON)] = isNew.map { [("isNew", .bool($0))] } ?? []
            try call.output.json(.object([("branch", description.json)] + more))
        } else {
            try call.output.line(line(description))
        }
    }
}
