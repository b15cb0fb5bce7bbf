import Oxbow
import Primitives

/// What the benchmarks run in a process of its own.
enum ChildWork {
    static func run(_ words: [String]) throws -> Int32 {
        switch words.first {
        case "memory" where words.count == 5:
            guard let pages = Int(words[2]), let count = Int(words[3]), let seed = UInt64(words[4])
            else { break }
            try readAtRandom(words[1], pages, count, seed)
            return 0
        case "idle" where words.count == 3:
            guard let count = Int(words[2]) else { break }
            try lookUp(words[1], count)
            return 0
        default: break
        }
        throw BenchmarkError("no such work: \(words)")
    }

    private static func readAtRandom(
        _ folder: String,
        _ pages: Int,
        _ count: Int,
        _ seed: UInt64
    ) throws {
        let store = try Stores.open(folder)
        let main = try store.branch("main")
        let buffer = PageBuffer(store.pageSize)
        var random = SeededRandom(seed: seed)
        var highest = 0.0
        for index in 0..<count {
            let number = UInt64(random.below(pages))
            try main.read(page: PageNumber(number), of: Stores.table, into: buffer.bytes)
            try Stores.check(UnsafeRawBufferPointer(buffer.bytes), number)
            if index % 1_000 == 999 || index + 1 == count {
                highest = max(highest, try Child.anonymousBytes())
            }
        }
        print("anonymous \(Int(highest))")
        try store.close()
    }

    private static func lookUp(_ folder: String, _ count: Int) throws {
        let store = try Stores.open(folder)
        for index in 1...count { _ = try store.branch("b-\(index)").info() }
        print("anonymous \(Int(try Child.anonymousBytes()))")
        try store.close()
    }
}
