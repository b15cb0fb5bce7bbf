import Oxbow
import Primitives

/// What a store shows, one line a page: what the engine, the witness and a saved list are compared
/// by.
enum Listing {
    static func line(_ place: Place, _ bytes: [UInt8]) -> String {
        let digits = String(Checksum.of(bytes), radix: 16)
        let padded = String(repeating: "0", count: 16 - digits.count) + digits
        return "\(place.object) \(place.page) \(padded)"
    }

    /// What a branch must show.
    static func of(_ pages: Pages, pageSize: Int) -> [String] {
        pages.sorted {
            ($0.key.object, $0.key.page) < ($1.key.object, $1.key.page)
        }.map { line($0.key, Story.bytes($0.value, pageSize)) }
    }

    /// What a branch does show.
    static func of(_ branch: Branch) throws -> [String] {
        let view = try branch.view()
        var places: [Place] = []
        for object in (1...3).map({ ObjectID(UInt64($0)) }) {
            try view.visitPages(of: object) { page in
                places.append(Place(object: object, page: page))
                return true
            }
        }
        return try places.map { line($0, try view.read(page: $0.page, of: $0.object)) }
    }

    /// What every branch of a store shows, each line with the branch's name before it.
    static func of(_ store: Store) throws -> [String] {
        try store.branches().sorted { $0.name < $1.name }.flatMap { info in
            ["branch \(info.name)"] + (try of(store.branch(info.id)))
        }
    }
}
