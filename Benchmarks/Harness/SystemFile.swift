import Foundation

/// Files of `/proc`: the system says that they are empty, and gives them in pieces. What reads a
/// file at once takes the first piece for all of it.
package enum SystemFile {
    package static func text(_ path: String) throws -> String {
        let bytes = try FileHandle(forReadingFrom: URL(filePath: path)).readToEnd() ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }
}
