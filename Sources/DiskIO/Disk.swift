/// One folder of a disk: where a store keeps its files. Everything that the engine reads or
/// writes goes through this, so that a simulated disk can stand in for a real one.
///
/// Laws that the engine relies on:
/// 1. What was written before `File.sync` returned survives a crash, whatever order it came in.
/// 2. A file that was created, renamed or removed is so for certain after `syncFolder` returned.
/// 3. Before that, each unsynced write may be there after a crash, or not, or in part, in any
///    order.
/// 4. After a sync or write has failed, nothing is known of what was written since the last sync.
package protocol Disk: Sendable {
    /// Opens a file that is there, for reading and writing.
    func open(_ name: String) throws(DiskError) -> any File
    /// Makes an empty file that was not there before.
    func create(_ name: String) throws(DiskError) -> any File
    /// The names of the files in the folder, in no particular order.
    func list() throws(DiskError) -> [String]
    func remove(_ name: String) throws(DiskError)
    /// Puts a file in another's place, or where none was, in one step.
    func rename(_ name: String, to newName: String) throws(DiskError)
    /// Makes durable which files there are.
    func syncFolder() throws(DiskError)
    /// How many bytes can still be allocated.
    func availableBytes() throws(DiskError) -> UInt64
    /// How many bytes the whole disk holds.
    func totalBytes() throws(DiskError) -> UInt64
    /// Lets others have the folder, which is not changed any more.
    func release()
    /// What messages call this folder.
    var place: String { get }
}

extension Disk {
    package func release() {}
}

/// An open file. Every call is safe from several threads at once; the file stays readable through
/// this handle after its name is gone. Closed with the last reference.
package protocol File: AnyObject, Sendable {
    /// Reads until the buffer is full or the file ends, and returns how many bytes it read.
    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(DiskError) -> Int
    /// Writes all bytes, or throws.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError)
    /// Makes what was written, and the file's length, durable.
    func sync() throws(DiskError)
    /// Syncs the file, and makes reading show no more than what survives a crash: after an earlier
    /// process's sync failed, a system goes on showing bytes that will never reach the disk.
    func settle() throws(DiskError)
    /// Reserves space, so that writing below `length` cannot fail for want of it. Extends the file.
    func allocate(_ length: UInt64) throws(DiskError)
    func truncate(to length: UInt64) throws(DiskError)
    func length() throws(DiskError) -> UInt64
    /// How many bytes of the disk the file takes.
    func allocatedBytes() throws(DiskError) -> UInt64
}

extension File {
    package func write(_ bytes: [UInt8], at offset: UInt64) throws(DiskError) {
        var failure: DiskError?
        unsafe bytes.withUnsafeBytes {
            do throws(DiskError) { try unsafe write($0, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Up to `count` bytes from `offset` on; fewer where the file ends.
    package func read(_ count: Int, at offset: UInt64) throws(DiskError) -> [UInt8] {
        // The array made below would write its length, 0, into the storage that all empty arrays
        // share: harmless, but a race to ThreadSanitizer.
        if count == 0 { return [] }
        var failure: DiskError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(DiskError) {
                initialized = try unsafe read(
                    into: UnsafeMutableRawBufferPointer(buffer),
                    at: offset
                )
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }
}

/// What went wrong with a disk.
@usableFromInline
package enum DiskError: Error, Equatable, Sendable {
    /// The file is not there.
    case notFound(operation: String)
    /// The file is there already.
    case exists(operation: String)
    /// No space is left on the disk, or in the quota.
    case full(operation: String)
    /// Another process holds the folder.
    case held(pid: Int32)
    /// Anything else: the system's error number and sentence.
    case failed(operation: String, code: Int32, reason: String)
}

extension DiskError {
    /// What keeps a folder from being a store's, where nothing is wrong with the disk.
    package var obstacle: String? {
        guard case .failed(_, let code, _) = self else { return nil }
        return SystemCall.obstacle(code)
    }

    /// Whether no folder can have that path.
    package var isPathTooLong: Bool {
        guard case .failed(_, let code, _) = self else { return false }
        return SystemCall.isPathTooLong(code)
    }
}

extension DiskError: CustomStringConvertible {
    @usableFromInline package var description: String {
        switch self {
        case .notFound(let operation): "\(operation): no such file"
        case .exists(let operation): "\(operation): the file exists"
        case .full(let operation): "\(operation): no space left on the disk"
        case .held(let pid): "held by process \(pid)"
        case .failed(let operation, let code, let reason): "\(operation): \(reason) (\(code))"
        }
    }
}

/// Where the engine gets the time from.
package protocol Clock: Sendable {
    /// Nanoseconds since 1970 by the machine's calendar clock, which can jump.
    func now() -> UInt64
    /// Nanoseconds by a clock that only grows, from an origin of its own.
    func monotonic() -> UInt64
}
