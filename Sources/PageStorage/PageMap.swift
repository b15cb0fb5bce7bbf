package import WriteAheadLog

/// All pages of a branch at one moment, as a value: a map in the log, and what was done since in
/// memory, in two layers, so that a checkpoint can write down the older one while the newer grows.
package struct PageMap: Sendable {
    package var root: Location
    package var older: Delta
    package var newer: Delta

    package init(root: Location = .none, older: Delta = Delta(), newer: Delta = Delta()) {
        self.root = root
        self.older = older
        self.newer = newer
    }

    /// What the layers in memory say of a page.
    package subscript(key: MapKey) -> Delta.Answer {
        let answer = newer[key]
        return answer == .untouched ? older[key] : answer
    }

    package var isClean: Bool { newer.isEmpty && older.isEmpty }

    /// What is in memory, as one layer.
    package var delta: Delta { older.followed(by: newer) }
}
