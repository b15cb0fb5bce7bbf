package import DiskIO
package import Primitives

/// The segments' files, opened when read and kept open, a bounded number of them.
///
/// A reader keeps the generation of a segment that it holds: replacing a file here does not take
/// it from who reads it at that moment.
// Safe to share: all mutable state is guarded by `lock`.
package final class SegmentFiles: @unchecked Sendable {
    package static let openLimit = 256
    /// How much memory the extents of rewritten files take, together, unless one alone takes more.
    package static let extentsLimit = 16 << 20

    package let disk: any Disk
    package let geometry: Geometry
    package let store: StoreID
    private let lock = Lock()
    /// The files that hold several segments, in order. None holds what another does.
    private var spans: [SegmentSpan] = []
    /// By the first segment that a file holds.
    private var open: [SegmentNumber: SegmentFile] = [:]
    private var order: [SegmentNumber] = []
    private var extentsBytes = 0
    /// How often files were replaced or removed.
    private var changes = 0
    private var isShut = false

    package init(disk: any Disk, geometry: Geometry, store: StoreID) {
        self.disk = disk
        self.geometry = geometry
        self.store = store
    }

    /// Takes a file that was opened elsewhere.
    package func adopt(_ file: any File, for header: SegmentHeader) {
        let asOf = lock.withLock { changes }
        keep(SegmentFile(file: file, header: header, extents: nil), header.number, asOf)
    }

    /// Finds the files in the folder that hold several segments, all of which end before the cut of
    /// a checkpoint. What has such a name and is not one is left alone.
    package func findSpans(before cut: LSN) throws(LogError) {
        let names = try LogError.disk { () throws(DiskError) in try disk.list() }
        let limit = geometry.segment(of: cut)
        let all = geometry.spans(in: names).filter { $0.last < limit }
        var found: [SegmentSpan] = []
        var reached: SegmentNumber?
        for (place, span) in all.enumerated() {
            let isAlone =
                reached.map { $0 < span.first } ?? true
                && (place + 1 == all.count || span.last < all[place + 1].first)
            reached = max(reached ?? span.last, span.last)
            if span.isOne { continue }
            // Beside others it holds what they do, or is none of the store's.
            if !isAlone, try !isSound(span) { continue }
            // The longest of those that begin together comes last.
            while let before = found.last, span.contains(before) { found.removeLast() }
            if !(found.last?.contains(span) ?? false) { found.append(span) }
        }
        lock.withLock { spans = found }
    }

    private func isSound(_ span: SegmentSpan) throws(LogError) -> Bool {
        do throws(LogError) { return try SegmentFile.open(span, self) != nil } catch {
            guard case .damaged = error else { throw error }
            return false
        }
    }

    /// The files that a crash left beside one that holds all that is live in them.
    package func superseded(in names: [String]) -> [String] {
        geometry.spans(in: names).filter { file in
            let span = span(of: file.first)
            return span != file && span.contains(file)
        }.map(\.fileName)
    }

    /// The files of segments among those in the folder.
    package func spans(in names: [String]) -> [SegmentSpan] {
        geometry.spans(in: names).filter { span(of: $0.first) == $0 }
    }

    /// The segments that the file of one holds.
    package func span(of number: SegmentNumber) -> SegmentSpan {
        lock.withLock { spanHeld(of: number) }
    }

    private func spanHeld(of number: SegmentNumber) -> SegmentSpan {
        if spans.isEmpty { return SegmentSpan(number) }
        let place = spans.indices.countOfFirst { spans[$0].first <= number }
        guard place > 0, spans[place - 1].contains(number) else { return SegmentSpan(number) }
        return spans[place - 1]
    }

    /// Reads what other files held from one that is in the folder now, and holds all of it.
    package func replace(with span: SegmentSpan) {
        lock.withLock {
            spans.removeAll { span.contains($0) }
            if !span.isOne {
                spans.insert(span, at: spans.indices.countOfFirst { spans[$0].first < span.first })
            }
            forgetHeld(span)
        }
    }

    /// Forgets a file that was removed.
    package func forget(_ span: SegmentSpan) {
        lock.withLock {
            spans.removeAll { $0 == span }
            forgetHeld(span)
        }
    }

    private func forgetHeld(_ span: SegmentSpan) {
        for number in order where span.contains(number) { close(number) }
        order.removeAll { span.contains($0) }
        changes += 1
    }

    private func close(_ number: SegmentNumber) {
        extentsBytes -= open.removeValue(forKey: number)?.extents?.byteCount ?? 0
    }

    package func file(_ number: SegmentNumber) throws(LogError) -> SegmentFile {
        while true {
            let (span, known, asOf) = lock.withLock { () in
                let span = spanHeld(of: number)
                return (span, open[span.first], isShut ? nil : changes)
            }
            guard let asOf else { throw .closed }
            if let known { return known }
            guard let file = try SegmentFile.open(span, self) else {
                // Its segments went into another file meanwhile.
                if self.span(of: number) != span { continue }
                throw .damaged(
                    Damage(at: geometry.base(of: number), "segment \(number) is missing")
                )
            }
            keep(file, span.first, asOf)
            return file
        }
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

    /// Unless files changed since: one that is gone would keep its room on the disk.
    private func keep(_ file: SegmentFile, _ number: SegmentNumber, _ asOf: Int) {
        lock.lock()
        defer { lock.unlock() }
        if isShut || changes != asOf { return }
        if open[number] != nil {
            close(number)
            order.removeAll { $0 == number }
        }
        let byteCount = file.extents?.byteCount ?? 0
        while !order.isEmpty,
            order.count == Self.openLimit || extentsBytes + byteCount > Self.extentsLimit
        {
            // The one opened longest ago.
            close(order.removeFirst())
        }
        order.append(number)
        open[number] = file
        extentsBytes += byteCount
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

    /// Nil where there is no such file.
    static func open(
        _ span: SegmentSpan,
        _ files: SegmentFiles
    ) throws(LogError) -> SegmentFile? {
        let file: any File
        do throws(DiskError) { file = try files.disk.open(span.fileName) } catch {
            guard case .notFound = error else { throw .disk(error) }
            return nil
        }
        let header = try SegmentHeader.load(file, span, files.store, files.geometry)
        let extents =
            header.generation == 0 ? nil : try ClosingIndex.loadExtents(file, header)
        return SegmentFile(file: file, header: header, extents: extents)
    }
}
