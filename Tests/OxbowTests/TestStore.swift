import DiskIO
import Oxbow
import Primitives
import Simulation

/// A store on a simulated disk, with small pages and segments and next to no caches, that takes no
/// step by itself.
struct TestStore {
    static let table = ObjectID(1)

    var disk: SimulatedDisk
    let clock: SimulatedClock
    var store: Store

    static var options: StoreOptions {
        var options = StoreOptions()
        options.upkeep = .manual
        options.pageSize = 512
        options.segmentBits = 16
        options.cacheBytes = 0
        return options
    }

    init(
        seed: UInt64 = 1,
        clock: SimulatedClock? = nil,
        _ options: StoreOptions = Self.options
    )
        throws
    {
        disk = SimulatedDisk(seed: seed)
        self.clock = clock ?? SimulatedClock(seed: seed)
        store = try Self.open(disk, self.clock, options)
    }

    static func open(
        _ disk: any Disk,
        _ clock: any DiskIO.Clock,
        _ options: StoreOptions = Self.options
    ) throws -> Store {
        var random = SeededRandom(seed: clock.monotonic())
        return try Store.open(disk, clock, options, entropy: Entropy { random.next() })
    }

    /// Loses power and opens what is left.
    mutating func crash(
        _ model: CrashModel = CrashModel(.everythingLost),
        meanwhile: () -> Void = {}
    ) throws {
        disk = disk.crash(model)
        meanwhile()
        store = try Self.open(disk, clock)
    }

    /// Closes the store and opens it again, with all caches empty.
    mutating func reopen(meanwhile: () -> Void = {}) throws {
        try store.close()
        disk = disk.kill()
        meanwhile()
        store = try Self.open(disk, clock)
    }

    /// A page that does not compress, and that tells of which content it is.
    static func page(_ content: Int) -> [UInt8] {
        if content == 0 { return Array(repeating: 0, count: 512) }
        var random = SeededRandom(seed: UInt64(content))
        return (0..<64).flatMap { _ in
            withUnsafeBytes(of: random.next().littleEndian) { [UInt8]($0) }
        }
    }
}

extension Edit {
    /// Writes pages of the test's table, or deletes those whose content is 0.
    func write(_ pages: [Int: Int]) throws {
        for (number, content) in pages.sorted(by: { $0.key < $1.key }) {
            let page = PageNumber(UInt64(number))
            if content == 0 {
                try delete(page: page, of: TestStore.table)
            } else {
                try write(TestStore.page(content), page: page, of: TestStore.table)
            }
        }
    }

    func delete(_ pages: Range<Int>) throws {
        let (from, end) = (UInt64(pages.lowerBound), UInt64(pages.upperBound))
        try delete(pages: PageNumber(from), upTo: PageNumber(end), of: TestStore.table)
    }
}

extension Branch {
    @discardableResult
    func write(_ pages: [Int: Int], _ durability: Durability = .buffered) throws -> Commit {
        try commit(durability) { try $0.write(pages) }
    }

    /// The first page that does not hold what it must, if any.
    func difference(from pages: [Int: Int]) throws -> String? {
        for (number, content) in pages.sorted(by: { $0.key < $1.key }) {
            let page = PageNumber(UInt64(number))
            if try read(page: page, of: TestStore.table) != TestStore.page(content) {
                return "page \(number) is not of content \(content)"
            }
        }
        return nil
    }
}

extension View {
    /// The first page that does not hold what it must, if any; and which pages there are.
    func difference(from pages: [Int: Int]) throws -> String? {
        var listed: [Int] = []
        try visitPages(of: TestStore.table) { page in
            listed.append(Int(page.rawValue))
            return true
        }
        let expected = pages.filter { $0.value != 0 }.keys.sorted()
        if listed != expected { return "pages \(listed) instead of \(expected)" }
        for (number, content) in pages.sorted(by: { $0.key < $1.key }) {
            let page = PageNumber(UInt64(number))
            if try read(page: page, of: TestStore.table) != TestStore.page(content) {
                return "page \(number) is not of content \(content)"
            }
        }
        return nil
    }
}

/// The kind of error that a call throws; nil where it throws none.
func kind(of body: () throws -> Void) -> OxbowError.Kind? {
    do { try body() } catch { return (error as? OxbowError)?.kind }
    return nil
}
