extension FrontendMessage {
    package func encode(into writer: inout WireWriter) throws(WireError) {
        let limit = LengthRule.frontend.largest(type.rawValue) ?? WireLimits.smallMessage
        try writer.message(type.rawValue, limit: limit) { body throws(WireError) in
            try encodeBody(into: &body)
        }
    }

    private func encodeBody(into body: inout WireWriter) throws(WireError) {
        switch self {
        case .bind(let bind): try bind.encode(into: &body)
        case .close(let target), .describe(let target): try target.encode(into: &body)
        case .copyData(let data), .password(let data): body.append(raw: data)
        case .copyFail(let text), .query(let text): try body.append(string: text)
        case .execute(let portal, let maximumRows):
            try body.append(string: portal)
            body.append(integer: maximumRows)
        case .functionCall(let call): try call.encode(into: &body)
        case .parse(let parse): try parse.encode(into: &body)
        case .copyDone, .flush, .sync, .terminate: break
        }
    }
}

extension StatementOrPortal {
    func encode(into body: inout WireWriter) throws(WireError) {
        switch self {
        case .statement(let name):
            body.append(UInt8(ascii: "S"))
            try body.append(string: name)
        case .portal(let name):
            body.append(UInt8(ascii: "P"))
            try body.append(string: name)
        }
    }
}

extension Parse {
    func encode(into body: inout WireWriter) throws(WireError) {
        try body.append(string: statement)
        try body.append(string: query)
        try body.append(count: parameterTypes.count, of: "parameter types")
        for type in parameterTypes { body.append(integer: type) }
    }
}

extension Bind {
    func encode(into body: inout WireWriter) throws(WireError) {
        try body.append(string: portal)
        try body.append(string: statement)
        try body.append(formats: parameterFormats)
        try body.append(values: parameters)
        try body.append(formats: resultFormats)
    }
}

extension FunctionCall {
    func encode(into body: inout WireWriter) throws(WireError) {
        body.append(integer: function)
        try body.append(formats: argumentFormats)
        try body.append(values: arguments)
        body.append(integer: resultFormat)
    }
}

extension WireWriter {
    mutating func append(formats: [Int16]) throws(WireError) {
        try append(count: formats.count, of: "formats")
        for format in formats { append(integer: format) }
    }

    mutating func append(values: [[UInt8]?]) throws(WireError) {
        try append(count: values.count, of: "values")
        for value in values { try append(value: value) }
    }
}
