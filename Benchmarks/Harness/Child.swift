import Foundation

/// A process of its own, for figures that this one would blur: it prints `name value` lines.
package enum Child {
    package static func run(_ executable: String, _ arguments: [String]) throws -> [String: Double]
    {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = ["child"] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkError("\(arguments): ended with \(process.terminationStatus)")
        }
        var figures: [String: Double] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 { figures[String(words[0])] = Double(words[1]) }
        }
        return figures
    }

    /// How many bytes of memory this process has that no file stands behind.
    package static func anonymousBytes() throws -> Double {
        let text = try SystemFile.text("/proc/self/status")
        for line in text.split(separator: "\n") where line.hasPrefix("RssAnon:") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            if words.count > 1, let kibibytes = Double(words[1]) { return kibibytes * 1024 }
        }
        throw BenchmarkError("the system tells no RssAnon")
    }
}
