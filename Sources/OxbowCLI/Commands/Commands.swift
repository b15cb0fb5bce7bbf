/// All that `oxbow` does.
package enum Commands {
    package static let table = CommandTable(
        [Topic("Stores", [InitCommand.command])] + serving + engine
    )

    private static let engine = [
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
                SnapshotCommands.list, SnapshotCommands.delete, EventCommand.command,
            ]
        ),
        Topic(
            "Files",
            [
                FileCommands.list, FileCommands.cat, FileTransfer.put, FileTransfer.get,
                FileChanges.remove, FileChanges.makeFolder, FileCommands.stat, FileUsage.command,
                ImportCommand.command, ExportCommand.command,
            ] + mounts
        ),
        Topic("Pages", [PageCommands.write, PageCommands.read]),
        Topic(
            "Upkeep",
            [
                UpkeepCommands.stats, CheckCommand.command, UpkeepCommands.reclaim,
                WindowCommands.show, WindowCommands.set,
                DumpCommand.command, SimulateCommand.command,
            ]
        ),
        Topic("About oxbow", [HelpCommand.command, VersionCommand.command]),
    ]

    private static var serving: [Topic] {
        #if Server
        [
            Topic(
                "The server",
                [
                    ServeCommand.command, StatusCommand.command, AddressCommands.url,
                    AddressCommands.env, PsqlCommand.command, RunCommand.command,
                    StoreCommands.restore, StoreCommands.usual,
                    ServerCommands.suspend, ServerCommands.logs, StoreCommands.sync,
                ]
            )
        ]
        #else
        [
            Topic(
                "The store as a whole",
                [StatusCommand.command, StoreCommands.restore, StoreCommands.sync]
            )
        ]
        #endif
    }

    private static var mounts: [Command] {
        #if Server
        [MountCommand.command]
        #else
        []
        #endif
    }
}
