import Primitives

/// The rows of one table, in pieces for `COPY`.
package struct CatalogRows: Sequence, IteratorProtocol, Sendable {
    package let table: CatalogTable
    package let count: Int
    private let generator: CatalogGenerator
    private var number = 0

    /// A piece ends with the row that reaches this.
    static let pieceBytes = 64 << 10

    init(_ table: CatalogTable, count: Int, of generator: CatalogGenerator) {
        self.table = table
        self.count = count
        self.generator = generator
    }

    /// The next piece of whole rows.
    package mutating func next() -> [UInt8]? {
        guard number < count else { return nil }
        var buffer = RowBuffer()
        _ = buffer.take()
        while number < count, buffer.count < Self.pieceBytes {
            append(&buffer)
            buffer.endRow()
            number += 1
        }
        return buffer.take()
    }

    private func append(_ row: inout RowBuffer) {
        var random = generator.draws(table, number)
        switch table {
        case .refreshState: refreshState(&row, &random)
        case .refreshStateReferences:
            row.column("url:provider")
            row.column(nil)
            row.column(generator.entity(number).ref)
        case .finalEntities: finalEntity(&row, &random)
        case .relations: relation(&row)
        case .search: search(&row)
        case .locations:
            row.column(CatalogEntity.identifier(&random))
            row.column("url")
            row.column(generator.entity(number * 4).target)
        case .refreshKeys:
            let entity = generator.entity(number / 2)
            row.column(entity.id)
            row.column((number % 2 == 0 ? "url:" : "file:") + entity.target)
        case .stitchQueue:
            row.column(generator.entity(number * 7).ref)
            row.column(CatalogEntity.identifier(&random))
            row.columnTime(number)
        case .documents: document(&row, &random)
        case .migrations:
            row.column("2020\(1000 + number)_init.js")
            row.column(1)
            row.columnTime(number)
        }
    }

    private func refreshState(_ row: inout RowBuffer, _ random: inout SeededRandom) {
        let entity = generator.entity(number)
        row.column(entity.id)
        row.column(entity.ref)
        row.column()
        entity.appendJSON(&row, isProcessed: false)
        row.column(CatalogEntity.hash(&random))
        row.column()
        entity.appendJSON(&row, isProcessed: true)
        row.column(CatalogEntity.hash(&random))
        row.column("{\"ttl\":5,\"data\":{}}")
        row.columnTime(random.below(86_400))
        row.columnTime(random.below(86_400))
        row.column("[]")
        row.column("url:" + entity.target)
    }

    private func finalEntity(_ row: inout RowBuffer, _ random: inout SeededRandom) {
        let entity = generator.entity(number)
        row.column(entity.id)
        row.column(entity.ref)
        row.column(CatalogEntity.hash(&random))
        row.column(CatalogEntity.identifier(&random))
        row.column()
        entity.appendJSON(&row, isProcessed: true)
        row.columnTime(random.below(86_400))
    }

    /// Each relation stands there from both sides.
    private func relation(_ row: inout RowBuffer) {
        let place = number % CatalogEntity.relationCount
        let entity = generator.entity(number / CatalogEntity.relationCount)
        var random = generator.draws(97, number - place)
        let (other, there, back) =
            switch place / 2 {
            case 0: (entity.owner, "ownedBy", "ownerOf")
            case 1: (entity.system, "partOf", "hasPart")
            default: (entity.other(&random), "dependsOn", "dependencyOf")
            }
        row.column(entity.id)
        row.column(place % 2 == 0 ? entity.ref : other.ref)
        row.column(place % 2 == 0 ? there : back)
        row.column(place % 2 == 0 ? other.ref : entity.ref)
    }

    private func search(_ row: inout RowBuffer) {
        let entity = generator.entity(number / CatalogEntity.searchCount)
        let (key, value): (String, String) =
            switch number % CatalogEntity.searchCount {
            case 0: ("kind", entity.kind.rawValue)
            case 1: ("metadata.name", entity.name)
            case 2: ("metadata.namespace", "default")
            case 3: ("metadata.uid", String(decoding: entity.id, as: UTF8.self))
            case 4: ("spec.type", entity.type)
            case 5: ("spec.lifecycle", entity.lifecycle)
            case 6: ("spec.owner", entity.owner.name)
            case 7: ("spec.system", entity.system.name)
            case 8: ("relations.ownedby", entity.owner.ref)
            case 9: ("relations.partof", entity.system.ref)
            case 10: ("metadata.annotations.backstage.io/techdocs-ref", "dir:.")
            case let other: ("metadata.tags." + entity.tag(other - 11), "true")
            }
        row.column(entity.id)
        row.column(key)
        row.column(value.lowercased())
        row.column(value)
    }

    private func document(_ row: inout RowBuffer, _ random: inout SeededRandom) {
        let entity = generator.entity(number)
        row.column("software-catalog")
        row.column()
        row.append("{\"title\":\"\(entity.name)\",\"text\":\"")
        Vocabulary.appendSentence(&row, of: 20 + random.below(40), &random)
        row.append("\",\"kind\":\"\(entity.kind.rawValue)\",\"namespace\":\"default\",")
        row.append("\"componentType\":\"\(entity.type)\",\"type\":\"\(entity.type)\",")
        row.append("\"lifecycle\":\"\(entity.lifecycle)\",\"owner\":\"\(entity.owner.name)\",")
        row.append("\"location\":\"/catalog/default/\(entity.kind.lowercased)/\(entity.name)\",")
        row.append("\"authorization\":{\"resourceRef\":\"\(entity.ref)\"}}")
    }
}
