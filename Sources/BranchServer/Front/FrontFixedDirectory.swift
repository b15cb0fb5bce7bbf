package import PostgresWire
import Primitives

/// A directory of one PostgreSQL that runs anyway, as the branch `main` and under any other name
/// that it is given: for measuring and testing the front alone.
package struct FixedDirectory: BranchDirectory {
    package let socketPath: String
    package let verifiers: [WireString: SCRAMVerifier]
    package let branches: [String]

    package init(
        socketPath: String,
        verifiers: [WireString: SCRAMVerifier],
        branches: [String] = ["main"]
    ) {
        self.socketPath = socketPath
        self.verifiers = verifiers
        self.branches = branches
    }

    package func verifier(for request: ConnectionRequest) -> SCRAMVerifier? {
        verifiers[request.user]
    }

    package func open(_ request: ConnectionRequest) throws(Refusal) -> Endpoint {
        let branch = request.target.branch ?? branches[0]
        guard branches.contains(branch) else {
            throw .unknownBranch(branch, among: branches)
        }
        guard request.target.moment == nil, !request.target.isFork else {
            throw Refusal("0A000", "a fixed PostgreSQL has no past and no forks")
        }
        return Endpoint(
            socketPath: socketPath,
            branch: branch,
            key: "key of \(branch)",
            settings: [StartupOptions.Setting(name: "oxbow.branch", value: WireString(branch))]
        )
    }

    package func authorize(_ statement: AdminStatement, for user: WireString) {}

    package func answer(
        _ statement: AdminStatement,
        for user: WireString
    ) throws(Refusal) -> AdminResult {
        throw Refusal("0A000", "a fixed PostgreSQL has no branches to look after")
    }
}
