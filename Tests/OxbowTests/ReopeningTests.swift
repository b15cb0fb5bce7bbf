import Foundation
import Oxbow
import Testing

/// What opening and closing a store leaves behind.
@Suite struct ReopeningTests {
    @Test func `opening a store to read it leaves no file behind`() throws {
        let folder = NSTemporaryDirectory() + "oxbow-reopen-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let page = [UInt8](repeating: 7, count: 8192)
        do {
            let store = try Store.open(folder)
            try store.branch("main").commit { try $0.write(page, page: 0, of: ObjectID(1)) }
            try store.close()
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        for _ in 0..<5 {
            let store = try Store.open(folder)
            #expect(try store.branch("main").read(page: 0, of: ObjectID(1)) == page)
            try store.close()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == files)
        let store = try Store.open(folder)
        try store.branch("main").commit { try $0.write(page, page: 1, of: ObjectID(1)) }
        #expect(try store.check().problems == [])
        try store.close()
    }
}
