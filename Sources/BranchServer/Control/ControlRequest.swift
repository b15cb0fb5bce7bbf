package import Primitives

/// A command line on its way to the server that has the store open, and what came of it.
///
///     request   "oxbowctl", version (2), length of the body (4), body
///     body      working folder, actor, whether $OXBOW_STORE is set, it, count of arguments, each
///     reply     kind (1), length (4), exit code (4) or a sentence
///
/// Numbers of fixed size are little-endian; all else is a varint and that many bytes. With the
/// first byte of a request come three descriptors: what the command reads, where its results go,
/// and where its messages go.
package struct ControlRequest: Hashable, Sendable {
    /// Without the name of the program; bytes, whatever they mean.
    package var arguments: [[UInt8]]
    /// What the client's relative paths begin from.
    package var folder: [UInt8]
    /// Who does it, where no option says so.
    package var actor: String
    /// The client's `$OXBOW_STORE`.
    package var store: [UInt8]?

    package init(
        _ arguments: [[UInt8]],
        folder: [UInt8],
        actor: String,
        store: [UInt8]? = nil
    ) {
        self.arguments = arguments
        self.folder = folder
        self.actor = actor
        self.store = store
    }

    static let magic = Array("oxbowctl".utf8)
    static let version: UInt16 = 1
    /// Magic, version and length.
    package static let headerBytes = 14
    /// As much as a command line may be, with a little room.
    package static let mostBytes = 1 << 20
    package static let mostArguments = 10_000

    /// The whole request; nil where it is larger than a server takes.
    package func encoded() -> [UInt8]? {
        var body = ByteWriter()
        body.appendCounted(folder)
        body.append(text: actor)
        body.append(UInt8(store == nil ? 0 : 1))
        body.appendCounted(store ?? [])
        body.append(varint: UInt64(arguments.count))
        for argument in arguments { body.appendCounted(argument) }
        guard body.count <= Self.mostBytes, arguments.count <= Self.mostArguments else {
            return nil
        }
        var whole = ByteWriter(capacity: Self.headerBytes + body.count)
        whole.append(raw: Self.magic)
        whole.append(fixed: Self.version)
        whole.append(fixed: UInt32(body.count))
        whole.append(raw: body.bytes)
        return whole.bytes
    }

    /// How long the body is that follows a header.
    package static func bodyLength(header: [UInt8]) throws(Malformed) -> Int {
        var reader = ByteReader(header)
        guard try reader.raw(magic.count, "magic") == magic else {
            throw Malformed("not a command of oxbow", at: 0)
        }
        let version: UInt16 = try reader.fixed("version")
        guard version == Self.version else {
            throw Malformed(
                "a command of version \(version), and this server speaks \(Self.version): use the "
                    + "same oxbow for both",
                at: magic.count
            )
        }
        let length: UInt32 = try reader.fixed("length")
        guard length <= UInt32(mostBytes) else {
            throw Malformed("a command of \(length) bytes, of at most \(mostBytes)", at: 10)
        }
        try reader.end("the header")
        return Int(length)
    }

    /// Reads a body, which may be anything.
    package init(body: [UInt8]) throws(Malformed) {
        var reader = ByteReader(body)
        folder = try reader.raw(reader.count("folder"), "folder")
        guard !folder.contains(0) else { throw Malformed("a folder with a zero byte", at: 0) }
        actor = try reader.text("actor")
        let hasStore = try reader.byte("whether there is a store")
        let store = try reader.raw(reader.count("store"), "store")
        guard hasStore <= 1, hasStore == 1 || store.isEmpty else {
            throw Malformed("a store that is not there", at: reader.offset)
        }
        self.store = hasStore == 1 ? store : nil
        let count = try reader.count("arguments")
        guard count <= Self.mostArguments else {
            throw Malformed("\(count) arguments", at: reader.offset)
        }
        arguments = []
        arguments.reserveCapacity(count)
        for _ in 0..<count {
            let argument = try reader.raw(reader.count("argument"), "argument")
            // No program can be given one.
            guard !argument.contains(0) else {
                throw Malformed("an argument with a zero byte", at: reader.offset)
            }
            arguments.append(argument)
        }
        try reader.end("the command")
    }
}

/// What a client is told.
package enum ControlReply: Hashable, Sendable {
    /// The command ended so.
    case exit(Int32)
    /// It was not begun, and why.
    case refused(String)

    static let headerBytes = 5
    static let mostBytes = 1 << 16

    package var encoded: [UInt8] {
        var whole = ByteWriter()
        switch self {
        case .exit(let code):
            whole.append(UInt8(0))
            whole.append(fixed: UInt32(4))
            whole.append(fixed: code)
        case .refused(let sentence):
            let text = Array(sentence.utf8.prefix(Self.mostBytes))
            whole.append(UInt8(1))
            whole.append(fixed: UInt32(text.count))
            whole.append(raw: text)
        }
        return whole.bytes
    }

    /// How long the rest is that follows a header.
    package static func bodyLength(header: [UInt8]) throws(Malformed) -> Int {
        var reader = ByteReader(header)
        _ = try reader.byte("kind")
        let length: UInt32 = try reader.fixed("length")
        guard length <= UInt32(mostBytes) else {
            throw Malformed("\(length) bytes of answer", at: 1)
        }
        return Int(length)
    }

    package init(kind: UInt8, body: [UInt8]) throws(Malformed) {
        switch kind {
        case 0:
            var reader = ByteReader(body)
            self = .exit(try reader.fixed("exit code"))
            try reader.end("the exit code")
        case 1: self = .refused(String(decoding: body, as: UTF8.self))
        default: throw Malformed("an answer of kind \(kind)", at: 0)
        }
    }
}

extension ByteWriter {
    fileprivate mutating func appendCounted(_ bytes: [UInt8]) {
        append(varint: UInt64(bytes.count))
        append(raw: bytes)
    }
}
