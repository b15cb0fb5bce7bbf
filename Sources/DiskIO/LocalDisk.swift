import Glibc

/// A folder of this machine's file system, held against other processes while this lives; or only
/// looked at, whoever holds it.
package final class LocalDisk: Disk {
    package let place: String
    private let folder: Int32
    /// Nil where the folder is only looked at, and nothing in it can be changed.
    private let lock: Int32?

    /// Opens the folder, and makes it first (with a durable entry in its parent) where asked to.
    package init(_ path: String, create: Bool) throws(DiskError) {
        place = path
        if create { try Self.make(path) }
        folder = try SystemCall.open("open the folder \(path)") {
            unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        do throws(DiskError) {
            lock = try Self.hold(folder, path)
        } catch {
            close(folder)
            throw error
        }
    }

    /// Looks at a folder without holding it: reads what is there, and changes nothing, not even
    /// where another process is writing.
    package init(reading path: String) throws(DiskError) {
        place = path
        folder = try SystemCall.open("open the folder \(path)") {
            unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        lock = nil
    }

    package func release() {
        // The file stays open until nobody can be using its number any more.
        if let lock { flock(lock, LOCK_UN) }
    }

    deinit {
        // A process that is just being started has the file too, until it becomes another program.
        release()
        if let lock { close(lock) }
        close(folder)
    }

    private static func make(_ path: String) throws(DiskError) {
        do throws(DiskError) {
            _ = try SystemCall.run("make the folder \(path)") { unsafe mkdir(path, 0o700) }
        } catch .exists(let operation) {
            // Nothing is behind a symbolic link that leads nowhere, and yet it is there.
            if unsafe access(path, F_OK) != 0, errno == ENOENT {
                throw .exists(operation: operation)
            }
            return
        }
        let parent = try SystemCall.open("open the parent of \(path)") {
            unsafe Glibc.open(path + "/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        defer { close(parent) }
        _ = try SystemCall.run("sync the parent of \(path)") { fsync(parent) }
    }

    /// Takes the lock that the kernel gives back when the process ends, however it ends.
    private static func hold(_ folder: Int32, _ path: String) throws(DiskError) -> Int32 {
        let lock = try SystemCall.open("open \(path)/lock") {
            unsafe openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        }
        if flock(lock, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            defer { close(lock) }
            guard code == EWOULDBLOCK else { throw SystemCall.error("lock \(path)", code) }
            throw .held(pid: holder(lock))
        }
        let pid = Array("\(getpid())\n".utf8)
        ftruncate(lock, 0)
        _ = unsafe pid.withUnsafeBytes { unsafe pwrite(lock, $0.baseAddress, $0.count, 0) }
        return lock
    }

    private static func holder(_ lock: Int32) -> Int32 {
        // Who has just taken the lock writes its number next.
        for _ in 0..<100 {
            var digits = [UInt8](repeating: 0, count: 16)
            let count = unsafe digits.withUnsafeMutableBytes {
                unsafe pread(lock, $0.baseAddress, $0.count, 0)
            }
            let text = String(decoding: digits.prefix(max(0, count)), as: UTF8.self)
            if text.hasSuffix("\n"), let pid = Int32(text.dropLast()) { return pid }
            usleep(1000)
        }
        return 0
    }

    package func open(_ name: String) throws(DiskError) -> any File {
        let access = lock == nil ? O_RDONLY : O_RDWR
        let descriptor = try SystemCall.open("open \(place)/\(name)") {
            // What is no file but a pipe is not waited for: reading it fails.
            unsafe openat(folder, name, access | O_NONBLOCK | O_CLOEXEC)
        }
        return LocalFile(descriptor, place: "\(place)/\(name)")
    }

    package func create(_ name: String) throws(DiskError) -> any File {
        try checkHeld("create \(place)/\(name)")
        let descriptor = try SystemCall.open("create \(place)/\(name)") {
            unsafe openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        return LocalFile(descriptor, place: "\(place)/\(name)")
    }

    package func list() throws(DiskError) -> [String] {
        let handle = try SystemCall.open("list \(place)") {
            unsafe openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard let stream = unsafe fdopendir(handle) else {
            close(handle)
            throw SystemCall.error("list \(place)", errno)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            // The end and a failure both give nil; a list cut short would pass for missing files.
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw SystemCall.error("list \(place)", errno) }
                return names
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != "..", name != "lock" { names.append(name) }
        }
    }

    package func remove(_ name: String) throws(DiskError) {
        try checkHeld("remove \(place)/\(name)")
        _ = try SystemCall.run("remove \(place)/\(name)") { unsafe unlinkat(folder, name, 0) }
    }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        try checkHeld("rename \(place)/\(name)")
        _ = try SystemCall.run("rename \(place)/\(name) to \(newName)") {
            unsafe renameat(folder, name, folder, newName)
        }
    }

    private func checkHeld(_ operation: @autoclosure () -> String) throws(DiskError) {
        if lock == nil { throw SystemCall.error(operation(), EROFS) }
    }

    package func syncFolder() throws(DiskError) {
        _ = try SystemCall.run("sync the folder \(place)") { fsync(folder) }
    }

    package func availableBytes() throws(DiskError) -> UInt64 {
        let figures = try figures()
        return UInt64(figures.f_bavail) * UInt64(figures.f_frsize)
    }

    package func totalBytes() throws(DiskError) -> UInt64 {
        let figures = try figures()
        return UInt64(figures.f_blocks) * UInt64(figures.f_frsize)
    }

    private func figures() throws(DiskError) -> statvfs {
        var figures = statvfs()
        _ = try SystemCall.run("ask \(place) for its free space") {
            unsafe fstatvfs(folder, &figures)
        }
        return figures
    }
}
