import CLinux
import Glibc

/// The few calls on files of the server's own that computes need. None is ever made on a path in
/// a mount of ours: what is to be done there, a process of the compute's user does.
enum ComputeFiles {
    static func failure(_ what: String) -> ComputeError {
        ComputeError(.failed, "\(what): \(unsafe String(cString: strerror(errno)))")
    }

    /// Makes a folder where there is none, and gives it its mode and owner.
    static func makeFolder(
        _ path: String,
        mode: mode_t,
        owner: SystemUser? = nil
    ) throws(ComputeError) {
        guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else {
            throw failure("make \(path)")
        }
        guard unsafe chmod(path, mode) == 0 else { throw failure("chmod \(path)") }
        guard let owner else { return }
        guard unsafe lchown(path, owner.id, owner.group) == 0 else {
            throw failure("chown \(path)")
        }
    }

    /// Writes a file anew, so that nobody sees half of it.
    static func write(
        _ text: String,
        to path: String,
        mode: mode_t = 0o644,
        owner: SystemUser? = nil
    ) throws(ComputeError) {
        let draft = path + ".new"
        unsafe unlink(draft)
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw failure("make \(draft)") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count,
            fchmod(file, mode) == 0,
            owner.map({ fchown(file, $0.id, $0.group) == 0 }) ?? true,
            unsafe rename(draft, path) == 0
        else { throw failure("write \(path)") }
    }

    static func read(_ path: String, atMost limit: Int = 1 << 16) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: min(limit, 1 << 16))
        while bytes.count < limit {
            let got = unsafe Glibc.read(file, &piece, min(piece.count, limit - bytes.count))
            if got <= 0 { break }
            bytes += piece[..<got]
        }
        return bytes
    }

    /// A pipe whose ends no other program gets.
    static func makePipe() throws(ComputeError) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe oxbow_make_pipe(&ends) == 0 else { throw failure("make a pipe") }
        return (ends[0], ends[1])
    }

    /// Whether an open file is the one that a path names.
    static func isOpen(_ file: Int32, _ path: String) -> Bool {
        var (own, named) = (stat(), stat())
        guard unsafe fstat(file, &own) == 0, unsafe stat(path, &named) == 0 else { return false }
        return own.st_dev == named.st_dev && own.st_ino == named.st_ino
    }

    static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    /// Removes a folder and the files in it.
    static func removeFolder(_ path: String) {
        for name in names(in: path) { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }

    static func names(in folder: String) -> [String] {
        guard let list = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(list) }
        var names: [String] = []
        while let entry = unsafe readdir(list) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

/// An account of the system.
struct SystemUser: Sendable, Equatable {
    let name: String
    let id: uid_t
    let group: gid_t

    /// Looks an account up by its name.
    init(named name: String) throws(ComputeError) {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        let result = unsafe getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        guard result == 0, unsafe found != nil else {
            throw ComputeError(
                .unavailable,
                "there is no user \(name) to run PostgreSQL as: `adduser --system \(name)`"
            )
        }
        guard unsafe entry.pw_uid != 0 else {
            throw ComputeError(
                .unavailable,
                "PostgreSQL does not run as \(name), who may do everything"
            )
        }
        self.name = name
        id = unsafe entry.pw_uid
        group = unsafe entry.pw_gid
    }
}
