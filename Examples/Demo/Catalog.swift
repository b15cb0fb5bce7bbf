import Oxbow

/// Makes the rows of a service catalog in the manner of Backstage: entities as JSON, what relates
/// them, and what makes them searchable. One seed gives one catalog.
struct Catalog {
    private var random: Generator
    private let pageSize: Int

    init(seed: UInt64, pageSize: Int) {
        random = Generator(state: seed)
        self.pageSize = pageSize
    }

    /// The number of rows in final_entities.
    static let finalEntityCount = 32

    /// All tables, packed into pages of about so many bytes together.
    mutating func make(bytes: Int) -> [(table: Table, packed: PagePacker)] {
        let pages = bytes / pageSize
        let final = fill(.finalEntities, count: Self.finalEntityCount) { $0.finalEntity($1) }
        let rest = pages - final.packed.pages.count
        return [
            fill(.refreshState, pages: rest * 58 / 100) { $0.refreshState($1) },
            final,
            fill(.relations, pages: rest * 14 / 100) { $0.relation($1) },
            fill(.search, pages: rest * 25 / 100) { $0.searchEntry($1) },
            fill(.locations, pages: rest - rest * 58 / 100 - rest * 14 / 100 - rest * 25 / 100) {
                $0.location($1)
            },
        ]
    }

    private mutating func fill(
        _ table: Table,
        count: Int = .max,
        pages: Int = .max,
        _ make: (inout Catalog, Int) -> Row
    ) -> (table: Table, packed: PagePacker) {
        var packer = PagePacker(pageSize: pageSize)
        while packer.rowCount < count, packer.pages.count < pages {
            packer.append(make(&self, packer.rowCount))
        }
        // What did not fill a page any more belongs to no table, where pages are counted.
        if pages == .max { packer.close() }
        return (table, packer)
    }

    private mutating func refreshState(_ number: Int) -> Row {
        let entity = entity(number)
        return [
            entity.id, entity.ref, entity.json, "null", "[]", moment(number), moment(number + 1800),
            "url:https://example.org/\(entity.name)/blob/main/catalog-info.yaml",
        ]
    }

    private mutating func finalEntity(_ number: Int) -> Row {
        let entity = entity(number)
        return [entity.id, random.hexadecimal(40), random.hexadecimal(32), entity.json]
    }

    private mutating func relation(_ number: Int) -> Row {
        let kinds = ["ownedBy", "partOf", "dependsOn", "providesApi", "consumesApi", "hasPart"]
        return [
            random.identifier(), ref(number / 6), kinds[number % 6],
            ref(random.below(4096)),
        ]
    }

    private mutating func searchEntry(_ number: Int) -> Row {
        let keys = [
            "kind", "metadata.name", "metadata.namespace", "spec.type", "spec.lifecycle",
            "spec.owner", "relations.ownedby", "metadata.annotations.backstage.io/orphan",
        ]
        let key = keys[number % keys.count]
        let value = key == "metadata.name" ? name(number / keys.count) : random.word()
        return [random.identifier(), key, value, value]
    }

    private mutating func location(_ number: Int) -> Row {
        let target = "https://example.org/\(name(number))/blob/main/catalog-info.yaml"
        return [random.identifier(), "url", target]
    }

    /// A row that production writes while the demo runs.
    mutating func lateLocation(_ number: Int) -> Row { location(100_000 + number) }

    private func name(_ number: Int) -> String {
        let parts = Words.all
        return
            "\(parts[number % parts.count])-\(parts[number / parts.count % parts.count])-\(number)"
    }

    private func ref(_ number: Int) -> String {
        "\(Words.kinds[number % Words.kinds.count]):default/\(name(number))".lowercased()
    }

    private func moment(_ seconds: Int) -> String {
        String(describing: LogTime(nanoseconds: UInt64(1_775_688_000 + seconds) * 1_000_000_000))
    }

    private mutating func entity(
        _ number: Int
    ) -> (id: String, name: String, ref: String, json: String) {
        let (id, name, ref) = (random.identifier(), name(number), ref(number))
        var json = "{\"apiVersion\":\"backstage.io/v1alpha1\","
        json += "\"kind\":\"\(Words.kinds[number % Words.kinds.count])\","
        json += "\"metadata\":{\"namespace\":\"default\",\"uid\":\"\(id)\",\"name\":\"\(name)\","
        json += "\"etag\":\"\(random.hexadecimal(40))\","
        json += "\"description\":\"\(random.sentence(of: 24))\",\"annotations\":{"
        json += "\"backstage.io/managed-by-location\":\"url:https://example.org/\(name)\","
        json += "\"backstage.io/techdocs-ref\":\"dir:.\","
        json += "\"pagerduty.com/integration-key\":\"\(random.hexadecimal(32))\"},"
        json += "\"tags\":[\"\(random.word())\",\"\(random.word())\",\"\(random.word())\"],"
        json += "\"links\":["
        for link in 0..<4 {
            json += link == 0 ? "" : ","
            json += "{\"url\":\"https://\(random.word()).example.org/\(name)\","
            json += "\"title\":\"\(random.sentence(of: 3))\",\"icon\":\"dashboard\"}"
        }
        json += "]},\"spec\":{\"type\":\"service\",\"lifecycle\":\"production\","
        json += "\"owner\":\"group:default/\(random.word())\",\"system\":\"\(random.word())\","
        json += "\"definition\":\"\(random.sentence(of: 90 + random.below(260)))\","
        json += "\"dependsOn\":["
        for dependency in 0..<random.below(12) {
            json += (dependency == 0 ? "\"" : ",\"") + self.ref(random.below(4096)) + "\""
        }
        return (id, name, ref, json + "]}}")
    }
}

/// Numbers from a seed (SplitMix64), and texts made of them.
struct Generator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func word() -> String { Words.all[below(Words.all.count)] }

    mutating func sentence(of count: Int) -> String {
        var text = ""
        for index in 0..<count {
            if index > 0 { text += " " }
            text += word()
        }
        return text
    }

    mutating func hexadecimal(_ count: Int) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(count)
        while digits.count < count {
            digits.append(Array("0123456789abcdef".utf8)[below(16)])
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// In the form of a UUID.
    mutating func identifier() -> String {
        [8, 4, 4, 4, 12].map { hexadecimal($0) }.joined(separator: "-")
    }
}

enum Words {
    static let kinds = ["Component", "API", "Resource", "System", "Group", "User"]
    static let all = """
        account alert archive artist asset audit balance banner basket billing booking broker budget
        cache calendar campaign card catalog channel checkout claim cluster comment contact content
        courier coupon credit customer dashboard dataset delivery deploy device digest discount
        dispatch domain drive edge email event export feature feed file filter fleet forecast
        forward fraud gateway geo graph grid guest health image import inbox index ingest insight
        inventory invoice issue item job key label launch ledger library license link listing
        loader locker log loyalty mail map market match media member menu message meter metric
        mobile model monitor network notice offer order partner payment payroll permit photo pickup
        plan planner player policy portal price print product profile prompt proxy queue quota quote
        radar rating reader recipe record refund region relay report request reserve return review
        reward rider route rule sale sample scanner schedule scope search seat sender session
        settle shard share shelf ship signal site sku slot source stock store stream studio support
        survey sync tag target task tax team template tenant ticket timer token tracker trade
        transfer transit trip update upload usage user vault vendor video visit voucher wallet
        warehouse watch weather webhook widget window worker zone
        """.split(whereSeparator: \.isWhitespace).map(String.init)
}
