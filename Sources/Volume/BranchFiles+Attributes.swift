extension BranchFiles {
    /// Changes what is known of a file, in one commit, and returns what is known then.
    @discardableResult
    public func change(
        _ number: InodeNumber,
        _ wanted: AttributeChange
    ) throws(VolumeError) -> Attributes {
        try with(number) { held throws(VolumeError) in
            if let size = wanted.size {
                _ = try loadFile(held)
                try expectFits(0..<size, number)
            }
            try change(held) { inode, edit throws(VolumeError) in
                if let size = wanted.size { try self.resize(&inode, to: size, edit) }
                inode.attributes.take(wanted)
            }
            return try load(held).publicAttributes
        }
    }
}

extension Attributes {
    fileprivate mutating func take(_ wanted: AttributeChange) {
        if let wanted = wanted.permissions { permissions = wanted & 0o7777 }
        if let wanted = wanted.owner { owner = wanted }
        if let wanted = wanted.group { group = wanted }
        if let wanted = wanted.accessed { accessed = wanted.value(now: changed) }
        if let wanted = wanted.modified { modified = wanted.value(now: changed) }
    }
}

extension AttributeChange.Time {
    fileprivate func value(now: Int64) -> Int64 {
        switch self {
        case .now: now
        case .at(let time): time
        }
    }
}
