#if Server
import BranchServer
#endif
import Glibc
import Oxbow

/// `oxbow status`.
enum StatusCommand {
    static let command = Command(
        "status",
        "Show the branches, who uses them, and what they take",
        discussion: [
            "Each branch under the one that it was forked from, with its compute, its sessions, "
                + "the bytes that it shows, and those that no other branch and no snapshot shows."
        ],
        examples: [.init("oxbow status", "what is going on")],
        keys: [
            .init("server", "the server that runs, or null"), .init("server.host", "its address"),
            .init("server.port", "its port"), .init("server.process", "its process"),
            .init("default", "the default branch"),
            .init("diskBytes", "what the store's files take of the disk"),
            .init("branches[].id", "a branch's id"), .init("branches[].name", "its name"),
            .init("branches[].parent", "the id of the one it was forked from, or null"),
            .init("branches[].compute", "down, starting, ready, stopping or failed; else null"),
            .init("branches[].sessions", "how many sessions are on it"),
            .init("branches[].reachableBytes", "what it shows now"),
            .init("branches[].aloneBytes", "what no other branch and no snapshot shows"),
            .init("sessions[].branch", "a session's branch"),
            .init("sessions[].database", "its database"), .init("sessions[].user", "its role"),
            .init("sessions[].application", "what its client calls itself"),
            .init("sessions[].client", "where that is"),
            .init("sessions[].state", "what it does, as pg_stat_activity says it"),
        ]
    ) { call in
        try call.withStore { store in
            let status = try Status(call, store)
            if call.wantsJSON { return try call.output.json(status.json) }
            try call.output.lines(status.lines)
        }
    }
}

/// What is going on in a store.
private struct Status {
    struct Session {
        let branch: String
        let database: String
        let user: String
        let application: String
        let client: String
        let state: String
    }

    var server: (host: String, port: Int, process: Int)?
    let usual: String
    let branches: [BranchInfo]
    let usage: StoreUsage
    /// By branches' ids.
    var computes: [BranchID: String] = [:]
    var sessions: [Session] = []

    init(_ call: Invocation, _ store: Store) throws {
        usual = DefaultBranch.name(call) ?? "main"
        usage = try store.usage()
        branches = try store.branches().filter { !$0.isServersOwn }
        #if Server
        if let running = call.environment.host?.server {
            server = (running.options.host, Int(running.port), Int(getpid()))
            for info in branches {
                computes[info.id] = running.compute(of: info.id)?.state.rawValue ?? "down"
            }
            sessions = running.sessions.map {
                Session(
                    branch: $0.branch,
                    database: $0.database,
                    user: $0.user,
                    application: $0.application,
                    client: $0.client,
                    state: $0.state.rawValue
                )
            }
        }
        #endif
    }

    private func count(_ name: String) -> Int { sessions.count { $0.branch == name } }

    private var sizes: [String: BranchUsage] {
        Dictionary(usage.branches.map { ($0.name, $0) }) { first, _ in first }
    }

    var lines: [String] {
        let place = server.map { "serving on \($0.host) port \($0.port), as process \($0.process)" }
        var lines = [
            "\(place ?? "no server runs"); default branch \(usual); "
                + "\(Text.bytes(usage.diskBytes)) of disk", "",
        ]
        var table = Table([
            ("BRANCH", .left), ("COMPUTE", .left), ("SESSIONS", .right), ("SHOWS", .right),
            ("ALONE", .right), ("WRITTEN", .left),
        ])
        let sizes = sizes
        for (drawing, info) in BranchTree(branches, all: false).rows {
            let size = sizes[info.name]
            table.add([
                drawing + info.name, computes[info.id] ?? "", "\(count(info.name))",
                size.map { Text.bytes($0.reachableBytes) } ?? "",
                size.map { Text.bytes($0.aloneBytes) } ?? "", Text.time(info.head.time),
            ])
        }
        lines += table.lines
        guard !sessions.isEmpty else { return lines }
        var list = Table([
            ("SESSION ON", .left), ("DATABASE", .left), ("ROLE", .left), ("FROM", .left),
            ("STATE", .left), ("APPLICATION", .left),
        ])
        for session in sessions {
            list.add(
                [
                    session.branch, session.database, session.user, session.client, session.state,
                    session.application,
                ].map(Text.plain)
            )
        }
        return lines + [""] + list.lines
    }

    var json: JSON {
        let sizes = sizes
        return [
            "server": server.map {
                ["host": .string($0.host), "port": JSON($0.port), "process": JSON($0.process)]
            } ?? nil,
            "default": .string(usual), "diskBytes": JSON(usage.diskBytes),
            "branches": .array(
                branches.map { info in
                    [
                        "id": JSON(info.id), "name": .string(info.name),
                        "parent": JSON(info.parent), "compute": JSON(computes[info.id]),
                        "sessions": JSON(count(info.name)),
                        "reachableBytes": sizes[info.name].map { JSON($0.reachableBytes) } ?? nil,
                        "aloneBytes": sizes[info.name].map { JSON($0.aloneBytes) } ?? nil,
                    ]
                }
            ),
            "sessions": .array(
                sessions.map {
                    [
                        "branch": .string($0.branch), "database": .string($0.database),
                        "user": .string($0.user), "application": .string($0.application),
                        "client": .string($0.client), "state": .string($0.state),
                    ]
                }
            ),
        ]
    }
}
