import Foundation
import Oxbow
import Testing

@Suite struct StoreTests {
    static func page(_ store: Store, _ byte: UInt8) -> [UInt8] {
        Array(repeating: byte, count: store.pageSize)
    }

    @Test func `a page that was committed is read, others are zeros`() throws {
        let store = try Store.temporary()
        let main = try store.branch("main")
        let table = ObjectID(1)
        let commit = try main.commit { edit in
            try edit.write(Self.page(store, 7), page: 3, of: table)
        }
        #expect(try main.read(page: 3, of: table) == Self.page(store, 7))
        #expect(try main.read(page: 2, of: table) == Self.page(store, 0))
        #expect(store.durableLSN > commit.lsn)
    }

    @Test func `a fork shows what its parent showed, and each goes its own way`() throws {
        let store = try Store.temporary()
        let main = try store.branch("main")
        let table = ObjectID(1)
        try main.commit { try $0.write(Self.page(store, 1), page: 0, of: table) }
        let before = try main.point(at: .head)
        let pr = try store.fork("pr-1", from: main)
        try pr.commit { try $0.write(Self.page(store, 2), page: 0, of: table) }
        try main.commit { try $0.write(Self.page(store, 3), page: 0, of: table) }
        let rescue = try store.fork("rescue", from: before)
        #expect(try main.read(page: 0, of: table).first == 3)
        #expect(try pr.read(page: 0, of: table).first == 2)
        #expect(try rescue.read(page: 0, of: table).first == 1)
        #expect(try main.view(at: before).read(page: 0, of: table).first == 1)
        try main.reset(to: before)
        #expect(try main.read(page: 0, of: table).first == 1)
        try main.undo()
        #expect(try main.read(page: 0, of: table).first == 3)
        try pr.delete()
        #expect(throws: OxbowError.self) { try pr.read(page: 0, of: table) }
        try store.undelete(pr.id)
        #expect(try pr.read(page: 0, of: table).first == 2)
        #expect(try store.branches().map(\.name) == ["main", "pr-1", "rescue"])
    }

    @Test(arguments: [false, true])
    func `what was committed is there after reopening`(withCheckpoint: Bool) throws {
        let folder = "/tmp/oxbow-test-\(UInt64.random(in: 0 ..< .max))"
        defer { _ = try? removeFolder(folder) }
        let table = ObjectID(9)
        var points: [Point] = []
        do {
            let store = try Store.open(folder)
            let main = try store.branch("main")
            for round in 0..<20 {
                try main.commit(.buffered) { edit in
                    for page in 0..<50 {
                        try edit.write(
                            Self.page(store, UInt8(round)),
                            page: PageNumber(UInt64(page * (round % 3 + 1))),
                            of: table
                        )
                    }
                    if round == 10 { try edit.delete(pages: 5, upTo: 10, of: table) }
                }
                points.append(try main.point(at: .head))
                if round == 7, withCheckpoint { try store.checkpoint() }
                try store.fork("b\(round)", from: main)
            }
            try store.close()
        }
        let store = try Store.open(folder)
        let main = try store.branch("main")
        #expect(try main.read(page: 1, of: table).first == 18)
        for (round, point) in points.enumerated() {
            let view = try main.view(at: point)
            #expect(try view.read(page: 0, of: table).first == UInt8(round))
            #expect(try main.point(at: .time(point.time)).lsn == point.lsn)
            let branch = try store.branch("b\(round)")
            #expect(try branch.read(page: 0, of: table).first == UInt8(round))
        }
        #expect(try main.view(at: points[10]).read(page: 6, of: table).first == 0)
        #expect(try main.history(limit: 1000).count == 21)
        #expect(try main.history(from: .oldest, limit: 1000).count == 21)
    }

    @Test(arguments: [false, true])
    func `what a large commit wrote before it is no moment of the branch`(sealed: Bool) throws {
        let store = try Store.temporary(limit: 64 << 20, ReclaimTests.options())
        let main = try store.branch("main")
        let table = ObjectID(1)
        let small = try main.commit { edit in
            try edit.write(ReclaimTests.page(1), page: 0, of: table)
        }
        let large = try main.commit { edit in
            for page in 0..<400 {
                try edit.write(ReclaimTests.page(page), page: PageNumber(UInt64(page)), of: table)
            }
        }
        for _ in 0..<(sealed ? 3 : 0) {
            try main.commit { edit in
                for page in 0..<400 {
                    try edit.write(ReclaimTests.page(page), page: 0, of: ObjectID(2 + UInt64(page)))
                }
            }
            try store.step()
        }
        let oldest = try main.history(from: .oldest, limit: 10).map(\.lsn)
        #expect(oldest.count == (sealed ? 6 : 3))
        #expect(Array(oldest[1...2]) == [small.lsn, large.lsn])
        let newest = try main.history(limit: 10).map(\.lsn)
        #expect(newest == oldest.reversed())
        let before = LSN(rawValue: large.lsn.rawValue - 1)
        #expect(try main.point(at: .lsn(before)).lsn == small.lsn)
        #expect(try main.point(at: .lsn(small.lsn)).next?.lsn == large.lsn)
    }
}

func removeFolder(_ path: String) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: path) {
        try FileManager.default.removeItem(atPath: path + "/" + name)
    }
    try FileManager.default.removeItem(atPath: path)
}
