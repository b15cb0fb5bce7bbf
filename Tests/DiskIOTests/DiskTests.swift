import DiskIO
import Testing

/// What every disk owes the engine, whichever disk it is: the names.
@Suite struct DiskTests {
    @Test(arguments: DiskKind.allCases)
    func `a new disk is empty and has space`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            #expect(try disk.list() == [])
            #expect(try disk.availableBytes() > 0)
            #expect(try disk.availableBytes() <= disk.totalBytes())
            #expect(!disk.place.isEmpty)
            try disk.syncFolder()
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a created file is empty, listed and can be opened`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            #expect(try file.length() == 0)
            #expect(try disk.list() == ["a"])
            try file.write([1, 2, 3], at: 0)
            try file.sync()
            let again = try disk.open("a")
            #expect(try again.length() == 3)
            #expect(try again.read(10, at: 0) == [1, 2, 3])
            try again.write([9], at: 1)
            #expect(try file.read(3, at: 0) == [1, 9, 3])
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a file is created once`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            try disk.create("a").write([7], at: 0)
            let error = #expect(throws: DiskError.self) { try disk.create("a") }
            #expect(error?.kind == "exists")
            #expect(try disk.open("a").read(1, at: 0) == [7])
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `what is not there is not found`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let errors = [
                #expect(throws: DiskError.self) { try disk.open("a") },
                #expect(throws: DiskError.self) { try disk.remove("a") },
                #expect(throws: DiskError.self) { try disk.rename("a", to: "b") },
            ]
            for error in errors {
                #expect(error?.kind == "not found")
                #expect(error?.description.contains("a") == true)
            }
            let names = try disk.list()
            #expect(names == [])
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a failed rename leaves what it would have replaced`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            try disk.create("b").write([5], at: 0)
            #expect(throws: DiskError.self) { try disk.rename("a", to: "b") }
            #expect(try disk.open("b").read(1, at: 0) == [5])
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a list names every file once`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let names = (0..<500).map { "segment-\($0)" }
            for name in names { _ = try disk.create(name) }
            #expect(try disk.list().sorted() == names.sorted())
            for name in names.prefix(250) { try disk.remove(name) }
            #expect(try disk.list().sorted() == names.suffix(250).sorted())
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a rename moves a file, over another where there is one`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            try disk.create("a").write([1], at: 0)
            try disk.rename("a", to: "b")
            #expect(try disk.list() == ["b"])
            try disk.create("c").write([2, 2], at: 0)
            let replaced = try disk.open("b")
            try disk.rename("c", to: "b")
            #expect(try disk.list() == ["b"])
            #expect(try disk.open("b").read(9, at: 0) == [2, 2])
            #expect(try replaced.read(9, at: 0) == [1])
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a file renamed to its own name stays`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            try disk.create("a").write([1], at: 0)
            try disk.rename("a", to: "a")
            #expect(try disk.open("a").read(9, at: 0) == [1])
        }
    }

    @Test(arguments: DiskKind.allCases)
    func `a file stays readable after its name is gone`(kind: DiskKind) throws {
        try kind.withDisk { disk in
            let file = try disk.create("a")
            try file.write([1, 2, 3], at: 0)
            try disk.remove("a")
            #expect(try disk.list() == [])
            #expect(try file.read(3, at: 0) == [1, 2, 3])
            try file.write([4], at: 3)
            let other = try disk.create("a")
            #expect(try other.length() == 0)
            #expect(try file.read(9, at: 0) == [1, 2, 3, 4])
        }
    }
}
