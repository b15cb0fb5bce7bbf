import PageStorage
import Timelines
import WriteAheadLog

/// The changes of one commit in the making. It sees its own writes.
///
/// Reading another page than it wrote holds the branch until the commit ends, so what was read is
/// still so when the commit takes effect; commits that only write don't wait for others.
public final class Edit {
    let core: StoreCore
    let branch: BranchID
    /// The only timeline to write to; nil for whichever the branch is on.
    let timeline: TimelineID?
    /// What was done and is not in the log yet. The locations are places in `buffer`.
    var delta = Delta()
    var buffer = BlockBuffer()
    /// What of a large commit is in the log already.
    var spilled: SpilledEdit?
    /// The branch as the commit finds it, from when it is held.
    var base: (timeline: TimelineID, map: PageMap)?
    /// Keeps that, and what was spilled since.
    private var pin: UInt64?
    private var isOpen = true

    init(core: StoreCore, branch: BranchID, on timeline: TimelineID? = nil) {
        self.core = core
        self.branch = branch
        self.timeline = timeline
    }

    /// Writes a page: exactly as many bytes as a page has.
    public func write(_ bytes: [UInt8], page: PageNumber, of object: ObjectID) throws(OxbowError) {
        var failure: OxbowError?
        unsafe bytes.withUnsafeBytes { raw in
            do throws(OxbowError) { try unsafe write(raw, page: page, of: object) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Writes a page from memory of the caller's: exactly as many bytes as a page has.
    public func write(
        _ bytes: UnsafeRawBufferPointer,
        page: PageNumber,
        of object: ObjectID
    ) throws(OxbowError) {
        try check(page, object, "write")
        guard bytes.count == core.geometry.pageSize else {
            throw OxbowError(
                .invalid,
                "write page \(page) of object \(object): \(bytes.count) bytes given, a page has "
                    + "\(core.geometry.pageSize)"
            )
        }
        let most = BlockBuffer.size(ofPayload: PageCodec.bound(bytes.count))
        if byteCount + most > spillLimit { try spill() }
        unsafe buffer.append(page: bytes, object: object, number: page)
        delta.write(MapKey(object, page), place(buffer.count - 1))
    }

    /// Deletes a page: from then on it reads as zeros.
    public func delete(page: PageNumber, of object: ObjectID) throws(OxbowError) {
        try check(page, object, "delete")
        delta.delete(MapKey(object, page))
        try spillIfLarge()
    }

    /// Deletes pages from `from` up to, not including, `upTo`.
    public func delete(
        pages from: PageNumber,
        upTo: PageNumber,
        of object: ObjectID
    ) throws(OxbowError) {
        try check(from, object, "delete")
        guard from <= upTo else {
            throw OxbowError(
                .invalid,
                "delete pages \(from) up to \(upTo) of object \(object): "
                    + "the end stands before the start"
            )
        }
        delta.delete(KeyRange(MapKey(object, from), MapKey(object, upTo)))
        try spillIfLarge()
    }

    /// Deletes all pages of an object.
    public func delete(object: ObjectID) throws(OxbowError) {
        try delete(pages: 0, upTo: PageNumber(.max), of: object)
    }

    /// Reads a page as this commit would leave it.
    public func read(page: PageNumber, of object: ObjectID) throws(OxbowError) -> [UInt8] {
        try check(page, object, "read")
        let key = MapKey(object, page)
        var bytes = [UInt8](repeating: 0, count: core.geometry.pageSize)
        switch delta[key] {
        case .at(let location): restore(location, into: &bytes)
        case .deleted: break
        case .untouched:
            let held = try hold()
            let map = spilled?.map ?? held.map
            bytes = try core.readPage(key, in: map)
        }
        return bytes
    }

    private func check(
        _ page: PageNumber,
        _ object: ObjectID,
        _ verb: String
    ) throws(OxbowError) {
        guard isOpen else {
            throw OxbowError(.invalid, "\(verb) page \(page): the commit is over")
        }
        try StoreCore.checkNumber(page, object, verb)
    }

    /// Where a block of the buffer stands, in the form of a location.
    func place(_ index: Int) -> Location {
        Location(lsn: LSN(rawValue: UInt64(index) + 1), length: 1, checksum: 0)
    }

    func index(_ place: Location) -> Int { Int(place.lsn.rawValue) - 1 }

    private func restore(_ place: Location, into bytes: inout [UInt8]) {
        let index = index(place)
        let header = buffer.headers[index]
        let start = buffer.offsets[index] + BlockHeader.size
        let isWhole = unsafe buffer.bytes.withUnsafeBytes { all in
            let payload = unsafe UnsafeRawBufferPointer(
                rebasing: all[start..<start + header.payloadLength]
            )
            return unsafe bytes.withUnsafeMutableBytes { target in
                unsafe PageCodec.decode(payload, header.encoding, into: target)
            }
        }
        invariant(isWhole, "a page that was just compressed does not decompress")
    }

    /// Holds the branch for this commit, and returns what it shows.
    @discardableResult
    func hold() throws(OxbowError) -> (timeline: TimelineID, map: PageMap) {
        if let base { return base }
        guard core.commitLocks.take(branch) else {
            throw OxbowError(
                .invalid,
                "a commit inside another commit on the same branch would wait for itself"
            )
        }
        do throws(OxbowError) {
            let found = try core.head(of: branch)
            if let timeline, timeline != found.timeline {
                core.unpin(found.pin)
                throw StoreCore.left(branch)
            }
            pin = found.pin
            let held = (found.timeline, found.map)
            base = held
            return held
        } catch {
            core.commitLocks.give(branch)
            throw error
        }
    }

    /// Ends the commit, whether it took effect or not.
    func end() {
        isOpen = false
        if base != nil { core.commitLocks.give(branch) }
        base = nil
        if let pin { core.unpin(pin) }
        pin = nil
    }
}
