import CrashWorkload
import Foundation
import Oxbow

/// Works on a store until it is killed, or has made its commits, and tells on its output what is
/// durable: `CrashWorker FOLDER COMMITS`.
@main struct CrashWorker {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let commits = Int(arguments[2]) else {
            FileHandle.standardError.write(Data("usage: CrashWorker FOLDER COMMITS\n".utf8))
            exit(2)
        }
        let store = try Store.open(arguments[1], CrashWorkload.options)
        let start = try CrashWorkload.count(store.branch("main"))
        try CrashWorkload.fork(start, store)
        for index in start + 1..<start + 1 + max(0, commits) {
            try CrashWorkload.commit(index, store)
            if CrashWorkload.isSynced(index) { say("\(index)\n") }
        }
        try store.close()
        say("closed\n")
    }

    /// In one system call, so that what is said is said whole.
    private static func say(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
