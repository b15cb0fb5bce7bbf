import Glibc
import Synchronization

extension LocalPath {
    /// How many were begun: a server makes several at once.
    private static let unfinished = Atomic<UInt64>(0)

    /// Makes a file under a name beside this one, which it takes when it is whole.
    func place(_ make: (LocalPath) throws -> Void) throws {
        guard try folder.target()?.isFolder == true else {
            throw Failure("file", "\(shown): there is no folder \(folder.shown); make it first")
        }
        let number = Self.unfinished.add(1, ordering: .relaxed).newValue
        let name = ".oxbow-unfinished-\(getpid())-\(number)"
        let unfinished = folder.appending(Array(name.utf8))
        do {
            try make(unfinished)
            try unfinished.rename(to: self)
            try LocalFile.folder(folder).sync()
        } catch {
            // What went wrong first is what is told.
            _ = try? unfinished.call("remove") { unsafe unlink($0) }
            throw error
        }
    }

    func rename(to other: LocalPath) throws(LocalFailure) {
        try both("rename to", other) { unsafe Glibc.rename($0, $1) }
    }

    /// Gives the file that is here another name.
    func link(as other: LocalPath) throws(LocalFailure) {
        try both("make", other) { unsafe Glibc.link($0, $1) }
    }

    // Safe to call: the pointers that the body gets are good for as long as it runs.
    @safe
    private func both(
        _ verb: String,
        _ other: LocalPath,
        _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    ) throws(LocalFailure) {
        let short: ShortPath
        do { short = try ShortPath(resolved) } catch {
            throw LocalFailure(verb: verb, path: self, code: error.code)
        }
        defer { short.end() }
        let own = short.bytes.map { CChar(bitPattern: $0) } + [0]
        try other.call(verb) { second in
            unsafe own.withUnsafeBufferPointer { buffer in
                unsafe buffer.baseAddress.map { unsafe body($0, second) } ?? -1
            }
        }
    }

    func makeFolder() throws(LocalFailure) { try call("make") { unsafe mkdir($0, 0o700) } }

    func makePipe() throws(LocalFailure) { try call("make") { unsafe mkfifo($0, 0o600) } }

    func makeLink(to target: [UInt8]) throws(LocalFailure) {
        let target = target.map { CChar(bitPattern: $0) } + [0]
        try call("make") { path in
            unsafe target.withUnsafeBufferPointer { buffer in
                unsafe buffer.baseAddress.map { unsafe symlink($0, path) } ?? -1
            }
        }
    }

    func setOwner(_ owner: UInt32, _ group: UInt32) throws(LocalFailure) {
        try call("set the owner of") { unsafe lchown($0, owner, group) }
    }

    /// Not of a link: those have no mode.
    func setPermissions(_ permissions: UInt16) throws(LocalFailure) {
        try call("set the mode of") { unsafe chmod($0, mode_t(permissions)) }
    }

    func setTimes(accessed: Int64, modified: Int64) throws(LocalFailure) {
        let times = [timespec(nanoseconds: accessed), timespec(nanoseconds: modified)]
        try call("set the times of") { path in
            unsafe times.withUnsafeBufferPointer {
                unsafe utimensat(AT_FDCWD, path, $0.baseAddress, AT_SYMLINK_NOFOLLOW)
            }
        }
    }
}
