import Oxbow

/// How a branch reads, to people and as JSON.
struct BranchDescription {
    let info: BranchInfo
    let names: [BranchID: String]

    static func keys(_ prefix: String) -> [Command.Key] {
        [
            .init("\(prefix)", "the branch"),
            .init("\(prefix).id", "what stays of it whatever its name"),
            .init("\(prefix).name", "its name, or the last one it had"),
            .init("\(prefix).created", "when it was made"),
            .init("\(prefix).actor", "who made it"),
            .init("\(prefix).labels", "what they said of it: an object of strings"),
            .init("\(prefix).parent", "the branch it was forked from; null for the first"),
            .init("\(prefix).parent.id", "its id"),
            .init("\(prefix).parent.name", "its name"),
            .init("\(prefix).origin", "the LSN whose state it was forked from, or null"),
            .init("\(prefix).timeline", "the timeline that it writes to"),
            .init("\(prefix).head.lsn", "its last record"),
            .init("\(prefix).head.time", "the time of that"),
            .init("\(prefix).expires", "when it goes by itself, or null"),
            .init("\(prefix).protected", "whether it refuses to be reset or deleted"),
            .init("\(prefix).deleted", "when it was deleted, or null"),
        ]
    }

    var json: JSON {
        [
            "id": JSON(info.id), "name": .string(info.name), "created": JSON(info.created),
            "actor": .string(info.author.actor), "labels": JSON(info.author.labels),
            "parent": info.parent.map {
                ["id": JSON($0), "name": JSON(names[$0])]
            } ?? nil,
            "origin": JSON(info.origin), "timeline": JSON(info.timeline),
            "head": ["lsn": JSON(info.head.lsn), "time": JSON(info.head.time)],
            "expires": JSON(info.expires), "protected": .bool(info.isProtected),
            "deleted": JSON(info.deleted),
        ]
    }

    /// `main@L1000`, or nil for the first branch.
    var from: String? {
        guard let parent = info.parent, let origin = info.origin else { return nil }
        return "\(names[parent] ?? "\(parent)")@\(origin)"
    }

    /// What else is to be said in a list.
    var notes: String {
        var notes: [String] = []
        if let deleted = info.deleted { notes.append("deleted \(Text.time(deleted))") }
        if info.isProtected { notes.append("protected") }
        if info.deleted == nil, let expires = info.expires {
            let verb = expires <= .now ? "expired" : "expires"
            notes.append("\(verb) \(Text.time(expires))")
        }
        return notes.joined(separator: ", ")
    }

    var lines: [String] {
        var fields = Fields()
        fields.add("id", "\(info.id)")
        fields.add("created", Text.time(info.created))
        fields.add("by", Text.author(info.author))
        fields.add("from", from)
        fields.add("timeline", "\(info.timeline)")
        fields.add("head", "\(info.head.lsn)  \(Text.time(info.head.time))")
        fields.add("expires", info.expires.map(Text.time) ?? "never")
        fields.add("protected", info.isProtected ? "yes" : "no")
        fields.add("deleted", info.deleted.map(Text.time))
        return [info.name] + fields.lines
    }
}

extension Store {
    func describe(_ branch: Branch) throws(OxbowError) -> BranchDescription {
        BranchDescription(info: try branch.info(), names: try branchNames())
    }
}
