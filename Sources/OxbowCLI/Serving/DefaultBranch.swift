#if Server
import BranchServer
#endif
import Oxbow

/// The branch of connections that name none, of a server that runs or would.
enum DefaultBranch {
    static let file = "default-branch"

    /// Nil for a store that no server has ever been on.
    static func name(_ call: Invocation) -> String? {
        #if Server
        if let server = call.environment.host?.server { return server.defaultBranch }
        guard let folder = folder(call) else { return nil }
        return folder.read(file) ?? "main"
        #else
        return nil
        #endif
    }

    static func set(_ call: Invocation, _ branch: BranchInfo) throws {
        #if Server
        try Failure.telling { () throws(ServerError) in
            try ServerError.telling { try branch.checkMayBeDefault() }
        }
        #endif
        try set(call, branch.name)
    }

    static func set(_ call: Invocation, _ name: String) throws {
        #if Server
        if let server = call.environment.host?.server {
            return try Failure.telling { () throws(ServerError) in
                try server.setDefaultBranch(name)
            }
        }
        try Failure.telling { () throws(ServerError) in
            let path = String(decoding: call.storePath.resolved, as: UTF8.self)
            try ServerFolder(making: path).write(name, to: file)
        }
        #else
        throw Failure("unavailable", "this oxbow was built without the server")
        #endif
    }

    #if Server
    private static func folder(_ call: Invocation) -> ServerFolder? {
        let path = String(decoding: call.storePath.resolved, as: UTF8.self)
        let folder = try? ServerFolder(dataPath: path)
        let isThere = (try? LocalPath(Array("\(path)/server".utf8)).target()?.isFolder) == true
        return isThere ? folder : nil
    }
    #endif

    /// Refuses to take away the branch that a server sends people to.
    static func check(_ call: Invocation, _ name: String) throws {
        guard self.name(call) == name else { return }
        throw Failure(
            "conflict",
            "\(name) is the default branch: `oxbow default BRANCH` makes another that first"
        )
    }
}
