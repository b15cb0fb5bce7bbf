extension FrontendMessage {
    /// Reads a message from its type and its body.
    package init(_ frame: Frame) throws(WireError) {
        guard let type = FrontendType(rawValue: frame.type) else {
            throw .violation("invalid frontend message type \(frame.type)")
        }
        var reader = WireReader(frame.body)
        self = try Self.decode(type, &reader)
        try reader.end()
    }

    private static func decode(
        _ type: FrontendType,
        _ reader: inout WireReader
    ) throws(WireError) -> FrontendMessage {
        switch type {
        case .bind: .bind(try bind(&reader))
        case .close: .close(try target(&reader, "CLOSE"))
        case .copyData: .copyData(try reader.rest())
        case .copyDone: .copyDone
        case .copyFail: .copyFail(try reader.string())
        case .describe: .describe(try target(&reader, "DESCRIBE"))
        case .execute:
            .execute(portal: try reader.string(), maximumRows: try reader.integer())
        case .flush: .flush
        case .functionCall: .functionCall(try functionCall(&reader))
        case .parse: .parse(try parse(&reader))
        case .password: .password(try reader.rest())
        case .query: .query(try reader.string())
        case .sync: .sync
        case .terminate: .terminate
        }
    }

    private static func target(
        _ reader: inout WireReader,
        _ what: StaticString
    ) throws(WireError) -> StatementOrPortal {
        let kind = try reader.integer(as: UInt8.self)
        let name = try reader.string()
        switch kind {
        case UInt8(ascii: "S"): return .statement(name)
        case UInt8(ascii: "P"): return .portal(name)
        default: throw .violation("invalid \(what) message subtype \(kind)")
        }
    }

    private static func parse(_ reader: inout WireReader) throws(WireError) -> Parse {
        let statement = try reader.string()
        let query = try reader.string()
        let count = try reader.count(ofAtLeast: 4)
        var types: [UInt32] = []
        types.reserveCapacity(count)
        for _ in 0..<count { types.append(try reader.integer()) }
        return Parse(statement: statement, query: query, parameterTypes: types)
    }

    private static func bind(_ reader: inout WireReader) throws(WireError) -> Bind {
        let portal = try reader.string()
        let statement = try reader.string()
        let formats = try reader.formats()
        let parameters = try reader.values()
        guard formats.count <= 1 || formats.count == parameters.count else {
            throw .violation(
                "bind message has \(formats.count) parameter formats but "
                    + "\(parameters.count) parameters"
            )
        }
        return Bind(
            portal: portal,
            statement: statement,
            parameterFormats: formats,
            parameters: parameters,
            resultFormats: try reader.formats()
        )
    }

    private static func functionCall(
        _ reader: inout WireReader
    ) throws(WireError) -> FunctionCall {
        let function = try reader.integer(as: UInt32.self)
        let formats = try reader.formats()
        let arguments = try reader.values()
        guard formats.count <= 1 || formats.count == arguments.count else {
            throw .violation(
                "function call message contains \(formats.count) argument formats but "
                    + "\(arguments.count) arguments"
            )
        }
        return FunctionCall(
            function: function,
            argumentFormats: formats,
            arguments: arguments,
            resultFormat: try reader.integer()
        )
    }
}

extension WireReader {
    /// Codes of formats, with their count before them.
    @_lifetime(self: copy self)
    mutating func formats() throws(WireError) -> [Int16] {
        let count = try count(ofAtLeast: 2)
        var formats: [Int16] = []
        formats.reserveCapacity(count)
        for _ in 0..<count { formats.append(try integer()) }
        return formats
    }

    /// Values that may be null, with their count before them.
    @_lifetime(self: copy self)
    mutating func values() throws(WireError) -> [[UInt8]?] {
        let count = try count(ofAtLeast: 4)
        var values: [[UInt8]?] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try value()) }
        return values
    }
}
