/// Finds what somebody meant who wrote something else.
package enum Suggestion {
    /// The known word nearest to a mistyped one; nil where none is near.
    package static func nearest(to word: String, among known: [String]) -> String? {
        // Long words are no typing errors, and would take long to compare.
        guard word.utf8.count <= 40 else { return nil }
        let found = known.map { ($0, distance(word, $0)) }.min { $0.1 < $1.1 }
        guard let (near, distance) = found, distance <= max(1, near.count / 3 + 1),
            distance < near.count
        else { return nil }
        return near
    }

    /// How many letters must be changed, added, left out, or swapped with their neighbour.
    package static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left), Array(right))
        var rows = [[Int]](
            repeating: [Int](repeating: 0, count: right.count + 1),
            count: left.count + 1
        )
        for row in 0...left.count { rows[row][0] = row }
        for column in 0...right.count { rows[0][column] = column }
        for row in stride(from: 1, through: left.count, by: 1) {
            for column in stride(from: 1, through: right.count, by: 1) {
                let same = left[row - 1] == right[column - 1]
                var best = min(
                    rows[row - 1][column] + 1,
                    rows[row][column - 1] + 1,
                    rows[row - 1][column - 1] + (same ? 0 : 1)
                )
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    best = min(best, rows[row - 2][column - 2] + 1)
                }
                rows[row][column] = best
            }
        }
        return rows[left.count][right.count]
    }
}
