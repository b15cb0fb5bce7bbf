import Glibc

/// A path of this machine's files: bytes, whatever they mean.
package struct LocalPath: Sendable, Equatable {
    /// As it was written.
    package let bytes: [UInt8]
    /// What it begins from where it is relative; the process's own folder where nil.
    private let base: [UInt8]?

    package init(_ bytes: [UInt8]) { self.init(bytes, base: nil) }

    private init(_ bytes: [UInt8], base: [UInt8]?) {
        self.bytes = bytes
        self.base = base
    }

    /// The same path as it reads in another folder.
    package func based(on folder: [UInt8]) -> LocalPath { LocalPath(bytes, base: folder) }

    /// As the system is asked for it.
    package var resolved: [UInt8] {
        guard let base, bytes.first != UInt8(ascii: "/") else { return bytes }
        return FileLocation.places(of: bytes, in: base)
    }

    package var shown: String { Text.name(bytes) }

    /// Whether it stands for the standard input or output.
    var isStandard: Bool { bytes == [UInt8(ascii: "-")] }

    var lastName: [UInt8]? { bytes.split(separator: UInt8(ascii: "/")).last.map(Array.init) }

    func appending(_ name: [UInt8]) -> LocalPath {
        LocalPath(FileLocation.places(of: name, in: bytes), base: base)
    }

    /// The folder that the path's last name is in.
    var folder: LocalPath {
        let slash = UInt8(ascii: "/")
        guard let cut = bytes.lastIndex(of: slash) else {
            return LocalPath([UInt8(ascii: ".")], base: base)
        }
        return LocalPath(cut == 0 ? [slash] : Array(bytes[..<cut]), base: base)
    }

    /// Runs a system call on the path; -1 is a failure.
    // Safe to call: the pointer that the body gets is good for as long as it runs.
    @safe @discardableResult
    func call(
        _ verb: String,
        _ body: (UnsafePointer<CChar>) -> Int32
    ) throws(LocalFailure) -> Int32 {
        let short: ShortPath
        do { short = try ShortPath(resolved) } catch {
            throw LocalFailure(verb: verb, path: self, code: error.code)
        }
        defer { short.end() }
        let path = short.bytes.map { CChar(bitPattern: $0) } + [0]
        while true {
            let result = unsafe path.withUnsafeBufferPointer { buffer in
                unsafe buffer.baseAddress.map { unsafe body($0) } ?? -1
            }
            if result != -1 { return result }
            let code = errno
            if code != EINTR { throw LocalFailure(verb: verb, path: self, code: code) }
        }
    }
}

/// What the system would not do with a file or a folder of this machine.
struct LocalFailure: Error {
    let verb: String
    let path: LocalPath
    let code: Int32

    var message: String {
        "\(verb) \(path.shown): \(unsafe String(cString: strerror(code)))"
    }
}

/// What the system says of a file.
struct LocalStatus {
    struct ID: Hashable {
        let device: UInt64
        let number: UInt64
    }

    let status: stat

    var id: ID { ID(device: UInt64(status.st_dev), number: UInt64(status.st_ino)) }
    var format: UInt32 { status.st_mode & S_IFMT }
    var isFolder: Bool { format == S_IFDIR }
    var isFile: Bool { format == S_IFREG }
    var permissions: UInt16 { UInt16(status.st_mode & 0o7777) }
    var byteCount: UInt64 { UInt64(clamping: status.st_size) }
    var linkCount: UInt64 { UInt64(status.st_nlink) }
    var owner: UInt32 { status.st_uid }
    var group: UInt32 { status.st_gid }
    var accessed: Int64 { Self.nanoseconds(status.st_atim) }
    var modified: Int64 { Self.nanoseconds(status.st_mtim) }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (whole, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, beyond) = whole.addingReportingOverflow(Int64(time.tv_nsec))
        return overflow || beyond ? (time.tv_sec < 0 ? .min : .max) : sum
    }
}

extension timespec {
    /// A moment, from its nanoseconds since 1970.
    init(nanoseconds: Int64) {
        let second: Int64 = 1_000_000_000
        let rest = ((nanoseconds % second) + second) % second
        self.init(tv_sec: Int((nanoseconds - rest) / second), tv_nsec: Int(rest))
    }
}

extension LocalPath {
    /// What stands there, a link itself.
    func status() throws(LocalFailure) -> LocalStatus {
        var found = stat()
        try call("look at") { unsafe lstat($0, &found) }
        return LocalStatus(status: found)
    }

    /// What the path leads to; nil where there is nothing.
    func target() throws(LocalFailure) -> LocalStatus? {
        var found = stat()
        do throws(LocalFailure) { try call("look at") { unsafe stat($0, &found) } } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
        return LocalStatus(status: found)
    }

    /// What a symbolic link holds.
    func linkTarget() throws(LocalFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try call("read") { path in
            unsafe bytes.withUnsafeMutableBytes { buffer in
                let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                return unsafe start.map { unsafe Int32(readlink(path, $0, buffer.count)) } ?? -1
            }
        }
        return Array(bytes.prefix(Int(count)))
    }

    /// The names in a folder, in the order of their bytes.
    func names() throws(LocalFailure) -> [[UInt8]] {
        var stream: OpaquePointer?
        try call("open") { path in
            unsafe stream = opendir(path)
            return unsafe stream == nil ? -1 : 0
        }
        guard let stream = unsafe stream else { return [] }
        defer { unsafe closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                unsafe [UInt8](raw.prefix { $0 != 0 })
            }
            if name != [46], name != [46, 46] { names.append(name) }
        }
        if errno != 0 { throw LocalFailure(verb: "list", path: self, code: errno) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
