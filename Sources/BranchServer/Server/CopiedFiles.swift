import CLinux
import Glibc
import Oxbow
import Primitives
import Volume

/// Moments as folders of the system, where there is no FUSE to show them: each a copy of the
/// cluster's files, in a folder of its own beside the others, owned by the compute's user.
///
/// There are as many as computes may run, and each goes with its compute. What an earlier server
/// left is taken away when this begins.
final class CopiedFiles: Sendable {
    /// The folder that they are in.
    let path: String
    private let user: SystemUser?
    private let number = Counter()

    private static let pieceBytes = 1 << 20

    init(_ path: String, user: SystemUser?) throws(ComputeError) {
        self.path = path
        self.user = user
        for name in ComputeFiles.names(in: path) { Self.remove("\(path)/\(name)") }
    }

    /// Copies what a view shows of the cluster.
    func make(_ view: View) throws -> ComputeFork {
        let name = "copy-\(number.next())"
        let top = "\(path)/\(name)"
        let discard: @Sendable () -> Void = { Self.remove(top) }
        do {
            let files = try PastFiles(view)
            let data = try files.resolve("/\(ComputePlace.dataFolder)")
            try ComputeFiles.makeFolder(top, mode: 0o755)
            try copy(files, data, to: "\(top)/\(ComputePlace.dataFolder)")
        } catch {
            discard()
            throw error
        }
        return ComputeFork(name: name, discard: discard)
    }

    /// Folder by folder: nothing is made through a link, since each folder is made here.
    private func copy(_ files: PastFiles, _ number: InodeNumber, to target: String) throws {
        var waiting = [(number, target)]
        while let (folder, path) = waiting.popLast() {
            try ComputeFiles.makeFolder(path, mode: 0o700, owner: user)
            var entries: [Listing] = []
            try files.visitEntries(of: folder, from: .start) { entry, _ in
                entries.append(entry)
                return true
            }
            for entry in entries {
                guard let name = String(validating: entry.name.bytes, as: UTF8.self) else {
                    throw ComputeError(.failed, "a name in \(path) is no text, and is not copied")
                }
                let place = "\(path)/\(name)"
                switch try files.attributes(of: entry.number).kind {
                case .folder: waiting.append((entry.number, place))
                case .file: try copyFile(files, entry.number, to: place)
                case .link: try copyLink(files.target(of: entry.number), to: place)
                default: break
                }
            }
        }
    }

    private func copyFile(
        _ files: PastFiles,
        _ number: InodeNumber,
        to path: String
    ) throws {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let file = unsafe open(path, flags, 0o600)
        guard file >= 0 else { throw ComputeFiles.failure("make \(path)") }
        defer { close(file) }
        let size = try files.attributes(of: number).size
        var buffer = [UInt8](repeating: 0, count: Self.pieceBytes)
        var offset: UInt64 = 0
        while offset < size, let data = try files.seek(.data, in: number, from: offset) {
            offset = data
            let count = try unsafe buffer.withUnsafeMutableBytes {
                try unsafe files.read(number, at: offset, into: $0)
            }
            if count == 0 { break }
            try write(buffer[..<count], at: offset, to: file, path)
            offset += UInt64(count)
        }
        guard ftruncate(file, off_t(size)) == 0 else {
            throw ComputeFiles.failure("lengthen \(path)")
        }
        if let user, fchown(file, user.id, user.group) != 0 {
            throw ComputeFiles.failure("chown \(path)")
        }
    }

    private func write(
        _ bytes: ArraySlice<UInt8>,
        at offset: UInt64,
        to file: Int32,
        _ path: String
    ) throws(ComputeError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                let start = unsafe $0.baseAddress?.advanced(by: done)
                return unsafe pwrite(file, start, $0.count - done, off_t(offset) + off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ComputeFiles.failure("write \(path)") }
            done += count
        }
    }

    private func copyLink(_ target: [UInt8], to path: String) throws(ComputeError) {
        let text = String(decoding: target, as: UTF8.self)
        guard unsafe symlink(text, path) == 0 else { throw ComputeFiles.failure("make \(path)") }
        if let user { _ = unsafe lchown(path, user.id, user.group) }
    }

    /// Removes a folder with what is in it, following no link.
    private static func remove(_ top: String) {
        var waiting = [top]
        var folders: [String] = []
        while let path = waiting.popLast() {
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else { continue }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                unsafe unlink(path)
                continue
            }
            folders.append(path)
            waiting += ComputeFiles.names(in: path).map { "\(path)/\($0)" }
        }
        for folder in folders.reversed() { unsafe rmdir(folder) }
    }
}

/// Numbers that none has had.
private final class Counter: Sendable {
    private let lock = Lock()
    // Safe: read and written with the lock held alone.
    nonisolated(unsafe) private var last: UInt64 = 0

    func next() -> UInt64 {
        lock.withLock {
            unsafe last += 1
            return unsafe last
        }
    }
}
