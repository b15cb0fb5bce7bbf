import DiskIO
import Foundation
import Testing

/// What only a folder of a real file system has: holders, permissions, and other people's files.
@Suite struct LocalDiskTests {
    @Test func `a folder is made once and opened ever after`() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/store"
            try LocalDisk(path, create: true).create("a").write([1], at: 0)
            #expect(try LocalDisk(path, create: true).list() == ["a"])
            #expect(try LocalDisk(path, create: false).open("a").read(1, at: 0) == [1])
        }
    }

    @Test(arguments: [("/none", false), ("/none/store", true)])
    func `a folder that is missing is not found`(path: String, create: Bool) throws {
        try withTemporaryFolder { folder in
            let error = #expect(throws: DiskError.self) {
                try LocalDisk(folder + path, create: create)
            }
            #expect(error?.kind == "not found")
            #expect(error?.description.contains(folder + path) == true)
        }
    }

    @Test(arguments: [true, false])
    func `a file is no folder`(create: Bool) throws {
        try withTemporaryFolder { folder in
            try Data().write(to: URL(filePath: folder + "/store"))
            let error = #expect(throws: DiskError.self) {
                try LocalDisk(folder + "/store", create: create)
            }
            guard case .failed(_, let code, let reason)? = error else {
                Issue.record("not the system's answer: \(String(describing: error))" as Comment)
                return
            }
            #expect(code == ENOTDIR)
            #expect(reason == "Not a directory")
        }
    }

    @Test func `a folder that is only looked at stays as it is, whoever holds it`() throws {
        try withTemporaryFolder { folder in
            let looking = try LocalDisk(reading: folder)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
            let holder = try LocalDisk(folder, create: false)
            try holder.create("a").write([1, 2], at: 0)
            #expect(try looking.list() == ["a"])
            let file = try looking.open("a")
            #expect(try file.read(9, at: 0) == [1, 2])
            #expect(throws: DiskError.self) { try file.write([3], at: 0) }
            #expect(throws: DiskError.self) { try file.truncate(to: 0) }
            #expect(throws: DiskError.self) { try looking.create("b") }
            #expect(throws: DiskError.self) { try looking.remove("a") }
            #expect(throws: DiskError.self) { try looking.rename("a", to: "b") }
            #expect(try holder.list() == ["a"])
            #expect(try file.read(9, at: 0) == [1, 2])
        }
    }

    @Test func `a folder and its files are their owner's alone`() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/store"
            let disk = try LocalDisk(path, create: true)
            _ = try disk.create("a")
            #expect(try mode(path) == 0o700)
            #expect(try mode(path + "/a") == 0o600)
            #expect(try mode(path + "/lock") == 0o600)
        }
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test func `a second opener in the same process is told who holds the folder`() throws {
        try withTemporaryFolder { folder in
            let first = try LocalDisk(folder, create: false)
            for _ in 0..<2 {
                #expect(throws: DiskError.held(pid: getpid())) {
                    try LocalDisk(folder, create: false)
                }
            }
            // The refused one took nothing away.
            _ = try first.create("a")
            #expect(throws: DiskError.held(pid: getpid())) { try LocalDisk(folder, create: true) }
        }
    }

    @Test func `a folder is free when its holder is gone`() throws {
        try withTemporaryFolder { folder in
            for _ in 0..<3 { _ = try LocalDisk(folder, create: false).list() }
        }
    }

    @Test func `a second process is told who holds the folder`() async throws {
        let folder = try emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let disk = try LocalDisk(folder, create: false)
        let holder = getpid()
        await #expect(processExitsWith: .success) {
            [folder = folder as String, holder = holder as Int32] in
            #expect(getpid() != holder)
            #expect(throws: DiskError.held(pid: holder)) { try LocalDisk(folder, create: false) }
        }
        withExtendedLifetime(disk) {}
    }

    @Test func `a process that is killed holds nothing any more`() async throws {
        let folder = try emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
            let disk = try LocalDisk(folder, create: false)
            try disk.create("a").write([1], at: 0)
            kill(getpid(), SIGKILL)
        }
        #expect(try LocalDisk(folder, create: false).open("a").read(1, at: 0) == [1])
    }

    private func emptyFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "oxbow-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.path(percentEncoded: false)
    }

    @Test func `the holder's mark is no file of the store`() throws {
        try withTemporaryFolder { folder in
            let disk = try LocalDisk(folder, create: false)
            #expect(try disk.list() == [])
            let error = #expect(throws: DiskError.self) { try disk.create("lock") }
            #expect(error?.kind == "exists")
            let mark = try String(contentsOfFile: folder + "/lock", encoding: .utf8)
            #expect(mark == "\(getpid())\n")
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func `a device without space is full`() throws {
        try withTemporaryFolder { folder in
            let disk = try LocalDisk(folder, create: false)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/a",
                withDestinationPath: "/dev/full"
            )
            let file = try disk.open("a")
            let error = #expect(throws: DiskError.self) { try file.write([1], at: 0) }
            #expect(error?.kind == "full")
        }
    }

    @Test func `names of any length and script are listed whole`() throws {
        try withTemporaryFolder { folder in
            let disk = try LocalDisk(folder, create: false)
            let names = [String(repeating: "n", count: 255), "ü", "-", "a b", ".hidden"]
            for name in names { _ = try disk.create(name) }
            #expect(try disk.list().sorted() == names.sorted())
            let tooLong = String(repeating: "n", count: 256)
            let error = #expect(throws: DiskError.self) { try disk.create(tooLong) }
            #expect(error?.kind == "failed")
        }
    }

    @Test func `the standard streams' descriptors are left alone, also where they are free`()
        async throws
    {
        let folder = try emptyFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        await #expect(processExitsWith: .exitCode(7)) { [folder = folder as String] in
            for descriptor in 0..<3 as Range<Int32> { close(descriptor) }
            let disk = try LocalDisk(folder + "/store", create: true)
            let file = try disk.create("a")
            let again = try disk.open("a")
            _ = try disk.list()
            let looking = try LocalDisk(reading: folder + "/store")
            // Something else of this process may have opened a file meanwhile.
            let taken = (0..<3).filter { descriptor in
                let link = "/proc/self/fd/\(descriptor)"
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
                return target?.contains("oxbow-") ?? false
            }
            try file.write([1], at: 0)
            let reads = try again.read(1, at: 0) == [1] && looking.list() == ["a"]
            exit(reads && taken.isEmpty ? 7 : 1)
        }
    }

    @Test func `closed files give their descriptors back`() throws {
        try withTemporaryFolder { folder in
            let disk = try LocalDisk(folder, create: false)
            _ = try disk.create("a")
            for _ in 0..<20_000 { _ = try disk.open("a") }
            for _ in 0..<2_000 { _ = try disk.list() }
        }
    }
}
