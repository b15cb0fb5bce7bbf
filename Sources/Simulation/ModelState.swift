import Oxbow
import Primitives

/// When a branch goes by itself, as far as the model can know.
enum ModelExpiry: Equatable, Sendable {
    case never
    case at(LogTime)
    /// So long after a moment at which the store looked at its clock.
    case within(ClosedRange<LogTime>)

    func admits(_ moment: LogTime?) -> Bool {
        switch self {
        case .never: moment == nil
        case .at(let time): moment == time
        case .within(let range): moment.map { range.contains($0) } ?? false
        }
    }
}

/// What was done with a branch.
struct ModelEvent: Equatable, Sendable {
    let action: String
    let detail: String
    let author: Author
}

struct ModelBranch: Sendable {
    let id: BranchID
    var name: String
    var author: Author
    let created: LogTime
    let parent: BranchID?
    let origin: LSN?
    var head: LineNode
    var shown: ShownNode
    /// The records by which it was reset.
    var resets: [ModelMark] = []
    var isProtected = false
    var expiry = ModelExpiry.never
    var death: ModelMark?
    var events: [ModelEvent] = []

    var isAlive: Bool { death == nil }
    /// What the branch showed just before its last reset; nil where it never was.
    var shownBeforeReset: LineNode? {
        guard let reset = resets.last else { return nil }
        return shown.last { $0.lsn < reset.lsn }.found?.line
    }
    var pages: ModelPages { head.pages }
}

struct ModelSnapshot: Sendable {
    let name: String
    let branch: BranchID
    let point: LineNode
    let author: Author
    let created: LogTime
}

/// The store as it should be at one moment. A value: a copy of it is the store at that moment.
struct ModelState: Sendable {
    /// By id, so in the order in which they were made. Branches never go, they are only deleted.
    private(set) var branches: [ModelBranch] = []
    private(set) var snapshots: [ModelSnapshot] = []

    init(main: ModelBranch) { branches = [main] }

    private func index(_ id: BranchID) -> Int? {
        var low = 0
        var high = branches.count
        while low < high {
            let middle = (low + high) / 2
            if branches[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < branches.count && branches[low].id == id ? low : nil
    }

    subscript(id: BranchID) -> ModelBranch? { index(id).map { branches[$0] } }

    var living: [ModelBranch] { branches.filter(\.isAlive) }
    var dead: [ModelBranch] { branches.filter { !$0.isAlive } }

    func snapshot(_ name: String) -> ModelSnapshot? { snapshots.first { $0.name == name } }

    func isTaken(_ name: String) -> Bool {
        snapshot(name) != nil || branches.contains { $0.isAlive && $0.name == name }
    }

    /// Takes over what the model could not know and a store was seen to have made of it.
    mutating func learn(_ infos: [BranchInfo]) {
        for info in infos {
            guard let place = index(info.id), case .within = branches[place].expiry else {
                continue
            }
            branches[place].expiry = info.expires.map { .at($0) } ?? .never
        }
    }
}

/// A change that one record makes.
enum ModelChange: Sendable {
    case commit(BranchID, ModelPages)
    case create(String, parent: BranchID, from: LineNode, ModelExpiry, Author)
    case delete(BranchID, Author)
    case undelete(BranchID, String, ModelExpiry, Author)
    case rename(BranchID, String, Author)
    case handOver(BranchID, String, ModelExpiry, Author)
    case protect(BranchID, Bool, Author)
    case expire(BranchID, ModelExpiry, Author)
    case window(BranchID, Author)
    case reset(BranchID, to: LineNode, Author)
    case createSnapshot(String, BranchID, of: LineNode, Author)
    case deleteSnapshot(String)

    /// The branch in whose events the change's record is the last one.
    var eventBranch: BranchID? {
        switch self {
        case .delete(let id, _), .undelete(let id, _, _, _), .rename(let id, _, _),
            .handOver(let id, _, _, _),
            .protect(let id, _, _), .expire(let id, _, _), .window(let id, _), .reset(let id, _, _),
            .createSnapshot(_, let id, _, _):
            id
        case .commit, .create, .deleteSnapshot: nil
        }
    }
}

extension ModelState {
    mutating func apply(_ change: ModelChange, _ mark: ModelMark) {
        switch change {
        case .commit(let id, let pages):
            update(id) { branch in
                let line = LineNode(mark, branch.head.timeline, pages, after: branch.head)
                branch.head = line
                branch.shown = ShownNode(line, after: branch.shown)
            }
        case .create(let name, let parent, let from, let expiry, let author):
            create(name, parent, from, expiry, author, mark)
        case .delete(let id, let author):
            update(id, "deleted", "", author) {
                $0.death = mark
                $0.expiry = .never
            }
        case .undelete(let id, let name, let expiry, let author):
            update(id, "undeleted", name, author) {
                $0.death = nil
                $0.name = name
                $0.expiry = expiry
            }
        case .rename(let id, let name, let author):
            update(id, "renamed", name, author) { $0.name = name }
        case .handOver(let id, let name, let expiry, let author):
            update(id, "handed over", name, author) {
                $0.name = name
                $0.author = author
                $0.expiry = expiry
                let birth = $0.events.removeFirst()
                $0.events.insert(
                    ModelEvent(action: birth.action, detail: birth.detail, author: author),
                    at: 0
                )
            }
        case .protect(let id, let isProtected, let author):
            let action = isProtected ? "protected" : "unprotected"
            update(id, action, "", author) { $0.isProtected = isProtected }
        case .expire(let id, let expiry, let author):
            update(id, "expiry", "", author) { $0.expiry = expiry }
        case .window(let id, let author): update(id, "window", "", author) { _ in }
        case .reset(let id, let point, let author):
            let isUndo = self[id]?.shownBeforeReset?.mark == point.mark
            update(id, isUndo ? "undo" : "reset", "to \(point.mark.lsn)", author) { branch in
                let line = LineNode(mark, TimelineID(mark.lsn), point.pages, after: point)
                branch.head = line
                branch.shown = ShownNode(line, after: branch.shown)
                branch.resets.append(mark)
            }
        case .createSnapshot(let name, let branch, let point, let author):
            update(branch, "snapshot", "\(name) of \(point.mark.lsn)", author) { _ in }
            snapshots.append(
                ModelSnapshot(
                    name: name,
                    branch: branch,
                    point: point,
                    author: author,
                    created: mark.time
                )
            )
        case .deleteSnapshot(let name): snapshots.removeAll { $0.name == name }
        }
    }

    private mutating func update(
        _ id: BranchID,
        _ action: String? = nil,
        _ detail: String = "",
        _ author: Author = Author(),
        _ body: (inout ModelBranch) -> Void
    ) {
        guard let place = index(id) else {
            invariant(false, "the model has no branch \(id)")
            return
        }
        body(&branches[place])
        guard let action else { return }
        branches[place].events.append(ModelEvent(action: action, detail: detail, author: author))
    }

    private mutating func create(
        _ name: String,
        _ parent: BranchID,
        _ from: LineNode,
        _ expiry: ModelExpiry,
        _ author: Author,
        _ mark: ModelMark
    ) {
        let line = LineNode(mark, TimelineID(mark.lsn), from.pages, after: from)
        branches.append(
            ModelBranch(
                id: BranchID(mark.lsn),
                name: name,
                author: author,
                created: mark.time,
                parent: parent,
                origin: from.mark.lsn,
                head: line,
                shown: ShownNode.ancestry(of: line),
                expiry: expiry,
                events: [
                    ModelEvent(action: "created", detail: "from \(from.mark.lsn)", author: author)
                ]
            )
        )
    }
}
