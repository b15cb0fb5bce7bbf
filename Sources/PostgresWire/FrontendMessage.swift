/// A prepared statement or a portal, by its name.
package enum StatementOrPortal: Hashable, Sendable {
    case statement(WireString)
    case portal(WireString)
}

package struct Parse: Hashable, Sendable {
    package var statement: WireString
    package var query: WireString
    package var parameterTypes: [UInt32]

    package init(statement: WireString, query: WireString, parameterTypes: [UInt32] = []) {
        self.statement = statement
        self.query = query
        self.parameterTypes = parameterTypes
    }
}

package struct Bind: Hashable, Sendable {
    package var portal: WireString
    package var statement: WireString
    package var parameterFormats: [Int16]
    package var parameters: [[UInt8]?]
    package var resultFormats: [Int16]

    package init(
        portal: WireString,
        statement: WireString,
        parameterFormats: [Int16] = [],
        parameters: [[UInt8]?] = [],
        resultFormats: [Int16] = []
    ) {
        self.portal = portal
        self.statement = statement
        self.parameterFormats = parameterFormats
        self.parameters = parameters
        self.resultFormats = resultFormats
    }
}

/// The names that a Bind begins with, for whoever does not need its values.
package struct BindHeader: Hashable, Sendable {
    package let portal: WireString
    package let statement: WireString

    /// Reads the front of a body of which more may follow.
    package init(decoding body: [UInt8]) throws(WireError) {
        var reader = WireReader(body)
        portal = try reader.string()
        statement = try reader.string()
    }
}

package struct FunctionCall: Hashable, Sendable {
    package var function: UInt32
    package var argumentFormats: [Int16]
    package var arguments: [[UInt8]?]
    package var resultFormat: Int16

    package init(
        function: UInt32,
        argumentFormats: [Int16] = [],
        arguments: [[UInt8]?] = [],
        resultFormat: Int16 = 0
    ) {
        self.function = function
        self.argumentFormats = argumentFormats
        self.arguments = arguments
        self.resultFormat = resultFormat
    }
}

/// What a client says once its session has begun, and the answers that it gives to log in.
package enum FrontendMessage: Hashable, Sendable {
    case bind(Bind)
    case close(StatementOrPortal)
    case copyData([UInt8])
    case copyDone
    case copyFail(WireString)
    case describe(StatementOrPortal)
    case execute(portal: WireString, maximumRows: Int32)
    case flush
    case functionCall(FunctionCall)
    case parse(Parse)
    /// A password or a SASL message: which of them, only the exchange tells.
    case password([UInt8])
    case query(WireString)
    case sync
    case terminate

    package var type: FrontendType {
        switch self {
        case .bind: .bind
        case .close: .close
        case .copyData: .copyData
        case .copyDone: .copyDone
        case .copyFail: .copyFail
        case .describe: .describe
        case .execute: .execute
        case .flush: .flush
        case .functionCall: .functionCall
        case .parse: .parse
        case .password: .password
        case .query: .query
        case .sync: .sync
        case .terminate: .terminate
        }
    }
}

/// The first SASL message of a client, in a `p` message.
package struct SASLInitialResponse: Hashable, Sendable {
    package let mechanism: WireString
    /// Null where the client leaves the beginning to the server.
    package let data: [UInt8]?

    package init(mechanism: WireString, data: [UInt8]?) {
        self.mechanism = mechanism
        self.data = data
    }

    package init(decoding body: [UInt8]) throws(WireError) {
        var reader = WireReader(body)
        mechanism = try reader.string()
        data = try reader.value()
        try reader.end()
    }

    package func message() throws(WireError) -> FrontendMessage {
        var writer = WireWriter()
        try writer.append(string: mechanism)
        try writer.append(value: data)
        return .password(writer.bytes)
    }
}

/// A password as text, in a `p` message.
package struct PasswordMessage: Hashable, Sendable {
    package let password: WireString

    package init(_ password: WireString) { self.password = password }

    package init(decoding body: [UInt8]) throws(WireError) {
        var reader = WireReader(body)
        do { password = try reader.string() } catch {
            throw .violation("invalid password packet size")
        }
        guard reader.remaining == 0 else { throw .violation("invalid password packet size") }
        guard !password.isEmpty else {
            throw WireError(.invalidPassword, "empty password returned by client")
        }
    }

    package func message() throws(WireError) -> FrontendMessage {
        var writer = WireWriter()
        try writer.append(string: password)
        return .password(writer.bytes)
    }
}
