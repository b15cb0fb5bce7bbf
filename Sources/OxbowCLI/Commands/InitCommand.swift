import Glibc
import Oxbow

/// `oxbow init`.
enum InitCommand {
    private static let folder = Positional(
        "DIR",
        isOptional: true,
        help: "The folder; made where it is not there",
        parse: Values.text
    )
    private static let pageSize = Option(
        "page-size",
        "BYTES",
        help: "Bytes in a page: a power of two from 512 to 65536; by default 8192",
        parse: Values.powerOfTwo("page size", 512...65_536)
    )
    private static let segmentSize = Option(
        "segment-size",
        "BYTES",
        help: "Bytes in a file of the log: a power of two; by default 64M",
        parse: Values.powerOfTwo("segment size", 1 << 16...1 << 32)
    )
    private static let window = Option(
        "window",
        "DURATION",
        help: "How long history is kept; by default 7d",
        parse: Values.duration
    )
    private static let windowBytes = Option(
        "window-bytes",
        "BYTES",
        help: "How much log is kept for history at most; by default a fifth of the disk",
        parse: Values.byteCount
    )

    static let command = Command(
        "init",
        "Make a store, with the branch main",
        positionals: [folder],
        options: [pageSize, segmentSize, window, windowBytes],
        discussion: [
            "The folder is DIR, or else that of --store. It must be empty, or not be there; the "
                + "folder above it must be. `oxbow serve` makes a store, too, where there is none."
        ],
        examples: [
            .init("oxbow init data", "a store in the folder data"),
            .init("oxbow init --store data --page-size 4096", "one with small pages"),
        ],
        keys: [
            .init("store", "the folder"), .init("pageSize", "bytes in a page"),
            .init("branch.id", "the id of its branch"), .init("branch.name", "main"),
        ],
        place: .here
    ) { call in
        if call.has(folder), call.has(Globals.store) {
            throw Misuse("the folder is given twice: say DIR or --store, and not both")
        }
        let folder = call[folder] ?? call.folder
        if folder.isEmpty { throw Misuse("DIR is empty: say the folder, such as oxbow init data") }
        try checkIsFree(folder)
        var options = StoreOptions()
        if let size = call[pageSize] { options.pageSize = Int(size) }
        if let size = call[segmentSize] { options.segmentBits = size.trailingZeroBitCount }
        if let window = call[window] { options.window = window }
        options.windowBytes = call[windowBytes]
        let store = try Store.open(folder, options)
        let main = try store.branch("main")
        let size = store.pageSize
        // The window is written down with a checkpoint; the next opening would take its own.
        try store.checkpoint()
        try store.close()
        if call.wantsJSON {
            try call.output.json([
                "store": .string(folder), "pageSize": JSON(size),
                "branch": ["id": JSON(main.id), "name": "main"],
            ])
        } else {
            try call.output.line(
                "made a store in \(folder), with pages of \(size) bytes and the branch main"
            )
        }
    }

    private static func checkIsFree(_ folder: String) throws(Failure) {
        guard try !holdsStore(folder) else {
            throw Failure(
                "conflict",
                "there is a store in \(folder) already: use it, or name another folder"
            )
        }
    }

    /// Whether a store is in a folder. Throws where something else is there that one would be mixed
    /// up with.
    static func holdsStore(_ folder: String) throws(Failure) -> Bool {
        let names = try names(in: folder)
        if names.contains("superblock") { return true }
        // What an `init` that was cut short leaves, and what a file system has at its top.
        let harmless: Set<String> = [
            ".", "..", "lock", "superblock.new", "server", "lost+found",
        ]
        if let name = names.filter({ !harmless.contains($0) }).min() {
            throw Failure(
                "conflict",
                "\(folder) is not empty (\(name) is in it): name an empty folder, or a new one"
            )
        }
        return false
    }

    /// What is in a folder; nothing where it is not there.
    private static func names(in folder: String) throws(Failure) -> [String] {
        guard let stream = unsafe opendir(folder) else {
            if errno == ENOENT { return [] }
            throw Failure("input", "open \(folder): \(unsafe String(cString: strerror(errno)))")
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            names.append(name)
        }
        return names
    }
}
