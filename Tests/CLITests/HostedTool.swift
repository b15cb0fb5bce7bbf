import BranchServer
import Foundation
import Oxbow
import OxbowCLI

/// A store that this process has open and serves commands on, as `oxbow serve` does, without
/// PostgreSQL and without a mount.
final class HostedTool {
    let tool: Tool
    private var control: ControlSocket?
    private weak var store: Store?

    /// - Parameter host: What the server is, from its store.
    init(
        _ tool: Tool,
        limits: ControlSocket.Limits = ControlSocket.Limits(),
        isAllowed: (@Sendable (UInt32) -> Bool)? = nil,
        host: @Sendable (Store) -> StoreHost = { StoreHost(store: $0) }
    ) throws {
        self.tool = tool
        let store = try Store.open(tool.path("data"))
        self.store = store
        let folder = tool.path("data/server")
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let host = host(store)
        let own = geteuid()
        control = try ControlSocket(
            folder: folder,
            limits: limits,
            isAllowed: isAllowed ?? { $0 == own },
            handler: { Forwarding.serve($0, host) }
        )
    }

    /// Ends, so that commands open the store themselves again.
    func end(graceMilliseconds: Int = 5000) throws {
        control?.end(graceMilliseconds: graceMilliseconds)
        // With the last of those that hold it, the store lets go of its folder.
        try store?.close()
        control = nil
        for _ in 0..<1000 where store != nil { usleep(10_000) }
    }

    /// How many commands are there.
    var count: Int { control?.count ?? 0 }

    /// Waits until no command is there any more.
    func waitUntilQuiet() -> Bool {
        for _ in 0..<3000 {
            if count == 0 { return true }
            usleep(10_000)
        }
        return false
    }
}
