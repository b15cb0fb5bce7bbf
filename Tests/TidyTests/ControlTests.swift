import Testing

/// Shows each law a text that breaks it: a check that cannot go red checks nothing.
@Suite struct ControlTests {
    @Test func `a long file and a wide line are found`() {
        let line = String(repeating: "x", count: 100) + "\n"
        #expect(Laws.size(String(repeating: line, count: 400)) == [])
        #expect(Laws.size(String(repeating: "x\n", count: 401)).map(\.what) == ["401 lines"])
        #expect(Laws.size("a\nx" + line) == [Finding(line: 2, what: "101 columns")])
    }

    @Test(arguments: [
        "let x = try! f()", "x as! Int", "fatalError(\"no\")", "// FIXME", "/* TODO */ x",
        "// XXX: later", "print(x)", "    debugPrint(x)", "Swift.print(x)",
    ])
    func `a banned word is found`(text: String) {
        #expect(Laws.bannedWords("ok\n" + text, printing: false).map(\.line) == [2])
    }

    @Test(arguments: [
        "try f()", "x as? Int", "XXH3_64bits", "fingerprint(x)", "TODOS", "// prints it",
        "a ? as : b",
    ])
    func `a word that only looks banned is not`(text: String) {
        #expect(Laws.bannedWords(text, printing: false) == [])
    }

    @Test func `the command may print, and nothing else that is banned`() {
        #expect(Laws.bannedWords("print(1)", printing: true) == [])
        #expect(Laws.bannedWords("try! print(1)", printing: true).count == 1)
    }

    @Test(arguments: [
        "unsafe clock_gettime(CLOCK_REALTIME, &t)", "var g = SystemRandomNumberGenerator()",
        "Int.random(in: 0..<3)", "let now = Date()", "ContinuousClock.now", "SuspendingClock()",
        "list.shuffled()", "list.shuffle()", "list.randomElement()", "UUID().uuidString",
    ])
    func `time and randomness of the machine are found`(text: String) {
        #expect(Laws.unseeded("ok\n" + text).map(\.line) == [2])
    }

    @Test(arguments: [
        "Date(seconds: 3)", "clock.now()", "random.next()", "list.shuffled(using: &r)",
    ])
    func `time and randomness that come from outside are not`(text: String) {
        #expect(Laws.unseeded(text) == [])
    }

    @Test(arguments: [
        "import Foundation", "  import Foundation", "public import Foundation",
        "@preconcurrency import Foundation", "import struct Foundation.Date",
        "@_exported public import class Foundation.Thread", "@_spi(X) import Foundation // why",
    ])
    func `an import is found in every form`(text: String) {
        #expect(Laws.imports("\n" + text, of: ["Foundation"]).map(\.line) == [2])
        #expect(Laws.imports(text, of: ["Glibc"]) == [])
    }

    @Test(arguments: ["// import Foundation", "import FoundationX", "let important = Foundation"])
    func `what only looks like an import is not`(text: String) {
        #expect(Laws.imports(text, of: ["Foundation"]) == [])
    }

    @Test(arguments: [
        "final class A: @unchecked Sendable {}",
        "// Safe elsewhere.\n\nfinal class A: @unchecked Sendable {}",
        "/// A thing.\nfinal class A: @unchecked Sendable {}",
        "// Safe.\nlet x = 1\nnonisolated(unsafe) var y = 2",
        "// Safe.\nfinal class B {}\nfinal class A:\n    P,\n    @unchecked Sendable\n{}",
    ])
    func `a promise without a reason is found`(text: String) {
        #expect(Laws.unexplainedPromises(text).count == 1)
    }

    @Test(arguments: [
        "// Safe to share: never changes.\nfinal class A: @unchecked Sendable {}",
        "/// Doc.\n// Safe to share: locked,\n// always.\n@safe\nclass A: @unchecked Sendable {}",
        "    // Safe: set once.\n    nonisolated(unsafe) var y = 2",
        "// Safe: locked.\nfinal class A:\n    P,\n    @unchecked Sendable\n{}",
        "// Never write @unchecked Sendable here.", "struct A: Sendable {}",
    ])
    func `a promise with a reason is not`(text: String) {
        #expect(Laws.unexplainedPromises(text) == [])
    }

    @Test(arguments: [
        "public func f()", "    public let x = 1", "@inlinable public static func g()",
        "// Not a doc comment.\n@inlinable\npublic init()", "/// Doc.\n\npublic var x: Int",
        "@frozen public struct A {}", "nonisolated public var y: Int",
        "public private(set) var z = 1", "open class B {}\npublic typealias C = Int",
    ])
    func `a public declaration without words is found`(text: String) {
        #expect(Laws.undocumentedPublic(text).count == 1)
    }

    @Test(arguments: [
        "/// Doc.\npublic func f()", "/// Doc.\n@inlinable\npublic func f()",
        "/// Doc.\n// Safe: locked.\n@safe public final class A {}", "public import Glibc",
        "package func f()", "// public func f()", "let text = \"public func\"",
        "public extension A {",
    ])
    func `a documented one, or one that is not public, is not`(text: String) {
        #expect(Laws.undocumentedPublic(text) == [])
    }

    @Test(arguments: [
        "struct Oxbow {}", "public final class Oxbow: P {}", "enum Oxbow<T> {}",
        "typealias Oxbow = Int", "actor Oxbow {}", "protocol Oxbow {}",
    ])
    func `a type named like its module is found`(text: String) {
        #expect(Laws.namedLikeType(text, module: "Oxbow").count == 1)
        #expect(Laws.namedLikeType(text, module: "Volume") == [])
    }

    @Test(arguments: ["struct OxbowError {}", "// a class Oxbow", "extension Oxbow {}"])
    func `a type named otherwise is not`(text: String) {
        #expect(Laws.namedLikeType(text, module: "Oxbow") == [])
    }

    @Test(arguments: ["work", "root", "home"])
    func `a path of one machine is found`(folder: String) {
        let path = "/" + folder + "/"
        #expect(Laws.machinePaths("ok\nsee \(path)x").map(\.line) == [2])
        #expect(Laws.machinePaths("`\(path)`").count == 1)
        #expect(Laws.machinePaths("a\(path)b and \(path)b").count == 1)
        #expect(Laws.machinePaths("docs\(path)x.md, \"$HOME\"") == [])
    }
}
