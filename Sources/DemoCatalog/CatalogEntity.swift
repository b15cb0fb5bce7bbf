import Primitives

/// Something that the catalog knows: a component, the group that owns it, an API. All of it is a
/// function of the seed and the number.
struct CatalogEntity {
    let number: Int
    let id: [UInt8]
    let name: String
    let kind: Kind
    private let generator: CatalogGenerator
    private let drawn: UInt64

    enum Kind: String, CaseIterable {
        case group = "Group"
        case system = "System"
        case component = "Component"
        case api = "API"
        case resource = "Resource"
        case user = "User"

        var lowercased: String { rawValue.lowercased() }
    }

    /// Of each twenty: who owns, what belongs together, and the rest.
    private static let kinds: [Kind] = [
        .group, .system, .component, .component, .api, .component, .component, .resource,
        .component, .api, .component, .component, .user, .component, .resource, .component, .api,
        .component, .user, .component,
    ]

    /// How many rows of `relations` and `search` an entity has.
    static let relationCount = 6
    static let searchCount = 14

    init(_ number: Int, of generator: CatalogGenerator) {
        self.number = number
        self.generator = generator
        kind = Self.kinds[number % Self.kinds.count]
        var random = generator.draws(99, number)
        id = Self.identifier(&random)
        let words = Vocabulary.nouns
        let first = words[random.below(words.count)]
        name = "\(first)-\(words[random.below(words.count)])-\(number)"
        drawn = random.next()
    }

    /// How others refer to it.
    var ref: String { "\(kind.lowercased):default/\(name)" }

    var owner: CatalogEntity { another(of: 0, drawn) }
    var system: CatalogEntity { another(of: 1, drawn >> 16) }

    /// Any entity, drawn from those that there are.
    func other(_ random: inout SeededRandom) -> CatalogEntity {
        generator.entity(random.below(generator.entityCount))
    }

    /// One whose place among twenty is this.
    private func another(of place: Int, _ drawn: UInt64) -> CatalogEntity {
        let groups = max(generator.entityCount / Self.kinds.count, 1)
        return generator.entity(Int(drawn % UInt64(groups)) * Self.kinds.count + place)
    }

    var type: String { Vocabulary.types[Int(drawn >> 33) % Vocabulary.types.count] }
    var lifecycle: String { Vocabulary.lifecycles[Int(drawn >> 40) % Vocabulary.lifecycles.count] }

    var target: String { "https://git.example.org/\(name)/blob/main/catalog-info.yaml" }

    /// Sixteen random bytes as a UUID is written.
    static func identifier(_ random: inout SeededRandom) -> [UInt8] {
        var buffer = RowBuffer()
        let (high, low) = (random.next(), random.next())
        buffer.appendHexadecimal(high >> 32, digits: 8)
        buffer.append("-")
        buffer.appendHexadecimal(high >> 16, digits: 4)
        buffer.append("-4")
        buffer.appendHexadecimal(high, digits: 3)
        buffer.append("-a")
        buffer.appendHexadecimal(low >> 48, digits: 3)
        buffer.append("-")
        buffer.appendHexadecimal(low, digits: 12)
        return buffer.bytes
    }

    static func hash(_ random: inout SeededRandom) -> [UInt8] {
        var buffer = RowBuffer()
        for digits in [16, 16, 8] { buffer.appendHexadecimal(random.next(), digits: digits) }
        return buffer.bytes
    }

    // MARK: JSON

    /// The entity as it is written: as it was found, or processed, with what relates it.
    func appendJSON(_ row: inout RowBuffer, isProcessed: Bool) {
        // The same draws for both, since one is made of the other.
        var random = generator.draws(98, number)
        row.append("{\"apiVersion\":\"backstage.io/v1alpha1\",\"kind\":\"\(kind.rawValue)\",")
        row.append("\"metadata\":{\"namespace\":\"default\",\"name\":\"\(name)\",")
        if isProcessed {
            row.append("\"uid\":\"")
            row.append(id)
            row.append("\",\"etag\":\"")
            row.append(Self.hash(&random))
            row.append("\",")
        } else {
            _ = Self.hash(&random)
        }
        row.append("\"description\":\"")
        Vocabulary.appendSentence(&row, of: 14 + random.below(14), &random)
        row.append("\",\"annotations\":{\"backstage.io/managed-by-location\":\"url:\(target)\",")
        row.append("\"backstage.io/managed-by-origin-location\":\"url:\(target)\",")
        row.append("\"backstage.io/techdocs-ref\":\"dir:.\",\"pager/integration-key\":\"")
        row.append(Self.hash(&random))
        row.append("\"},")
        appendLinks(&row, &random)
        row.append("},\"spec\":{\"type\":\"\(type)\",\"lifecycle\":\"\(lifecycle)\",")
        row.append("\"owner\":\"\(owner.name)\",\"system\":\"\(system.name)\"}")
        if isProcessed { appendRelations(&row) }
        row.append("}")
    }

    private func appendLinks(_ row: inout RowBuffer, _ random: inout SeededRandom) {
        row.append("\"tags\":[\"\(tag(0))\",\"\(tag(1))\",\"\(tag(2))\"],\"links\":[")
        for link in 0..<3 {
            row.append(link == 0 ? "" : ",")
            let host = Vocabulary.nouns[random.below(Vocabulary.nouns.count)]
            row.append("{\"url\":\"https://\(host).example.org/\(name)\",\"title\":\"")
            Vocabulary.appendSentence(&row, of: 3, &random)
            row.append("\",\"icon\":\"dashboard\"}")
        }
        row.append("]")
    }

    private func appendRelations(_ row: inout RowBuffer) {
        row.append(",\"relations\":[{\"type\":\"ownedBy\",\"targetRef\":\"\(owner.ref)\"},")
        row.append("{\"type\":\"partOf\",\"targetRef\":\"\(system.ref)\"}]")
    }

    func tag(_ place: Int) -> String {
        Vocabulary.nouns[Int(drawn >> (8 * UInt64(place)) & 0xFFFF_FFFF) % Vocabulary.nouns.count]
    }
}
