import Primitives

/// What became of an unsynced change that did not come through whole.
struct Casualty {
    let fault: Fault
    let operation: DiskOperation
    let range: Range<Int>
}

extension SimulatedNode {
    /// Decides of each unsynced change whether it is durable: whole, in part, or not at all. What
    /// was synced stays, unless a change that is kept wrote over it.
    mutating func settle(_ model: CrashModel, _ random: inout SeededRandom) -> [Casualty] {
        guard !pending.isEmpty else { return [] }
        var settling = Settling(content: durable, model: model, random: random)
        var order = Array(pending.indices)
        if model.reorders, model.fate == .drawn, settling.random.oneIn(2) {
            settling.random.shuffle(&order)
            if order != Array(pending.indices) { settling.note(.reordered, .write, 0..<0) }
        }
        durable = FileContent()
        for index in order { settling.settle(pending[index]) }
        durable = settling.content
        random = settling.random
        pending.removeAll()
        return settling.casualties
    }
}

/// One file's unsynced changes on their way to being durable or not.
private struct Settling {
    var content: FileContent
    let model: CrashModel
    var random: SeededRandom
    var casualties: [Casualty] = []
    // Drawn for each file: at even odds alone, a crash that loses one of a hundred changes, or all
    // changes to one file and none to another, would hardly ever be seen.
    private let keptOfEight: Int
    private let tornOfEight: Int

    init(content: FileContent, model: CrashModel, random: SeededRandom) {
        self.content = content
        self.model = model
        self.random = random
        switch model.fate {
        case .everythingKept: (keptOfEight, tornOfEight) = (8, 0)
        case .everythingLost: (keptOfEight, tornOfEight) = (0, 0)
        case .drawn:
            keptOfEight = [0, 1, 4, 7, 8][self.random.below(5)]
            tornOfEight = model.tears ? [0, 1, 4][self.random.below(3)] : 0
        }
    }

    mutating func note(_ fault: Fault, _ operation: DiskOperation, _ range: Range<Int>) {
        casualties.append(Casualty(fault: fault, operation: operation, range: range))
    }

    mutating func settle(_ change: FileChange) {
        if case .write(let offset, let bytes) = change, random.below(8) < tornOfEight {
            return tear(bytes, offset)
        }
        if random.below(8) < keptOfEight { return change.apply(to: &content) }
        guard case .write(let offset, let bytes) = change else {
            return note(.dropped, change.operation, 0..<0)
        }
        note(.dropped, .write, offset..<offset + bytes.count)
        // The length is the file system's, and may be on disk before the bytes are.
        if model.fate == .drawn, random.oneIn(4) { content.grow(to: offset + bytes.count) }
    }

    private mutating func tear(_ bytes: [UInt8], _ offset: Int) {
        for sector in FileContent.sectors(of: offset..<offset + bytes.count) {
            let part = sector.lowerBound - offset..<sector.upperBound - offset
            switch random.below(model.garbles ? 3 : 2) {
            case 0: content.write(bytes, part, at: sector.lowerBound)
            case 1: note(.torn, .write, sector)
            default:
                content.write(random.bytes(part.count), 0..<part.count, at: sector.lowerBound)
                note(.garbled, .write, sector)
            }
        }
        if random.oneIn(2) { content.grow(to: offset + bytes.count) }
    }
}

extension SeededRandom {
    /// Puts the elements in a random order, the same one with every version of the library.
    mutating func shuffle<Element>(_ elements: inout [Element]) {
        guard elements.count > 1 else { return }
        for index in 1..<elements.count { elements.swapAt(index, below(index + 1)) }
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}
