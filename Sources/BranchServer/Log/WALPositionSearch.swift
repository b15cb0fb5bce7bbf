package import Oxbow
import Volume

/// Finds the record of a branch's history at which PostgreSQL's log first reached a position.
///
///     let point = try WALPositionSearch(branch).point(of: WALPosition(rawValue: 0x16B3F28))
///     let rescue = try store.fork("rescue", from: point)
///
/// That is the first record whose files hold the log up to there in whole records: PostgreSQL,
/// started on it, recovers to it. PostgreSQL syncs a file after it has written to it, and only then
/// acknowledges what is in it. A sync is no record of the store: it makes all durable that stands
/// before. So the record that is found stands at or before what was durable when the position was
/// acknowledged, and there is none before it that would do.
///
/// Along the records that led to what the branch shows now, a cluster's log only grows; so they are
/// halved again and again, and a search looks at some twenty or thirty of them. What a reset left
/// behind is not looked at: there the same positions stood for something else.
package struct WALPositionSearch {
    private let branch: Branch

    package init(_ branch: Branch) { self.branch = branch }

    /// The first record at which the log reached a position.
    package func point(of position: WALPosition) throws(WALError) -> Point {
        let head = try engine { () throws(OxbowError) in try branch.ancestor(at: .head) }
        guard let now = try files(head), let cluster = try now.cluster() else {
            throw WALError(
                .noCluster,
                "\(position) is a position of a PostgreSQL's log, and the branch holds none"
            )
        }
        guard try now.reach(position, of: cluster) else {
            throw WALError(
                .beyondHead,
                "PostgreSQL's log has not reached \(position) on this branch: it ends at "
                    + "\(try now.end(cluster)), \(head.lsn)"
            )
        }
        return try first(position, cluster, upTo: head)
    }

    /// Halves what lies between the records that do not reach and the first known that does.
    private func first(
        _ position: WALPosition,
        _ cluster: WALFiles.Cluster,
        upTo head: Point
    ) throws(WALError) -> Point {
        var high = head
        // No record up to here reaches, or is kept.
        var low = LSN.zero
        var isKept = false
        while high.lsn.rawValue - low.rawValue > 1 {
            let middle = LSN(rawValue: low.rawValue + (high.lsn.rawValue - low.rawValue) / 2)
            guard let point = try ancestor(at: middle) else {
                low = middle
                continue
            }
            if point.lsn <= low {
                low = middle
            } else if let then = try files(point), try then.reach(position, of: cluster) {
                high = point
            } else {
                isKept = true
                low = point.next.map { LSN(rawValue: $0.lsn.rawValue - 1) } ?? middle
            }
        }
        guard isKept else { throw try beforeHistory(position, cluster, high) }
        return high
    }

    /// The record at or before a position of the store's log; nil before what is kept.
    private func ancestor(at lsn: LSN) throws(WALError) -> Point? {
        do throws(OxbowError) { return try branch.ancestor(at: .lsn(lsn)) } catch {
            if error.kind == .notFound { return nil }
            throw WALError(.failed, error.description)
        }
    }

    private func files(_ point: Point) throws(WALError) -> WALFiles? {
        try WALFiles(engine { () throws(OxbowError) in try branch.view(at: point) })
    }

    private func beforeHistory(
        _ position: WALPosition,
        _ cluster: WALFiles.Cluster,
        _ earliest: Point
    ) throws(WALError) -> WALError {
        let end = try files(earliest)?.end(cluster)
        return WALError(
            .beforeHistory,
            "the history that is kept of the branch does not reach back to \(position): it begins "
                + "at \(end.map { "\($0), " } ?? "")\(earliest.lsn), \(earliest.time)"
        )
    }

    private func engine<Value>(
        _ body: () throws(OxbowError) -> Value
    ) throws(WALError) -> Value {
        do throws(OxbowError) { return try body() } catch {
            throw WALError(.failed, error.description)
        }
    }
}
