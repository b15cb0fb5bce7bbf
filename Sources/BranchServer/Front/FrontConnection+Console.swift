import PostgresWire
import Primitives

extension FrontConnection {
    private static let readByteCount = 8 << 10

    func receiveConsole() {
        let buffer = unsafe UnsafeMutableRawBufferPointer(
            rebasing: loop.scratch[..<Self.readByteCount]
        )
        mayHoldMore = false
        while phase == .console {
            guard console.isIdle, toClient.isEmpty else {
                mayHoldMore = transport.hasTLS
                return
            }
            switch unsafe transport.receive(buffer) {
            case .bytes(let count):
                takeConsole(unsafe Array(buffer[..<count]))
                if !transport.hasTLS { return }
            case .wouldBlock: return
            case .ended: return close()
            }
        }
    }

    func takeConsole(_ bytes: [UInt8]) {
        lastActivity = loop.now
        console.receive(bytes)
        pumpConsole()
    }

    private func pumpConsole() {
        while phase == .console, let action = console.next() {
            switch action {
            case .send(let bytes): send(bytes)
            case .close: goodbye()
            case .execute(let statement): execute(statement)
            }
        }
        if isDraining { endIfIdle() }
    }

    private func execute(_ statement: AdminStatement) {
        let core = core
        let user = request?.user ?? ""
        let isQueued = core.opening.run { [self] in
            let answer = Result { () throws(Refusal) in try core.answer(statement, for: user) }
            loop.run { [self] in answered(answer) }
        }
        if !isQueued {
            console.answered(.failure(Refusal("53300", "too many statements are waiting already")))
        }
    }

    private func answered(_ answer: Result<AdminResult, Refusal>) {
        guard phase == .console else { return }
        console.answered(answer)
        pumpConsole()
        if phase == .console, mayHoldMore { receiveConsole() }
        updateInterest()
    }
}
