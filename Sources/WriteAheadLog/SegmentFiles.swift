package import DiskIO
package import Primitives

/// The segments' files, opened when read and kept open, a bounded number of them.
///
/// A reader keeps the generation of a segment that it holds: replacing a file here does not take
/// it from who reads it at that moment.
// Safe to share: all mutable state is guarded by `lock`.
package final class SegmentFiles: @unchecked Sendable {
    package static let openLimit = 256

    package let disk: any Disk
    package let geometry: Geometry
    package let store: StoreID
    private let lock = Lock()
    private var open: [SegmentNumber: SegmentFile] = [:]
    private var order: [SegmentNumber] = []
    private var hand = 0
    private var isShut = false

    package init(disk: any Disk, geometry: Geometry, store: StoreID) {
        self.disk = disk
        self.geometry = geometry
        self.store = store
    }

    /// Takes a file that was opened elsewhere.
    package func adopt(_ file: any File, for header: SegmentHeader) {
        keep(SegmentFile(file: file, header: header, extents: nil), header.number)
    }

    /// Forgets a file, since it was replaced or removed.
    package func forget(_ number: SegmentNumber) {
        lock.withLock {
            open[number] = nil
            order.removeAll { $0 == number }
            hand = 0
        }
    }

    package func file(_ number: SegmentNumber) throws(LogError) -> SegmentFile {
        let (known, isOver) = lock.withLock { (open[number], isShut) }
        if isOver { throw .closed }
        if let known { return known }
        let file = try SegmentFile.open(number, self)
        keep(file, number)
        return file
    }

    /// Gives up all files: nothing is read from here on.
    package func shut() {
        let files = lock.withLock { () -> [SegmentNumber: SegmentFile] in
            isShut = true
            order.removeAll()
            defer { open.removeAll() }
            return open
        }
        // Closed here, outside the lock.
        withExtendedLifetime(files) {}
    }

    private func keep(_ file: SegmentFile, _ number: SegmentNumber) {
        lock.lock()
        defer { lock.unlock() }
        if isShut { return }
        if open.updateValue(file, forKey: number) != nil { return }
        if order.count < Self.openLimit {
            order.append(number)
        } else {
            open[order[hand]] = nil
            order[hand] = number
            hand = (hand + 1) % order.count
        }
    }

    /// Reads bytes of the log from where they lie in their segment's file.
    package func read(
        _ lsn: LSN,
        into target: UnsafeMutableRawBufferPointer
    ) throws(LogError) {
        let file = try file(geometry.segment(of: lsn))
        guard let offset = file.offset(of: lsn, geometry) else {
            throw .damaged(Damage(at: lsn, "nothing is kept here any more"))
        }
        let count: Int
        do throws(DiskError) {
            count = try unsafe file.file.read(into: target, at: offset)
        } catch { throw .disk(error) }
        guard count == target.count else {
            throw .damaged(Damage(at: lsn, "the segment's file is cut short"))
        }
    }
}

/// One generation of a segment, open.
package struct SegmentFile: Sendable {
    package let file: any File
    package let header: SegmentHeader
    /// Of a rewritten segment: what it keeps, and where. Nil where positions are offsets.
    package let extents: SegmentExtents?

    func offset(of lsn: LSN, _ geometry: Geometry) -> UInt64? {
        guard let extents else { return geometry.offset(of: lsn) }
        return extents.offset(of: lsn)
    }

    static func open(
        _ number: SegmentNumber,
        _ files: SegmentFiles
    ) throws(LogError) -> SegmentFile {
        let base = files.geometry.base(of: number)
        let file: any File
        do throws(DiskError) { file = try files.disk.open(number.fileName) } catch {
            guard case .notFound = error else { throw .disk(error) }
            throw .damaged(Damage(at: base, "segment \(number) is missing"))
        }
        let header = try SegmentHeader.load(file, number, files.store, files.geometry)
        let extents =
            header.generation == 0
            ? nil : try ClosingIndex.loadExtents(file, number, files.geometry)
        return SegmentFile(file: file, header: header, extents: extents)
    }
}
