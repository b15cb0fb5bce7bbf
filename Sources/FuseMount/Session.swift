import CFuse
import Glibc
import Oxbow
import Primitives
import Volume

/// What the kernel's requests are answered from.
final class Session: Sendable {
    let store: Store
    let trees: TreeTable
    /// The numbers by which the kernel knows open files.
    private let opened = Guarded<Set<UInt64>>([])

    init(_ store: Store) {
        self.store = store
        trees = TreeTable(store)
    }

    /// Answers a request, unless the body already has.
    static func answer(
        _ raw: fuse_req_t?,
        _ body: (Session, Request) throws(Refusal) -> Void
    ) {
        guard let raw = unsafe raw, let data = unsafe fuse_req_userdata(raw) else { return }
        let session = unsafe Unmanaged<Session>.fromOpaque(data).takeUnretainedValue()
        let request = unsafe Request(raw: raw)
        do throws(Refusal) { try body(session, request) } catch {
            request.refuse(error.errorNumber)
        }
    }

    /// Tells the kernel of a file in a tree, and counts that.
    func reply(
        _ request: Request,
        _ tree: MountedTree,
        _ number: InodeNumber
    ) throws(Refusal) {
        // Before it is told, since it may forget at once.
        tree.count(number)
        try reply(request, counted: tree, number, seconds: Request.forever)
    }

    /// Tells the kernel of a file that is counted as known already.
    func reply(
        _ request: Request,
        counted tree: MountedTree,
        _ number: InodeNumber,
        seconds: Double
    ) throws(Refusal) {
        do throws(Refusal) {
            let node = try tree.node(number)
            let attributes = try volume { () throws(VolumeError) in
                try tree.files.attributes(of: number)
            }
            if request.reply(entry: node, attributes, seconds: seconds) { return }
        } catch {
            trees.forget(tree, number)
            throw error
        }
        trees.forget(tree, number)
    }

    // MARK: Open files

    /// The number that the kernel keeps for an open file, until it lets go of that.
    func hold(_ open: OpenHandle) -> UInt64 {
        let number = open.retained()
        opened.withLock { _ = $0.insert(number) }
        return number
    }

    func letGo(_ number: UInt64) {
        if opened.withLock({ $0.remove(number) }) != nil { OpenHandle.release(number) }
    }

    /// What is open when a mount ends the kernel does not let go of any more.
    func letGoOfAll() {
        let all = opened.withLock { opened in
            defer { opened = [] }
            return opened
        }
        for number in all { OpenHandle.release(number) }
    }

    func forget(_ node: NodeID, _ count: UInt64) {
        guard node != .top, let tree = try? trees.tree(node) else { return }
        trees.forget(tree, node.number, count)
    }

    static func name(_ raw: UnsafePointer<CChar>?) throws(Refusal) -> FileName {
        guard let raw = unsafe raw else { throw Refusal(EINVAL) }
        let bytes = unsafe UnsafeRawBufferPointer(start: raw, count: strlen(raw))
        return try volume { () throws(VolumeError) in try FileName(unsafe [UInt8](bytes)) }
    }

    /// What the folder of all branches looks like.
    static var top: Attributes {
        var top = Attributes(kind: .folder, permissions: 0o755, owner: 0, group: 0, time: 0)
        top.linkCount = 2
        return top
    }
}
