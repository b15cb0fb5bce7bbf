extension RandomAccessCollection where Index == Int {
    /// How many elements from the front fit, where all that fit stand before all that don't.
    @inlinable
    package func countOfFirst(where fits: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if fits(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low - startIndex
    }
}
