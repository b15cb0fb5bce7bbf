import Oxbow
import Primitives

extension StoreSimulation {
    /// Thrown by a commit's body that thinks better of it.
    private struct Refusal: Error {}

    func someBranch(where fits: (ModelBranch) -> Bool = { _ in true }) -> ModelBranch? {
        let branches = expected.current.living.filter(fits)
        return branches.isEmpty ? nil : branches[draw(branches.count)]
    }

    func handle(_ branch: ModelBranch) throws -> Branch { try opened.branch(branch.id) }

    func someKey() -> PageKey {
        let object = ObjectID(UInt64([1, 1, 1, 2, 3][draw(5)]))
        let page: UInt64 =
            switch draw(24) {
            case 0: UInt64.max - 1 - UInt64(draw(3))
            case 1, 2: 1 << 40 + UInt64(draw(8))
            case 3...8: UInt64(draw(400))
            default: UInt64(draw(32))
            }
        return PageKey(object: object, page: PageNumber(page))
    }

    func nextContent() -> PageContent {
        contentsMade += 1
        return PageContent(rawValue: contentsMade)
    }

    func commit(_ durability: Durability, changes: Int) throws {
        guard let branch = someBranch() else { return }
        let handle = try handle(branch)
        var pages = branch.pages
        let checkpoints = changes > 20 && random.oneIn(8)
        let commit = try handle.commit(durability) { edit in
            try fill(edit, changes, &pages)
            if checkpoints { try opened.checkpoint() }
            try fill(edit, draw(3), &pages)
            pending = [.commit(branch.id, pages)]
        }
        totals.commits += 1
        note("  \(branch.name) \(commit.lsn), \(changes) changes")
        try confirm(
            .commit(branch.id, pages),
            ModelMark(lsn: commit.lsn, time: commit.time)
        )
        if durability == .synced, opened.durableLSN <= commit.lsn {
            throw Divergence("a synced commit at \(commit.lsn) is not durable")
        }
    }

    /// A body that throws leaves nothing, however much of it was in the log already.
    func commitAndThrow() throws {
        guard let branch = someBranch() else { return }
        let handle = try handle(branch)
        var pages = branch.pages
        do {
            try handle.commit { edit in
                try fill(edit, random.oneIn(3) ? 60 + draw(80) : draw(5), &pages)
                throw Refusal()
            }
        } catch is Refusal {
            return try checkHead(branch, reads: 4)
        }
        throw Divergence("a commit was made though its body threw")
    }

    private func fill(_ edit: Edit, _ changes: Int, _ pages: inout ModelPages) throws {
        // A long run of neighbours now and then, as a bulk load makes.
        var run: PageKey?
        for _ in 0..<changes {
            let drawn = someKey()
            let key =
                run.map { PageKey(object: $0.object, page: PageNumber($0.page.rawValue + 1)) }
                ?? drawn
            run = changes > 20 && key.page < 1000 && !random.oneIn(10) ? key : nil
            try change(edit, key, &pages)
        }
    }

    private func change(_ edit: Edit, _ key: PageKey, _ pages: inout ModelPages) throws {
        switch draw(40) {
        case 0..<4:
            try edit.delete(page: key.page, of: key.object)
            pages[key] = nil
        case 4..<6:
            guard key.page.rawValue < 1 << 41 else { return }
            let end = PageNumber(key.page.rawValue + UInt64(draw(20)))
            try edit.delete(pages: key.page, upTo: end, of: key.object)
            pages.delete(key.object, key.page, upTo: end)
        case 6 where random.oneIn(6):
            try edit.delete(object: key.object)
            pages.delete(key.object, 0, upTo: PageNumber(.max))
        case 7..<11:
            try check(try edit.read(page: key.page, of: key.object), key, pages, "an edit")
        default:
            let content = nextContent()
            try edit.write(content.bytes(options.pageSize), page: key.page, of: key.object)
            pages[key] = content
        }
    }

    /// Compares a page with what the model knows of it.
    func check(
        _ bytes: [UInt8],
        _ key: PageKey,
        _ pages: ModelPages,
        _ what: @autoclosure () -> String
    ) throws {
        let isRight: Bool
        if let content = pages[key] {
            isRight = bytes == content.bytes(options.pageSize)
        } else {
            isRight = bytes.count == options.pageSize && bytes.allSatisfy { $0 == 0 }
        }
        guard isRight else {
            throw Divergence(
                "wrong bytes: \(key) of \(what()): expected "
                    + "\(pages[key].map { "content \($0.rawValue)" } ?? "zeros"), "
                    + "got \(bytes.prefix(16))"
            )
        }
    }
}
