import CrashWorkload
import Foundation
import Oxbow

/// Works on a store until it is killed, or has made its commits, and tells on its output what is
/// durable: `CrashWorker FOLDER COMMITS`.
///
/// Or holds a store that was left so against what it told, says what is wrong and ends with 1
/// where something is: `CrashWorker --verify FOLDER ACKNOWLEDGED`.
@main struct CrashWorker {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        let isVerifying = arguments.first == "--verify"
        let operands = Array(isVerifying ? arguments.dropFirst() : arguments)
        guard operands.count == 2, let number = Int(operands[1]) else {
            let usage = "usage: CrashWorker FOLDER COMMITS | --verify FOLDER ACKNOWLEDGED\n"
            FileHandle.standardError.write(Data(usage.utf8))
            exit(2)
        }
        if isVerifying {
            verify(operands[0], acknowledged: number)
        } else {
            try work(operands[0], commits: number)
        }
    }

    private static func work(_ folder: String, commits: Int) throws {
        let store = try Store.open(folder, CrashWorkload.options)
        let start = try CrashWorkload.count(store.branch("main"))
        try CrashWorkload.fork(start, store)
        for index in start + 1..<start + 1 + max(0, commits) {
            try CrashWorkload.commit(index, store)
            if CrashWorkload.isSynced(index) { say("\(index)\n") }
        }
        try store.close()
        say("closed\n")
    }

    private static func verify(_ folder: String, acknowledged: Int) {
        do {
            var options = CrashWorkload.options
            // Before anything was acknowledged the store may not be there; after that it must be.
            options.createIfMissing = acknowledged == 0
            let store = try Store.open(folder, options)
            if let harm = try CrashWorkload.verify(store, acknowledged: acknowledged) {
                fail("\(harm)")
            }
            let count = try CrashWorkload.count(store.branch("main"))
            say("\(count) commits and \(try store.branches().count) branches are whole\n")
            try store.close()
        } catch let error as OxbowError where error.kind == .notFound {
            fail("lost: \(acknowledged) commits were durable: \(error)")
        } catch {
            fail("damaged: \(error)")
        }
    }

    private static func fail(_ what: String) -> Never {
        say(what + "\n")
        exit(1)
    }

    /// In one system call, so that what is said is said whole.
    private static func say(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
