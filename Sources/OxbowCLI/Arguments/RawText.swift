import Glibc

/// Arguments are bytes, and text holds no bytes that are not UTF-8. Each such byte becomes one of
/// the last 128 scalars there are, for private use; where an argument has those itself, their own
/// bytes do too. So every argument comes back as it was.
package enum RawText {
    private static let base: UInt32 = 0x10_FF00

    package static func text(_ bytes: [UInt8]) -> String {
        var scalars = String.UnicodeScalarView()
        var rest = bytes[...]
        while let first = rest.first {
            if let (scalar, count) = leadingScalar(of: rest) {
                scalars.append(scalar)
                rest.removeFirst(count)
            } else {
                scalars.append(Unicode.Scalar(base + UInt32(first)) ?? "\u{FFFD}")
                rest.removeFirst()
            }
        }
        return String(scalars)
    }

    private static func leadingScalar(of bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        for count in 1...4 {
            guard let text = String(validating: bytes.prefix(count), as: UTF8.self),
                let scalar = text.unicodeScalars.first
            else { continue }
            return scalar.value < base + 0x80 ? (scalar, count) : nil
        }
        return nil
    }

    package static func bytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.value >= base + 0x80 {
                bytes.append(UInt8(scalar.value - base))
            } else {
                bytes.append(contentsOf: String(scalar).utf8)
            }
        }
        return bytes
    }

    /// The arguments of this process, without its name.
    static func arguments() -> [String] {
        let all = unsafe CommandLine.unsafeArgv
        return (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            guard let start = unsafe all[index] else { return nil }
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: strlen(start))
            return unsafe text([UInt8](bytes))
        }
    }
}
