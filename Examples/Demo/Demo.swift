import Foundation
import Oxbow

/// A catalog is forked, broken and rescued, with the time that each step takes.
@main
enum Demo {
    static func main() {
        do {
            let arguments = try Arguments(CommandLine.arguments.dropFirst())
            if arguments.wantsHelp { return print(Arguments.help) }
            let terminal = Terminal(isQuiet: arguments.isQuiet)
            try run(arguments, terminal)
        } catch {
            FileHandle.standardError.write(Data("oxbow-demo: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ arguments: Arguments, _ terminal: Terminal) throws {
        let files = FileManager.default
        let folder: String
        if let given = arguments.folder {
            guard !files.fileExists(atPath: given) else {
                throw Failure("\(given) is there already: the demo makes a store of its own")
            }
            folder = given
        } else {
            folder =
                files.temporaryDirectory.appending(path: "oxbow-demo-\(UUID().uuidString)").path
        }
        defer { if arguments.folder == nil { try? files.removeItem(atPath: folder) } }
        terminal.title("Oxbow: a catalog is forked, broken and rescued")
        terminal.note(
            arguments.folder == nil
                ? "The store is in a temporary folder, and is removed at the end."
                : "The store is in \(folder), and stays there."
        )
        var story = try Story(folder, arguments, terminal)
        try story.run()
    }
}

/// Why the demo could not go on.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Ends the demo where something is not as it must be: it proves what it shows.
func expect(_ isSo: Bool, _ what: String) throws {
    if !isSo { throw Failure("not as it must be: \(what)") }
}
