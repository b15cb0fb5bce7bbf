import Glibc
import Primitives

/// What a compute says, on the real disk: two files that take turns, so that it is bounded.
// Safe to share: what changes is guarded by the lock.
package final class ComputeLog: @unchecked Sendable {
    private let lock = Lock()
    private let folder: String
    private var file: Int32 = -1
    private var size = 0

    /// Each file has at most so many bytes.
    package static let fileBytes = 1 << 20
    /// An error tells at most so many lines of it.
    static let linesInErrors = 12

    private var current: String { folder + "/current.log" }
    private var previous: String { folder + "/previous.log" }

    /// The folder must exist; what an earlier server left in it is carried on.
    package init(_ folder: String) {
        self.folder = folder
    }

    deinit { if file >= 0 { close(file) } }

    package func append(_ bytes: [UInt8]) {
        lock.withLock {
            if file < 0 || size + bytes.count > Self.fileBytes { turn(by: bytes.count) }
            guard file >= 0 else { return }
            let written = unsafe write(file, bytes, bytes.count)
            size += max(0, written)
        }
    }

    /// Opens the file, or where it is full, begins it anew. A log that cannot be written is no
    /// reason to stop a database.
    private func turn(by count: Int) {
        if file < 0 {
            file = unsafe open(current, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            size = file < 0 ? 0 : max(0, Int(lseek(file, 0, SEEK_END)))
            if size + count <= Self.fileBytes { return }
        }
        if file >= 0 { close(file) }
        unsafe rename(current, previous)
        file = unsafe open(current, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        size = 0
    }

    /// All that is kept, oldest first.
    package var text: String {
        lock.withLock {
            let older = ComputeFiles.read(previous, atMost: Self.fileBytes) ?? []
            let newer = ComputeFiles.read(current, atMost: Self.fileBytes) ?? []
            return String(decoding: older + newer, as: UTF8.self)
        }
    }

    /// The last lines, for an error.
    package var lastLines: String {
        text.split(separator: "\n").suffix(Self.linesInErrors).joined(separator: "\n")
    }
}
