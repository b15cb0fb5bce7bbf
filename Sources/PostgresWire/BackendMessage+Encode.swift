extension BackendMessage {
    package func encode(into writer: inout WireWriter) throws(WireError) {
        let limit = LengthRule.backend.largest(type.rawValue) ?? WireLimits.smallBackendMessage
        try writer.message(type.rawValue, limit: limit) { body throws(WireError) in
            try encodeBody(into: &body)
        }
    }

    private func encodeBody(into body: inout WireWriter) throws(WireError) {
        switch self {
        case .authentication(let request): try request.encode(into: &body)
        case .backendKeyData(let key):
            body.append(integer: key.processID)
            body.append(raw: key.secret)
        case .commandComplete(let tag): try body.append(string: tag)
        case .copyBothResponse(let format), .copyInResponse(let format),
            .copyOutResponse(let format):
            body.append(UInt8(format.isBinary ? 1 : 0))
            try body.append(formats: format.columnFormats)
        case .copyData(let data): body.append(raw: data)
        case .dataRow(let values): try body.append(values: values)
        case .error(let report), .notice(let report): try report.encode(into: &body)
        case .functionCallResponse(let value): try body.append(value: value)
        case .negotiateVersion(let version, let unrecognized):
            body.append(integer: version.rawValue)
            body.append(integer: UInt32(truncatingIfNeeded: unrecognized.count))
            for option in unrecognized { try body.append(string: option) }
        case .notification(let notification):
            body.append(integer: notification.processID)
            try body.append(string: notification.channel)
            try body.append(string: notification.payload)
        case .parameterDescription(let types):
            try body.append(count: types.count, of: "parameter types")
            for type in types { body.append(integer: type) }
        case .parameterStatus(let parameter):
            try body.append(string: parameter.name)
            try body.append(string: parameter.value)
        case .ready(let status): body.append(status.rawValue)
        case .rowDescription(let fields):
            try body.append(count: fields.count, of: "columns")
            for field in fields { try field.encode(into: &body) }
        case .bindComplete, .closeComplete, .copyDone, .emptyQuery, .noData, .parseComplete,
            .portalSuspended:
            break
        }
    }
}

extension RowField {
    fileprivate func encode(into body: inout WireWriter) throws(WireError) {
        try body.append(string: name)
        body.append(integer: table)
        body.append(integer: column)
        body.append(integer: type)
        body.append(integer: typeSize)
        body.append(integer: typeModifier)
        body.append(integer: format)
    }
}

extension Authentication {
    fileprivate func encode(into body: inout WireWriter) throws(WireError) {
        switch self {
        case .ok: body.append(integer: 0 as UInt32)
        case .cleartextPassword: body.append(integer: 3 as UInt32)
        case .md5Password(let salt):
            guard salt.count == 4 else { throw .invalidFormat() }
            body.append(integer: 5 as UInt32)
            body.append(raw: salt)
        case .sasl(let mechanisms):
            body.append(integer: 10 as UInt32)
            for name in mechanisms { try body.append(string: name) }
            body.append(0)
        case .saslContinue(let data):
            body.append(integer: 11 as UInt32)
            body.append(raw: data)
        case .saslFinal(let data):
            body.append(integer: 12 as UInt32)
            body.append(raw: data)
        case .other(let code, let data):
            body.append(integer: code)
            body.append(raw: data)
        }
    }
}
