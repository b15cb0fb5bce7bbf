import Foundation
import Testing

@Suite struct PageCommandTests {
    @Test func `pages go in and come out`() throws {
        let tool = try Tool.withStore()
        let three = page(1) + page(2) + page(3)
        let told = try tool.lines("page", "write", "main", "7", "10", input: three)
        #expect(told.first?.hasPrefix("wrote 3 pages of object 7 on main at L") == true)
        #expect(try tool.run("page", "read", "main", "7", "10", "-n", "3").bytes == three)
        #expect(try tool.run("page", "read", "main", "7", "11").bytes == page(2))
        #expect(try tool.run("page", "read", "main", "7", "13").bytes == page(0))
        #expect(try tool.json("history", "main").list("records").count == 2)
    }

    @Test func `a short last page is refused, or filled up when asked`() throws {
        let tool = try Tool.withStore()
        let short = page(1) + [7, 8, 9]
        let refused = try tool.run("page", "write", "main", "1", "0", input: short)
        #expect(refused.code == 1)
        #expect(
            refused.messages
                == "oxbow: the input's 4099 bytes are not whole pages of 4096: give whole pages, "
                + "or "
                + "say --pad to fill up the last one with zeros\n"
        )
        #expect(try tool.run("page", "read", "main", "1", "0").bytes == page(0))
        #expect(
            try tool.json("page", "write", "main", "1", "0", "--pad", input: short).number("count")
                == 2
        )
        let read = try tool.run("page", "read", "main", "1", "0", "--count", "2").bytes
        #expect(read == short + [UInt8](repeating: 0, count: 4093))
    }

    @Test(arguments: [
        (0, nil, "the input is empty: give a page of 4096 bytes, or several"),
        (2, "3", "the input has 2 pages and not 3: nothing was written"),
        (2, "1", "the input has more than 1 page: nothing was written"),
    ])
    func `the wrong number of pages changes nothing`(
        pages: Int,
        expected: String?,
        message: String
    ) throws {
        let tool = try Tool.withStore()
        let more = expected.map { ["--count", $0] } ?? []
        let refused = try tool.run(
            ["page", "write", "main", "1", "0"] + more,
            input: page(5, pages)
        )
        #expect(refused.code == 1)
        #expect(refused.messages == "oxbow: \(message)\n")
        #expect(try tool.run("page", "read", "main", "1", "0").bytes == page(0))
    }

    @Test func `a large input is one commit`() throws {
        let tool = try Tool.withStore()
        var bytes: [UInt8] = []
        for number in 0..<600 { bytes += page(UInt8(number % 251)) }
        try tool.lines("page", "write", "main", "1", "0", "-n", "600", input: bytes)
        #expect(try tool.run("page", "read", "main", "1", "0", "-n", "600").bytes == bytes)
        let records = try tool.json("history", "main").list("records")
        #expect(records.count == 2)
        #expect(records[0].number("pages") == 600)
    }

    @Test func `JSON carries pages as base64`() throws {
        let tool = try Tool.withStore()
        try tool.lines("page", "write", "main", "1", "0", input: page(1) + page(255))
        let read = try tool.json("page", "read", "main", "1", "0", "-n", "2")
        #expect(read.number("pageSize") == 4096)
        #expect(read.text("pages.0.base64") == Data(page(1)).base64EncodedString())
        #expect(read.text("pages.1.base64") == Data(page(255)).base64EncodedString())
        #expect(read.number("pages.1.page") == 1)
    }

    @Test func `the highest pages and objects are pages and objects`() throws {
        let tool = try Tool.withStore()
        let (object, last) = ("\(UInt64.max)", "\(UInt64.max - 1)")
        try tool.lines("page", "write", "main", object, last, input: page(3))
        #expect(try tool.run("page", "read", "main", object, last).bytes == page(3))
        let refused = try tool.run("page", "write", "main", object, last, input: page(4, 2))
        #expect(refused.code == 1)
        #expect(refused.messages.contains("page \(last) is the last there can be"))
        #expect(try tool.run("page", "read", "main", object, last).bytes == page(3))
    }

    @Test func `a reader that goes away is no failure`() throws {
        let tool = try Tool.withStore()
        try tool.lines("page", "write", "main", "1", "0", input: page(1))
        let pipe = Pipe()
        let count = "\(Int64.max)"
        let process = tool.process(["page", "read", "main", "1", "0", "-n", count])
        let messages = Pipe()
        process.standardOutput = pipe
        process.standardError = messages
        try process.run()
        try pipe.fileHandleForWriting.close()
        _ = try pipe.fileHandleForReading.read(upToCount: 10)
        try pipe.fileHandleForReading.close()
        DispatchQueue.global().asyncAfter(deadline: .now() + 60) { process.terminate() }
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 0)
        try messages.fileHandleForWriting.close()
        #expect(try messages.fileHandleForReading.readToEnd() ?? Data() == Data())
    }

    @Test func `a document has a bound, and bytes have none`() throws {
        let tool = try Tool.withStore()
        #expect(
            try tool.json("page", "read", "main", "1", "0", "-n", "1024").list("pages").count
                == 1024
        )
        let refused = try tool.run("page", "read", "main", "1", "0", "-n", "1025", "--json")
        #expect(refused.code == 2)
        #expect(
            try Document(refused.bytes).text("error.message")
                == "with --json at most 1024 pages are read at once: ask for fewer, or leave out "
                + "--json"
        )
        let bytes = try tool.run("page", "read", "main", "1", "0", "-n", "1025").bytes
        #expect(bytes.count == 1025 * Tool.pageSize)
    }

    @Test(arguments: ["<&-", ">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"])
    func `closed standard streams are not mistaken for the store's files`(closed: String) throws {
        let tool = try Tool.withStore()
        try tool.lines("page", "write", "main", "1", "0", input: page(1, 100))
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = [
            "-c", "exec '\(Tool.executable.path)' page read main 1 0 -n 100 --force \(closed)",
        ]
        shell.currentDirectoryURL = tool.folder
        shell.environment = ["OXBOW_STORE": "data"]
        shell.standardInput = FileHandle.nullDevice
        shell.standardOutput = FileHandle.nullDevice
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        shell.waitUntilExit()
        // Results that go nowhere are a failure, as where the disk is full.
        #expect(shell.terminationStatus == (closed.contains(" >&-") || closed == ">&-" ? 1 : 0))
        #expect(try tool.run("page", "read", "main", "1", "0", "-n", "100").bytes == page(1, 100))
        #expect(try tool.json("check").flag("sound") == true)
    }

    @Test func `results that cannot be written are a failure`() throws {
        let tool = try Tool.withStore()
        let process = tool.process(["branch", "list"])
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
        let messages = Pipe()
        process.standardError = messages
        try process.run()
        process.waitUntilExit()
        try messages.fileHandleForWriting.close()
        let told = try messages.fileHandleForReading.readToEnd() ?? Data()
        #expect(process.terminationStatus == 1)
        #expect(
            String(decoding: told, as: UTF8.self)
                == "oxbow: write the results: No space left on device\n"
        )
    }
}
