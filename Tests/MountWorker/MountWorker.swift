import FuseMount
import Glibc
import Oxbow

/// Mounts a store and does to its branches what it is told, a line at a time: a process of its own,
/// so that who looks at the mount is another.
@main enum MountWorker {
    static func main() throws {
        let store = try Store.open(CommandLine.arguments[1])
        let mount = try Mount(store, at: CommandLine.arguments[2])
        say("mounted")
        while let line = readLine() {
            do { say(try run(line.split(separator: " ").map(String.init), store, mount)) } catch {
                say("error: \(error)")
            }
        }
        mount.end()
        try store.close()
        say("closed")
    }

    private static func run(_ words: [String], _ store: Store, _ mount: Mount) throws -> String {
        let branch = try store.branch(words[1])
        switch words[0] {
        case "trees": return "\(mount.treeCount)"
        case "head": return "\(try branch.point(at: .head).lsn)"
        case "fork": try store.fork(words[2], from: branch)
        case "delete": try branch.delete()
        case "reset": try branch.reset(to: branch.point(at: Moment(parsing: words[2])))
        default: return "error: what is \(words[0])?"
        }
        mount.refresh()
        return "done"
    }

    private static func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}
