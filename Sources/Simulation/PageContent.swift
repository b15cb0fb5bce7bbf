import Primitives

/// What a simulated page holds, as a number from which its bytes are made: so a model keeps eight
/// bytes for a page, and no two pages of a run are alike by chance.
struct PageContent: Hashable, Sendable {
    let rawValue: UInt64

    /// Every third one does not compress.
    private var isNoise: Bool { rawValue % 3 == 0 }

    func bytes(_ count: Int) -> [UInt8] {
        invariant(count % 8 == 0, "a page of \(count) bytes")
        var random = SeededRandom(seed: rawValue)
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            var word = rawValue
            for offset in stride(from: 0, to: count, by: 8) {
                if isNoise { word = random.next() }
                unsafe raw.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            }
            initialized = count
        }
    }
}

/// Where a page is.
struct PageKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    let object: ObjectID
    let page: PageNumber

    static func < (left: PageKey, right: PageKey) -> Bool {
        left.object == right.object ? left.page < right.page : left.object < right.object
    }

    var description: String { "page \(page) of object \(object)" }
}

/// All pages of a branch at one moment. Never iterated but in the order of its keys.
struct ModelPages: Sendable {
    private var contents: [PageKey: PageContent] = [:]

    var count: Int { contents.count }
    var keys: [PageKey] { contents.keys.sorted() }

    subscript(key: PageKey) -> PageContent? {
        get { contents[key] }
        set { contents[key] = newValue }
    }

    func pages(of object: ObjectID, from first: PageNumber) -> [PageNumber] {
        contents.keys.filter { $0.object == object && $0.page >= first }.map(\.page).sorted()
    }

    mutating func delete(_ object: ObjectID, _ from: PageNumber, upTo: PageNumber) {
        contents = contents.filter { key, _ in
            key.object != object || key.page < from || key.page >= upTo
        }
    }
}
