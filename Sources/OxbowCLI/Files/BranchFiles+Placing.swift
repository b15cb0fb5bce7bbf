import Volume

extension BranchFiles {
    /// What is in the making stands under this name until it takes its own. What a process that
    /// was ended left there goes with the next.
    static func unfinishedName() throws(VolumeError) -> FileName {
        try FileName(".oxbow-unfinished")
    }

    /// Makes something that is no folder, and gives it its name when it is whole: nobody sees less
    /// of it, and what had the name before has it until then.
    func place(
        _ name: FileName,
        in folder: InodeNumber,
        _ make: (FileName) throws -> Void
    ) throws {
        let unfinished = try Self.unfinishedName()
        if try find(unfinished, in: folder) != nil { try remove(unfinished, from: folder) }
        do {
            try make(unfinished)
            try rename(unfinished, in: folder, to: name, in: folder)
        } catch {
            // What went wrong first is what is told.
            try? remove(unfinished, from: folder)
            throw error
        }
    }
}
