import Primitives
package import WriteAheadLog

/// Where the nodes of maps are read from.
package struct NodeSource: Sendable {
    package let cache: NodeCache
    package let log: Log
    /// In the critical section: a node that is not in the cache stops the attempt by
    /// ``LogError/needsNode(_:)``, is loaded outside, and the attempt is made again.
    package let isCacheOnly: Bool
    /// What was loaded for this attempt and those before it: the cache may have let go of one by
    /// the time that the next is there.
    private let loaded: [LSN: CachedNode]

    package init(cache: NodeCache, log: Log) {
        self.init(cache: cache, log: log, isCacheOnly: false, loaded: [:])
    }

    private init(cache: NodeCache, log: Log, isCacheOnly: Bool, loaded: [LSN: CachedNode]) {
        self.cache = cache
        self.log = log
        self.isCacheOnly = isCacheOnly
        self.loaded = loaded
    }

    package var cacheOnly: NodeSource {
        NodeSource(cache: cache, log: log, isCacheOnly: true, loaded: loaded)
    }

    /// This, with a node at hand that was loaded outside of the critical section.
    package func holding(_ node: CachedNode, at location: Location) -> NodeSource {
        var loaded = loaded
        loaded[location.lsn] = node
        return NodeSource(cache: cache, log: log, isCacheOnly: isCacheOnly, loaded: loaded)
    }

    @inline(__always)
    package func node<Value: MapValue>(
        _ location: Location,
        of type: Value.Type = Value.self
    ) throws(LogError) -> MapNode<Value> {
        if let cached = cache.node(at: location) ?? loaded[location.lsn] {
            if Swift.type(of: cached) == MapNode<Value>.self {
                // Safe: the type was compared just above; a checked cast costs 40 ns more.
                return unsafe unsafeDowncast(cached, to: MapNode<Value>.self)
            }
            throw .damaged(Damage(at: location.lsn, "a node of another map"))
        }
        if isCacheOnly { throw .needsNode(location) }
        let node: MapNode<Value> = try load(location)
        cache.insert(node, at: location)
        return node
    }

    /// A node for a walk over everything, which leaves the cache to who comes back to it.
    package func passing<Value: MapValue>(
        _ location: Location,
        of type: Value.Type = Value.self
    ) throws(LogError) -> MapNode<Value> {
        cache.node(at: location) == nil ? try load(location) : try node(location)
    }

    /// Reads a node from the log, without a look at the cache.
    package func load<Value: MapValue>(
        _ location: Location,
        of type: Value.Type = Value.self
    ) throws(LogError) -> MapNode<Value> {
        let (header, payload) = try log.readBlock(location)
        guard header.kind == .node, header.object == Value.kind else {
            throw .damaged(Damage(at: location.lsn, "something else in the place of a node"))
        }
        do throws(Malformed) {
            let node = try MapNode<Value>(decoding: payload)
            guard UInt64(node.level) == header.page else {
                throw Malformed("a node of another level", at: 0)
            }
            return node
        } catch { throw .damaged(Damage(at: location.lsn, "a node: \(error.what)")) }
    }
}

extension Log {
    /// Reads a block and checks it; the payload as it was stored.
    package func readBlock(
        _ location: Location
    ) throws(LogError) -> (header: BlockHeader, payload: [UInt8]) {
        guard location.length >= UInt32(BlockHeader.size),
            Int(location.length) <= options.geometry.maximumRecordBytes
        else { throw .damaged(Damage(at: location.lsn, "a location of \(location.length) bytes")) }
        var bytes = [UInt8](repeating: 0, count: Int(location.length))
        var result: Result<BlockHeader, LogError>?
        unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(LogError) {
                try unsafe read(location, into: buffer)
                let header = try unsafe Log.verify(
                    UnsafeRawBufferPointer(buffer),
                    location,
                    seed: options.store.blockSeed
                )
                result = .success(header)
            } catch { result = .failure(error) }
        }
        guard let header = try result?.get() else {
            preconditionFailure("a read that neither succeeded nor failed")
        }
        bytes.removeFirst(BlockHeader.size)
        return (header, bytes)
    }
}
