#if Server
import FuseMount
import Glibc
import Oxbow
import Primitives

/// `oxbow mount`.
enum MountCommand {
    private static let folder = Positional(
        "FOLDER",
        help: "Where the branches are shown; made where it is not there",
        parse: Values.text
    )

    static let command = Command(
        "mount",
        "Show branches as folders",
        positionals: [folder],
        discussion: [
            "FOLDER/BRANCH holds the files of a branch, and FOLDER/BRANCH@POINT, which no list "
                + "shows, what they were at a point: read-only. What is written there is written "
                + "to the store, and is durable after an fsync, or within a fifth of a second. "
                + "Runs until it is told to end (SIGTERM, or Ctrl-C), or until FOLDER is "
                + "unmounted. No other process can use the store meanwhile."
        ],
        examples: [
            .init("oxbow mount /mnt/oxbow", "then, elsewhere: ls /mnt/oxbow/main@10m")
        ],
        keys: [.init("mounted", "the folder, once it shows the branches")],
        place: .here
    ) { call in
        let path = try call.value(folder)
        let signals = EndSignals.hold()
        if unsafe mkdir(path, 0o755) != 0, errno != EEXIST, errno != ENOTCONN {
            throw Failure("invalid", "\(path): \(unsafe String(cString: strerror(errno)))")
        }
        try call.withStore { store in
            let mount: Mount
            do throws(MountError) { mount = try Mount(store, at: path) } catch {
                throw Failure(error.kind.rawValue, error.message)
            }
            defer { mount.end() }
            if call.wantsJSON {
                try call.output.json(["mounted": .string(path)])
            } else {
                try call.output.line("\(path) shows the branches; Ctrl-C ends it")
            }
            try call.output.flush()
            while mount.isActive, !signals.wait(atMostMilliseconds: 200) {}
        }
    }
}
#endif
