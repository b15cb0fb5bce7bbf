/// A version of the protocol; as a number, the major one in the upper half.
package struct ProtocolVersion: Hashable, Comparable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package init(_ major: UInt16, _ minor: UInt16) {
        rawValue = UInt32(major) << 16 | UInt32(minor)
    }

    package var major: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }
    package var minor: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

    package static let v3 = ProtocolVersion(3, 0)
    /// With keys for cancelling of up to 256 bytes.
    package static let newest = ProtocolVersion(3, 2)

    package static func < (left: ProtocolVersion, right: ProtocolVersion) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What lets somebody cancel a session's query.
package struct CancelKey: Hashable, Sendable {
    package let processID: UInt32
    /// Four bytes before protocol 3.2, 4 to 256 since.
    package let secret: [UInt8]

    package init(processID: UInt32, secret: [UInt8]) {
        self.processID = processID
        self.secret = secret
    }
}

/// A name and a value of a start-up packet or of a ParameterStatus.
package struct WireParameter: Hashable, Sendable {
    package let name: WireString
    package let value: WireString

    package init(_ name: WireString, _ value: WireString) {
        self.name = name
        self.value = value
    }
}

/// What asks for a session.
package struct StartupMessage: Hashable, Sendable {
    package let version: ProtocolVersion
    /// In the order that they came in; no name twice.
    package let parameters: [WireParameter]

    package init(_ version: ProtocolVersion, _ parameters: [WireParameter]) {
        self.version = version
        self.parameters = parameters
    }

    package subscript(_ name: WireString) -> WireString? {
        parameters.first { $0.name == name }?.value
    }

    /// The names of what extends the protocol. None is known here, so a server tells the client.
    package var protocolOptions: [WireString] {
        parameters.map(\.name).filter { $0.bytes.starts(with: "_pq_.".utf8) }
    }
}

/// A packet that a client may begin with, which has no type:
/// `length (4) | code (4) | the rest, by the code`.
package enum StartupPacket: Hashable, Sendable {
    case startTLS
    case startGSS
    case cancel(CancelKey)
    case startup(StartupMessage)

    private static let cancelCode: UInt32 = 80_877_102
    private static let tlsCode: UInt32 = 80_877_103
    private static let gssCode: UInt32 = 80_877_104

    /// Reads what follows the length.
    package init(decoding body: [UInt8]) throws(WireError) {
        var reader = WireReader(body)
        let code = try reader.integer(as: UInt32.self)
        switch code {
        case Self.tlsCode, Self.gssCode:
            guard reader.remaining == 0 else { throw Self.badLength() }
            self = code == Self.tlsCode ? .startTLS : .startGSS
        case Self.cancelCode:
            guard reader.remaining >= 8, reader.remaining <= 4 + WireLimits.cancelKey else {
                throw Self.badLength()
            }
            let process = try reader.integer(as: UInt32.self)
            self = .cancel(CancelKey(processID: process, secret: try reader.rest()))
        default:
            self = .startup(try Self.message(ProtocolVersion(rawValue: code), &reader))
        }
    }

    private static func message(
        _ version: ProtocolVersion,
        _ reader: inout WireReader
    ) throws(WireError) -> StartupMessage {
        guard version.major == 3 else {
            throw WireError(
                .featureNotSupported,
                "unsupported frontend protocol \(version.major).\(version.minor): server supports "
                    + "3.0 to 3.2"
            )
        }
        var parameters: [WireParameter] = []
        var names: Set<WireString> = []
        while true {
            guard reader.remaining > 0 else { throw Self.badLayout() }
            let name = try Self.string(&reader)
            if name.isEmpty { break }
            let value = try Self.string(&reader)
            guard names.insert(name).inserted else {
                throw .violation("parameter \"\(name)\" stands twice in the startup packet")
            }
            guard names.count <= WireLimits.startupParameters else {
                throw .violation("too many parameters in the startup packet")
            }
            parameters.append(WireParameter(name, value))
        }
        guard reader.remaining == 0 else { throw Self.badLayout() }
        return StartupMessage(version, parameters)
    }

    private static func string(_ reader: inout WireReader) throws(WireError) -> WireString {
        do { return try reader.string() } catch { throw badLayout() }
    }

    private static func badLayout() -> WireError {
        .violation("invalid startup packet layout: expected terminator as last byte")
    }

    private static func badLength() -> WireError {
        .violation("invalid length of startup packet")
    }
}

extension StartupPacket {
    package func encode(into writer: inout WireWriter) throws(WireError) {
        try writer.message(nil, limit: WireLimits.startupPacket) { body throws(WireError) in
            switch self {
            case .startTLS: body.append(integer: Self.tlsCode)
            case .startGSS: body.append(integer: Self.gssCode)
            case .cancel(let key):
                body.append(integer: Self.cancelCode)
                body.append(integer: key.processID)
                body.append(raw: key.secret)
            case .startup(let message):
                body.append(integer: message.version.rawValue)
                for parameter in message.parameters {
                    guard !parameter.name.isEmpty else { throw .invalidFormat() }
                    try body.append(string: parameter.name)
                    try body.append(string: parameter.value)
                }
                body.append(0)
            }
        }
    }
}
