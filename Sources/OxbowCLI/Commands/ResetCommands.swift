import Oxbow

/// `oxbow branch reset` and `oxbow branch undo`.
enum ResetCommands {
    private static let target = Option(
        "to",
        "POINT",
        isRequired: true,
        help: "A moment of the branch, or BRANCH@POINT of another",
        parse: Values.resetTarget
    )

    static let reset = Command(
        "branch reset",
        "Put a branch back to a point",
        positionals: [Common.branch],
        options: [target] + Common.authoring,
        discussion: [
            "Nothing is lost: what the branch showed since stays in its history, and `oxbow branch "
                + "undo` goes back to it."
        ],
        examples: [
            .init("oxbow branch reset main --to 10m", "as it was ten minutes ago"),
            .init("oxbow branch reset main --to before-migration", "as a snapshot holds it"),
            .init("oxbow branch reset staging --to main@head", "as another branch is now"),
        ],
        keys: BranchDescription.keys("branch")
    ) { call in
        let reference = try call.value(Common.branch)
        let target = try call.value(target)
        try call.withStore { store in
            let (branch, point) = try reset(call, store, reference, target)
            try BranchChanges.tell(call, store, branch) {
                "\($0.info.name) shows what stood at \(point.lsn) (\(Text.time(point.time))): "
                    + "`oxbow branch undo \($0.info.name)` goes back"
            }
        }
    }

    static func reset(
        _ call: Invocation,
        _ store: Store,
        _ reference: BranchReference,
        _ target: ResetTarget
    ) throws -> (Branch, Point) {
        let branch = try store.find(reference)
        let point: Point
        switch target {
        case .own(let moment):
            let asked = BranchMoment(branch: reference, moment: moment, text: nil)
            point = try store.point(asked)
        case .other(let asked): point = try store.point(asked)
        }
        try call.environment.host?.checkReset(branch, point)
        try branch.unlessProtected(call) { () throws(OxbowError) in
            try branch.reset(to: point, by: call.author)
        }
        return (branch, point)
    }

    static let undo = Command(
        "branch undo",
        "Undo the last reset of a branch",
        positionals: [Common.branch],
        options: Common.authoring,
        discussion: ["An undo is a reset too: undoing it once more does the reset again."],
        examples: [.init("oxbow branch undo main", "the reset was a mistake")],
        keys: BranchDescription.keys("branch")
    ) { call in
        try BranchChanges.change(call) { branch in
            try branch.unlessProtected(call) { () throws(OxbowError) in
                try branch.undo(by: call.author)
            }
        } tell: {
            "\($0) shows what it showed before its last reset"
        }
    }
}
