import Oxbow
import Primitives
import Simulation
import Testing

/// What a commit in the making shows, and what is left of it: small, and so large that it goes to
/// the log in pieces.
@Suite struct EditTests {
    struct Refusal: Error {}

    /// Pages enough for several pieces of the log.
    static let many = 200

    private func filled(_ first: Int) -> [Int: Int] {
        Dictionary(uniqueKeysWithValues: (0..<Self.many).map { ($0, first + $0) })
    }

    @Test(arguments: [false, true])
    func `a commit sees its own writes and deletions`(isLarge: Bool) throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1, 2: 2, 3: 3, 300: 9])
        try main.commit { edit in
            func expect(_ page: UInt64, _ content: Int, _ place: Int = #line) throws {
                let bytes = try edit.read(page: PageNumber(page), of: TestStore.table)
                #expect(bytes == TestStore.page(content), "line \(place)")
            }
            try edit.write([1: 10])
            try expect(1, 10)
            try expect(2, 2)
            try edit.delete(2..<3)
            try expect(2, 0)
            try edit.delete(page: 300, of: TestStore.table)
            if isLarge { try edit.write(filled(1000).filter { $0.key > 3 }) }
            try expect(1, 10)
            try expect(2, 0)
            try expect(3, 3)
            try expect(300, 0)
            try edit.write([2: 11])
            try expect(2, 11)
            if isLarge { try expect(100, 1100) }
        }
        #expect(try main.difference(from: [1: 10, 2: 11, 3: 3, 300: 0]) == nil)
    }

    @Test(arguments: [false, true])
    func `a commit whose body throws leaves nothing`(isLarge: Bool) throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1])
        #expect(throws: Refusal.self) {
            try main.commit { edit in
                try edit.write(isLarge ? filled(1000) : [1: 2])
                throw Refusal()
            }
        }
        #expect(try main.view().difference(from: [1: 1]) == nil)
        try main.write([3: 3], .synced)
        try test.crash()
        let view = try test.store.branch("main").view()
        #expect(try view.difference(from: [1: 1, 3: 3]) == nil)
    }

    @Test(arguments: [false, true])
    func `small and large commits take effect in their order`(withCheckpoint: Bool) throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        var pages = filled(1)
        var shown: [(Point, [Int: Int])] = []
        func note() throws { shown.append((try main.point(at: .head), pages)) }
        try main.write(pages)
        try note()
        try main.write([5: 5001, 250: 5002])
        pages.merge([5: 5001, 250: 5002]) { $1 }
        try note()
        if withCheckpoint { try test.store.checkpoint() }
        try main.write([6: 5003])
        // Ranges first, single pages deleted and written among many, and a rest at the end.
        try main.commit(.buffered) { edit in
            try edit.delete(0..<40)
            try edit.write([300: 5004])
            try edit.delete(page: 250, of: TestStore.table)
            try edit.write(filled(2000).filter { $0.key >= 20 && $0.key != 150 })
            try edit.delete(page: 150, of: TestStore.table)
            try edit.write(filled(3000).filter { $0.key >= 190 })
            try edit.write([0: 5005])
        }
        pages = filled(2000).filter { $0.key >= 20 }
        pages.merge(filled(3000).filter { $0.key >= 190 }) { $1 }
        for page in 1..<20 { pages[page] = 0 }
        pages.merge([0: 5005, 250: 0, 300: 5004, 150: 0]) { $1 }
        try note()
        try main.write([5: 5006, 250: 5007])
        pages.merge([5: 5006, 250: 5007]) { $1 }
        try note()
        for isReopened in [false, true] {
            if isReopened {
                try test.store.sync()
                try test.crash()
            }
            let main = try test.store.branch("main")
            #expect(try main.view().difference(from: pages) == nil)
            #expect(try main.difference(from: pages) == nil)
            for (point, pages) in shown {
                #expect(try main.view(at: point).difference(from: pages) == nil)
            }
        }
    }

    @Test func `a small commit that deletes and writes the same pages writes them`() throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1, 2: 2, 3: 3, 4: 4])
        try main.commit { edit in
            try edit.write([2: 20, 4: 40])
            try edit.delete(1..<4)
            try edit.write([3: 30])
        }
        let pages = [1: 0, 2: 0, 3: 30, 4: 40]
        #expect(try main.view().difference(from: pages) == nil)
        try test.crash()
        #expect(try test.store.branch("main").view().difference(from: pages) == nil)
    }
}
