/// An ErrorResponse or a NoticeResponse: fields with a letter and a text each.
package struct ServerReport: Hashable, Sendable {
    /// A field's letter.
    package enum Code: UInt8, Sendable, CaseIterable {
        case severity = 0x53  // S
        case plainSeverity = 0x56  // V
        case state = 0x43  // C
        case message = 0x4D  // M
        case detail = 0x44  // D
        case hint = 0x48  // H
        case position = 0x50  // P
        case internalPosition = 0x70  // p
        case internalQuery = 0x71  // q
        case context = 0x57  // W
        case schema = 0x73  // s
        case table = 0x74  // t
        case column = 0x63  // c
        case dataType = 0x64  // d
        case constraint = 0x6E  // n
        case file = 0x46  // F
        case line = 0x4C  // L
        case routine = 0x52  // R
    }

    package struct Field: Hashable, Sendable {
        /// A letter that may be none of ``Code``: then it is kept as it came.
        package let code: UInt8
        package let value: WireString

        package init(_ code: UInt8, _ value: WireString) {
            self.code = code
            self.value = value
        }
    }

    package enum Severity: String, Sendable {
        case error = "ERROR"
        case fatal = "FATAL"
        case notice = "NOTICE"
        case warning = "WARNING"
    }

    package let fields: [Field]

    package init(fields: [Field]) { self.fields = fields }

    package init(
        _ severity: Severity,
        state: String,
        _ message: String,
        detail: String? = nil,
        hint: String? = nil
    ) {
        let all: [(Code, String?)] = [
            (.severity, severity.rawValue), (.plainSeverity, severity.rawValue), (.state, state),
            (.message, message), (.detail, detail), (.hint, hint),
        ]
        fields = all.compactMap { code, text in
            // A text that came from a peer must not end a field early.
            text.map { Field(code.rawValue, WireString($0.utf8.filter { $0 != 0 })) }
        }
    }

    /// What a client is told before its connection is closed.
    package init(closingWith error: WireError) {
        self.init(.fatal, state: error.state.rawValue, error.message, detail: error.detail)
    }

    package subscript(_ code: Code) -> WireString? {
        fields.first { $0.code == code.rawValue }?.value
    }

    /// The SQLSTATE, where it has the five letters or digits that it must have. A server that is
    /// not to be trusted may leave it out.
    package var sqlState: String? {
        guard let state = self[.state]?.bytes, state.count == 5,
            state.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) })
        else { return nil }
        return String(decoding: state, as: UTF8.self)
    }
}

extension ServerReport {
    init(decoding reader: inout WireReader) throws(WireError) {
        var fields: [Field] = []
        while true {
            let code = try reader.integer(as: UInt8.self)
            if code == 0 { break }
            guard fields.count < WireLimits.errorFields else { throw .invalidFormat() }
            fields.append(Field(code, try reader.string()))
        }
        self.fields = fields
    }

    func encode(into body: inout WireWriter) throws(WireError) {
        for field in fields {
            guard field.code != 0 else { throw .invalidFormat() }
            body.append(field.code)
            try body.append(string: field.value)
        }
        body.append(0)
    }
}
