/// All that `oxbow` does.
package enum Commands {
    package static let table = CommandTable([
        Topic("Stores", [InitCommand.command]),
        Topic(
            "Branches",
            [
                BranchChanges.create, BranchListing.list, BranchListing.show, BranchChanges.rename,
                BranchChanges.protect, BranchChanges.expire, BranchChanges.delete,
                BranchChanges.undelete, ResetCommands.reset, ResetCommands.undo,
            ]
        ),
        Topic(
            "The past",
            [
                HistoryCommands.history, HistoryCommands.point, SnapshotCommands.create,
                SnapshotCommands.list, SnapshotCommands.delete,
            ]
        ),
        Topic("Pages", [PageCommands.write, PageCommands.read]),
        Topic(
            "Upkeep",
            [
                UpkeepCommands.stats, UpkeepCommands.check, UpkeepCommands.reclaim,
                WindowCommands.show, WindowCommands.set,
                DumpCommand.command, SimulateCommand.command,
            ]
        ),
        Topic("About oxbow", [HelpCommand.command, VersionCommand.command]),
    ])
}
