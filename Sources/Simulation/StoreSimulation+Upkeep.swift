import Oxbow
import Primitives

extension StoreSimulation {
    func checkpoint() throws {
        try opened.checkpoint()
        model?.noteAllDurable()
    }

    /// Takes the steps that are due, among them the deletion of what has expired.
    func step() throws {
        let now = max(latestClock, expected.lastTime).advanced(by: .milliseconds(1))
        let due = expected.current.living.compactMap { branch -> (LogTime, BranchID)? in
            guard case .at(let moment) = branch.expiry, moment <= now else { return nil }
            return (moment, branch.id)
        }.sorted { $0 < $1 }
        pending = due.map { .delete($0.1, Author("expiry")) }
        for _ in 0..<1 + draw(3) { try opened.step() }
        if !pending.isEmpty { try settlePending() }
    }

    func reclaim() throws {
        let report = try opened.reclaim()
        totals.reclaims += 1
        note("  \(report)")
        model?.noteAllDurable()
        fold(report.freedBytes)
    }

    /// A store on an honest disk has nothing wrong with it.
    func checkStore() throws {
        let report = try opened.check()
        collectFaults()
        guard report.isSound || hasLied || mayFail else {
            throw Divergence("the check finds \(report.problems)")
        }
    }

    func measure() throws {
        let usage = try opened.usage()
        guard usage.branches.count == expected.current.living.count else {
            throw Divergence("the usage of \(usage.branches.count) branches")
        }
    }

    func close() throws {
        views = []
        try opened.close()
        model?.noteAllDurable()
        try expectRefusal(.reopen) { _ = try opened.checkpoint() }
        totals.closes += 1
        throw LifeOver()
    }

    func readHead() throws {
        guard let branch = someBranch() else { return }
        try checkHead(branch, reads: 8)
    }

    /// Compares what a branch shows now: its pages' numbers, and some of their bytes.
    func checkHead(_ branch: ModelBranch, reads: Int) throws {
        guard let branch = expected.current[branch.id] else { return }
        let handle = try handle(branch)
        let view = try handle.view()
        try check(view, branch.pages, reads: 1, "the head of \(branch.name)")
        let keys = branch.pages.keys
        for _ in 0..<reads {
            let key = keys.isEmpty || random.oneIn(5) ? someKey() : keys[draw(keys.count)]
            let bytes = try handle.read(page: key.page, of: key.object)
            try check(bytes, key, branch.pages, branch.name)
        }
    }

    /// Calls that are outside of what is allowed, which must be refused and leave nothing.
    func tryInvalid() throws {
        guard let branch = someBranch() else { return }
        let handle = try handle(branch)
        let object = ObjectID(1)
        switch draw(9) {
        case 0:
            let bad = ["", "Upper", "1st", "dash-", "sp ace", String(repeating: "n", count: 64)]
            let name = bad[draw(bad.count)]
            try expectRefusal(.invalid) { _ = try opened.fork(name, from: handle) }
            try expectRefusal(.invalid) { try handle.rename(to: name) }
            try expectRefusal(.invalid) { _ = try opened.branch(name) }
        case 1:
            try expectRefusal(.invalid) {
                try handle.commit { edit in
                    try edit.write(nextContent().bytes(options.pageSize), page: 0, of: object)
                    try edit.write([1, 2, 3], page: 1, of: object)
                }
            }
        case 2: try expectRefusal(.conflict) { _ = try opened.fork(branch.name, from: handle) }
        case 3:
            guard let dead = expected.current.dead.first else { return }
            let gone = try opened.branch(dead.id)
            try expectRefusal(.notFound) { _ = try gone.read(page: 0, of: object) }
            try expectRefusal(.notFound) { try gone.commit { _ in } }
            try expectRefusal(.notFound) { try gone.delete() }
            try expectRefusal(.notFound) { try opened.fork("never", from: gone) }
        case 4: try expectRefusal(.notFound) { _ = try opened.branch("nobody") }
        case 5:
            try expectRefusal(.invalid) {
                try handle.commit { try $0.delete(pages: 5, upTo: 4, of: object) }
            }
            try expectRefusal(.invalid) {
                try handle.commit { _ = try $0.read(page: PageNumber(.max), of: object) }
            }
        case 6:
            try expectRefusal(.invalid) { _ = try handle.point(at: .ago(.seconds(-1))) }
            try expectRefusal(.notFound) { _ = try handle.point(at: .snapshot("nobody")) }
        case 7:
            let author = Author(String(repeating: "a", count: 200))
            try expectRefusal(.invalid) { try handle.protect(true, by: author) }
        default:
            try expectRefusal(.invalid) {
                try handle.commit { edit in
                    _ = try edit.read(page: 0, of: object)
                    try handle.commit { try $0.delete(page: 0, of: object) }
                }
            }
        }
    }
}
