import CrashWorkload
import Foundation
import Oxbow
import Testing

/// What holds a store against the promises finds where they were broken.
@Suite struct VerifyTests {
    @Test func `a whole store is said to be whole`() throws {
        let worker = try Worker()
        defer { worker.remove() }
        #expect(try worker.run(commits: 40).acknowledged == 40)
        let result = try worker.verifyApart(acknowledged: 40)
        #expect(result.said == "40 commits and 6 branches are whole\n")
        #expect(result.status == 0)
    }

    @Test func `a commit that is not there is said to be lost`() throws {
        let worker = try Worker()
        defer { worker.remove() }
        _ = try worker.run(commits: 40)
        let result = try worker.verifyApart(acknowledged: 41)
        #expect(result.said == "lost: 41 commits were durable, 40 are there\n")
        #expect(result.status == 1)
    }

    @Test func `a store that is not there is said to be lost`() throws {
        let worker = try Worker()
        defer { worker.remove() }
        let result = try worker.verifyApart(acknowledged: 1)
        #expect(result.said.hasPrefix("lost: 1 commits were durable: "))
        #expect(result.status == 1)
        #expect(!FileManager.default.fileExists(atPath: worker.folder))
    }

    @Test func `a branch that is not there is said to be lost`() throws {
        try expectHarm("lost: branch b16 was durable and is not there") { store in
            try store.branch("b16").delete()
        }
    }

    @Test func `a branch without its commits is said to be damaged`() throws {
        try expectHarm("damaged: branch b48 is there, and nothing of it after 40 commits") {
            try $0.fork("b48", from: $0.branch("main"))
        }
    }

    @Test func `pages that nobody wrote are said to be damaged`() throws {
        try expectHarm("damaged: b24: page 5 is not what commit ") { store in
            try store.branch("b24").commit { edit in
                try edit.write(CrashWorkload.page(99, 5), page: 5, of: CrashWorkload.table)
            }
        }
        try expectHarm("damaged: the counter says 99, and is not what that commit wrote") {
            try $0.branch("main").commit { edit in
                var bytes = CrashWorkload.page(40, 0)
                bytes[0] = 99
                try edit.write(bytes, page: 0, of: CrashWorkload.table)
            }
        }
    }

    /// Makes forty commits, breaks a promise, and expects that to be found.
    private func expectHarm(_ harm: String, _ breaking: (Store) throws -> Void) throws {
        let worker = try Worker()
        defer { worker.remove() }
        _ = try worker.run(commits: 40)
        // In a block: the folder is held for as long as there is a handle.
        do {
            let store = try Store.open(worker.folder, CrashWorkload.options)
            try breaking(store)
            try store.close()
        }
        let found = try worker.verify(acknowledged: 40)
        #expect(found.map { "\($0)".hasPrefix(harm) } == true, "\(String(describing: found))")
    }
}
