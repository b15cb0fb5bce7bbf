import PostgresWire
import Primitives
import TestSupport

extension SeededRandom {
    mutating func target() -> StatementOrPortal {
        oneIn(2) ? .statement(text()) : .portal(text())
    }

    mutating func frontendMessage(_ type: FrontendType) -> FrontendMessage {
        switch type {
        case .bind:
            let parameters = values()
            return .bind(
                Bind(
                    portal: text(),
                    statement: text(),
                    parameterFormats: formats([0, 1, parameters.count][below(3)]),
                    parameters: parameters,
                    resultFormats: formats(below(4))
                )
            )
        case .close: return .close(target())
        case .copyData: return .copyData(data())
        case .copyDone: return .copyDone
        case .copyFail: return .copyFail(text())
        case .describe: return .describe(target())
        case .execute: return .execute(portal: text(), maximumRows: Int32(bitPattern: word()))
        case .flush: return .flush
        case .functionCall:
            let arguments = values()
            return .functionCall(
                FunctionCall(
                    function: word(),
                    argumentFormats: formats([0, 1, arguments.count][below(3)]),
                    arguments: arguments,
                    resultFormat: short()
                )
            )
        case .parse:
            let types = (0..<below(5)).map { _ in word() }
            return .parse(Parse(statement: text(), query: text(below: 200), parameterTypes: types))
        case .password: return .password(data())
        case .query: return .query(text(below: 300))
        case .sync: return .sync
        case .terminate: return .terminate
        }
    }

    mutating func report() -> ServerReport {
        ServerReport(
            fields: (0..<below(18)).map { _ in
                .init(ServerReport.Code.allCases[below(18)].rawValue, text())
            }
        )
    }

    mutating func authentication() -> Authentication {
        switch below(7) {
        case 0: .ok
        case 1: .cleartextPassword
        case 2: .md5Password(salt: bytes(4))
        case 3: .sasl(mechanisms: (0..<below(4)).map { _ in WireString([65] + text().bytes) })
        case 4: .saslContinue(data())
        case 5: .saslFinal(data())
        default: .other(code: 100, data: data())
        }
    }

    mutating func field() -> RowField {
        RowField(
            name: text(),
            table: word(),
            column: short(),
            type: word(),
            typeSize: short(),
            typeModifier: Int32(bitPattern: word()),
            format: Int16(below(2))
        )
    }

    mutating func copyFormat() -> CopyFormat {
        CopyFormat(isBinary: oneIn(2), columnFormats: formats(below(5)))
    }

    mutating func backendMessage(_ type: BackendType) -> BackendMessage {
        switch type {
        case .authentication: .authentication(authentication())
        case .backendKeyData:
            .backendKeyData(CancelKey(processID: word(), secret: bytes(4 + below(253))))
        case .bindComplete: .bindComplete
        case .closeComplete: .closeComplete
        case .commandComplete: .commandComplete(text())
        case .copyBothResponse: .copyBothResponse(copyFormat())
        case .copyData: .copyData(data())
        case .copyDone: .copyDone
        case .copyInResponse: .copyInResponse(copyFormat())
        case .copyOutResponse: .copyOutResponse(copyFormat())
        case .dataRow: .dataRow(values())
        case .emptyQuery: .emptyQuery
        case .error: .error(report())
        case .functionCallResponse: .functionCallResponse(oneIn(3) ? nil : data())
        case .negotiateVersion:
            .negotiateVersion(
                ProtocolVersion(rawValue: word()),
                unrecognized: (0..<below(4)).map { _ in text() }
            )
        case .noData: .noData
        case .notice: .notice(report())
        case .notification:
            .notification(Notification(processID: word(), channel: text(), payload: text()))
        case .parameterDescription: .parameterDescription((0..<below(5)).map { _ in word() })
        case .parameterStatus: .parameterStatus(WireParameter(text(), text()))
        case .parseComplete: .parseComplete
        case .portalSuspended: .portalSuspended
        case .ready: .ready(TransactionStatus.allCases[below(3)])
        case .rowDescription: .rowDescription((0..<below(5)).map { _ in field() })
        }
    }

    mutating func startupPacket() -> StartupPacket {
        switch below(4) {
        case 0: return .startTLS
        case 1: return .startGSS
        case 2:
            return .cancel(CancelKey(processID: word(), secret: bytes(4 + below(253))))
        default:
            let parameters = (0..<below(8)).map {
                WireParameter(WireString("name\($0)"), text())
            }
            return .startup(StartupMessage(ProtocolVersion(3, UInt16(below(4))), parameters))
        }
    }
}
