/// Random bytes out of a source of numbers.
enum Entropy {
    static func bytes(_ count: Int, _ draw: () -> UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            unsafe withUnsafeBytes(of: draw()) { unsafe bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }
}
