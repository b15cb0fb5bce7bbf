import Primitives

/// A record as the model knows it. What is unknown was never told: a record whose call failed, and
/// that a recovery brought back.
struct ModelMark: Hashable, Sendable {
    var lsn: LSN
    var time: LogTime
}

/// A record of a timeline, what the branch showed after it, and all before it: through forks, to
/// the first record of the store.
final class LineNode: Sendable {
    let mark: ModelMark
    let timeline: TimelineID
    let beginsTimeline: Bool
    let pages: ModelPages
    let previous: LineNode?

    init(_ mark: ModelMark, _ timeline: TimelineID, _ pages: ModelPages, after previous: LineNode?)
    {
        self.mark = mark
        self.timeline = timeline
        self.pages = pages
        self.previous = previous
        beginsTimeline = timeline.rawValue == mark.lsn.rawValue
    }
}

/// A record that a branch showed, and all that it showed before: as ``LineNode``, but through
/// resets in the order in which they happened.
final class ShownNode: Sendable {
    let line: LineNode
    let previous: ShownNode?
    let count: Int

    init(_ line: LineNode, after previous: ShownNode?) {
        self.line = line
        self.previous = previous
        count = (previous?.count ?? 0) + 1
    }

    /// All that a branch showed which was forked at a record.
    static func ancestry(of line: LineNode) -> ShownNode {
        var nodes: [LineNode] = []
        var next: LineNode? = line
        while let node = next {
            nodes.append(node)
            next = node.previous
        }
        var shown: ShownNode?
        for node in nodes.reversed() { shown = ShownNode(node, after: shown) }
        guard let shown else { return ShownNode(line, after: nil) }
        return shown
    }

    /// The last record at or before what a bound admits, and the one after it.
    func last(
        where admits: (ModelMark) -> Bool
    ) -> (found: ShownNode?, next: ShownNode?) {
        var next: ShownNode?
        var node: ShownNode? = self
        while let current = node, !admits(current.line.mark) {
            next = current
            node = current.previous
        }
        return (node, next)
    }

    /// All records, oldest first.
    var all: [ShownNode] {
        var nodes: [ShownNode] = []
        var next: ShownNode? = self
        while let node = next {
            nodes.append(node)
            next = node.previous
        }
        return nodes.reversed()
    }
}
