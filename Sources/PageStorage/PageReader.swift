import Primitives
package import WriteAheadLog

/// Reads pages: from the cache, or from where they lie in the log.
package struct PageReader: Sendable {
    package let cache: PageCache
    package let nodes: NodeSource
    package let pageSize: Int

    package init(cache: PageCache, nodes: NodeSource, pageSize: Int) {
        self.cache = cache
        self.nodes = nodes
        self.pageSize = pageSize
    }

    /// Where the newest version of a page stands; nil where it reads as zeros.
    package func locate(_ key: MapKey, in map: PageMap) throws(LogError) -> Location? {
        switch map[key] {
        case .at(let location): return location
        case .deleted: return nil
        case .untouched: return try MapReader<Location>(nodes, root: map.root)[key]
        }
    }

    /// Fills `target`, a page long, with a page.
    package func read(
        _ key: MapKey,
        in map: PageMap,
        into target: UnsafeMutableRawBufferPointer
    ) throws(LogError) {
        invariant(target.count == pageSize, "a page into \(target.count) bytes")
        guard let location = try locate(key, in: map) else {
            unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
            return
        }
        try unsafe read(location, key, into: target)
    }

    /// Fills `target` with the beginning of the version of a page that stands at `location`.
    package func read(
        _ location: Location,
        _ key: MapKey,
        into target: UnsafeMutableRawBufferPointer
    ) throws(LogError) {
        invariant(target.count <= pageSize, "a page into \(target.count) bytes")
        if unsafe cache.copy(location, to: target) { return }
        if target.count == pageSize { return try unsafe load(location, key, into: target) }
        let page = UnsafeMutableRawBufferPointer.allocate(byteCount: pageSize, alignment: 16)
        defer { unsafe page.deallocate() }
        try unsafe load(location, key, into: page)
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: page[..<target.count]))
    }

    /// Fills `target` with a whole page, and keeps that in the cache.
    private func load(
        _ location: Location,
        _ key: MapKey,
        into target: UnsafeMutableRawBufferPointer
    ) throws(LogError) {
        let most = BlockHeader.size + pageSize
        guard location.length >= UInt32(BlockHeader.size), Int(location.length) <= most else {
            throw .damaged(Damage(at: location.lsn, "a page of \(location.length) bytes"))
        }
        var failure: LogError?
        unsafe withUnsafeTemporaryAllocation(byteCount: most, alignment: 16) { buffer in
            do throws(LogError) {
                try unsafe fetch(location, key, buffer, target)
            } catch { failure = error }
        }
        if let failure { throw failure }
        unsafe cache.insert(UnsafeRawBufferPointer(target), at: location)
    }

    private func fetch(
        _ location: Location,
        _ key: MapKey,
        _ buffer: UnsafeMutableRawBufferPointer,
        _ target: UnsafeMutableRawBufferPointer
    ) throws(LogError) {
        try unsafe nodes.log.read(location, into: buffer)
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<Int(location.length)])
        let header = try unsafe Log.verify(
            bytes,
            location,
            seed: nodes.log.options.store.blockSeed
        )
        guard header.kind == .page, header.object == key.high, header.page == key.low else {
            throw .damaged(Damage(at: location.lsn, "another page in the place of one"))
        }
        let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[BlockHeader.size...])
        guard unsafe PageCodec.decode(payload, header.encoding, into: target) else {
            throw .damaged(Damage(at: location.lsn, "a page that does not decompress"))
        }
    }
}
