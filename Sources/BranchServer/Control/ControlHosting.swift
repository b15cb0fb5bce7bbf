import FuseMount
import Glibc
package import Oxbow
import Primitives
package import Volume

/// What commands that are done in a server need of it, beside its store.
extension Server {
    /// Takes commands through the socket in the data folder, until the socket is ended.
    package func listenForCommands(
        _ handler: @escaping @Sendable (ControlCommand) -> Int32
    ) throws(ServerError) -> ControlSocket {
        do throws(SystemError) {
            return try ControlSocket(folder: folder.path, handler: handler)
        } catch {
            throw ServerError(.failed, error.description)
        }
    }

    /// Whether a compute runs on a branch's own files, or is about to.
    package func isComputing(_ branch: BranchID) -> Bool {
        branches.computes.statuses.contains { status in
            status.key == "\(branch)" && status.state != .down && status.state != .failed
        }
    }

    /// Tells the mount that a name in a folder leads elsewhere now, or nowhere.
    package func forget(_ name: FileName, in folder: InodeNumber, of files: BranchFiles) {
        branches.mount?.forget(name, in: folder, of: files)
    }

    /// What a branch's compute does; nil where it has none.
    package func compute(of branch: BranchID) -> ComputeStatus? {
        branches.computes.statuses.first { $0.key == "\(branch)" }
    }

    /// Who is in a session.
    package var sessions: [Front.Session] { front.sessions() }

    /// The folder of a branch's socket; nil where it has none, or not yet.
    package func socketFolder(of branch: String) -> String? {
        keeper.expectSocket(of: branch)
        let path = "\(folder.branches)/\(branch)"
        let socket = "\(path)/.s.PGSQL.\(ComputePlace.port)"
        return unsafe access(socket, F_OK) == 0 ? path : nil
    }

    /// Whether a branch's files have a cluster.
    package func holdsCluster(_ branch: String) throws -> Bool {
        try branches.find(branch).hasCluster()
    }

    /// What the server has to tell who runs it.
    package var log: String { branches.log.text }
}
