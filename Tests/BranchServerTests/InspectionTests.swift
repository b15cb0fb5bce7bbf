import BranchServer
import Foundation
import Oxbow
import Testing
import Volume

/// The look at a data folder without a process, against the script that it stands in for: on the
/// same folders both find the same, and leave the same behind.
@Suite(
    .enabled(if: FrontPostgres.isInstalled, "PostgreSQL 15 is missing: no cluster was looked at")
)
struct InspectionTests {
    /// What a data folder may hold beside what each does.
    private static let extras: [(path: String, text: String)] = [
        ("oxbow.branch", "B7\n"), ("oxbow.branch", "B1\n"), ("postmaster.pid", "77\n"),
        ("standby.signal", ""), ("standby.signal", "oxbow: until it is promoted\n"),
        ("recovery.signal", ""), ("pg_twophase/00000001", "x"),
        ("postgresql.conf", "# full_page_writes = off\n work_mem = 3MB\n"),
        ("postgresql.auto.conf", "x = 1\n \tFull_Page_Writes = on\n"),
        ("pg_replslot/mine/state", "x"), ("backup_label", "x"),
    ]
    private static let folders = ["global", "pg_twophase", "pg_replslot", "pg_tblspc"]
    private static let key = "B7"

    private func control() throws -> [UInt8] {
        let postgres = try FrontPostgres.shared.get()
        return [UInt8](
            try Data(contentsOf: URL(filePath: postgres.folder + "/data/global/pg_control"))
        )
    }

    /// Version 18 has a field more, and its number in the bytes at 8.
    private static func checksumOffset(_ control: [UInt8]) -> Int {
        control[8..<10].elementsEqual([0x08, 0x07]) ? 292 : 288
    }

    /// Files of one set of extras; later ones stand in place of earlier ones of their name.
    private func content(_ set: Int) throws -> [String: [UInt8]] {
        var content = ["PG_VERSION": Array("15\n".utf8), "global/pg_control": try control()]
        for (index, extra) in Self.extras.enumerated() where set >> index & 1 == 1 {
            content[extra.path] = Array(extra.text.utf8)
        }
        return content
    }

    private func volume(_ content: [String: [UInt8]]) throws -> BranchFiles {
        let files = try BranchFiles.open(Store.temporary().branch("main"))
        let ownership = Ownership(permissions: 0o700, owner: 0, group: 0)
        func folder(_ path: some StringProtocol) throws -> InodeNumber {
            var place = InodeNumber.root
            for part in path.split(separator: "/") {
                let name = try FileName(String(part))
                place =
                    try (try? files.lookUp(name, in: place))
                    ?? files.makeFolder(name, in: place, ownership)
            }
            return place
        }
        for name in Self.folders { _ = try folder("pgdata/" + name) }
        for (path, bytes) in content {
            let parts = path.split(separator: "/")
            let place = try folder("pgdata/" + parts.dropLast().joined(separator: "/"))
            let file = try files.makeFile(
                FileName(String(parts[parts.count - 1])),
                in: place,
                ownership
            )
            try files.openFile(file).write(bytes, at: 0)
        }
        return files
    }

    private func tree(_ files: BranchFiles, _ path: String) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        var entries: [Listing] = []
        try files.visitEntries(of: files.resolve(path), from: .start) { entry, _ in
            entries.append(entry)
            return true
        }
        for entry in entries {
            if entry.kind == .folder {
                let inner = try tree(files, "\(path)/\(entry.name)")
                for (name, bytes) in inner { found["\(entry.name)/\(name)"] = bytes }
            } else {
                let size = try files.attributes(of: entry.number).size
                found["\(entry.name)"] = try files.openFile(entry.number).read(
                    at: 0,
                    count: Int(size)
                )
            }
        }
        return found
    }

    /// What the script finds, and leaves behind.
    private func scripted(
        _ content: [String: [UInt8]],
        isMoment: Bool
    ) throws -> (PostgresPreflight, [String: [UInt8]]) {
        let folder = "/tmp/oxbow-look-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in Self.folders {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)",
                withIntermediateDirectories: true
            )
        }
        for (path, bytes) in content {
            let url = URL(filePath: "\(folder)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(bytes).write(to: url)
        }
        let said = try PostgresPreflight.said(
            in: folder,
            isMoment: isMoment,
            key: Self.key,
            programs: ["15=\(FrontPostgres.binaries)"]
        )
        var left: [String: [UInt8]] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
            if let data = FileManager.default.contents(atPath: "\(folder)/\(path)") {
                left[path] = [UInt8](data)
            }
        }
        return (PostgresPreflight(said), left)
    }

    @Test(arguments: [false, true])
    func `it finds what the script finds, and leaves what the script leaves`(
        isMoment: Bool
    ) throws {
        var looked = 0
        // Every third set of extras: each pair of them is met.
        for set in stride(from: isMoment ? 1 : 0, to: 1 << Self.extras.count, by: 13) {
            let content = try content(set)
            let files = try volume(content)
            let found = try PostgresInspection.look(
                files,
                key: Self.key,
                isMoment: isMoment,
                mayChange: true
            )
            guard let found else {
                #expect(content.keys.contains { $0.hasPrefix("pg_replslot") }, "set \(set)")
                continue
            }
            looked += 1
            let (expected, left) = try scripted(content, isMoment: isMoment)
            #expect(found.facts == expected.facts, "set \(set)")
            #expect(try tree(files, "/pgdata") == left, "set \(set)")
        }
        #expect(looked > 20)
    }

    @Test func `nothing is changed where the kernel may keep something`() throws {
        let content = try content(0b101)
        let files = try volume(content)
        let found = try PostgresInspection.look(
            files,
            key: Self.key,
            isMoment: false,
            mayChange: false
        )
        #expect(found == nil)
        #expect(try tree(files, "/pgdata") == content)
    }

    private func look(
        _ content: [String: [UInt8]],
        isMoment: Bool = false,
        mayChange: Bool = true,
        bytesToRedo: UInt64 = PostgresInspection.promotedBytes
    ) throws -> (promotes: Bool, left: Set<String>)? {
        let files = try volume(content)
        let found = try PostgresInspection.look(
            files,
            key: Self.key,
            isMoment: isMoment,
            mayChange: mayChange,
            bytesToRedo: bytesToRedo
        )
        return try found.map { ($0.promotes, Set(try tree(files, "/pgdata").keys)) }
    }

    @Test func `a branch with much to redo is promoted`() throws {
        let content = try content(0b1)
        let much = try #require(try look(content))
        #expect(much.promotes && much.left.contains("standby.signal"))
        let little = try #require(
            try look(content, bytesToRedo: PostgresInspection.promotedBytes - 1)
        )
        #expect(!little.promotes && !little.left.contains("standby.signal"))
        #expect(try look(content, isMoment: true)?.promotes == false)
        // Where nothing may be changed it starts as before.
        #expect(try look(content, mayChange: false)?.promotes == false)
    }

    @Test func `a log without what a standby needs is redone as after any crash`() throws {
        var content = try content(0b1)
        content["global/pg_control"] = try control(with: 0, at: 172)
        let found = try #require(try look(content))
        #expect(!found.promotes && !found.left.contains("standby.signal"))
    }

    /// A standby would open, and judge its files, at that point and not at the end of the log.
    @Test(arguments: [136, 143, 152, 160, 168])
    func `where a point is to be reached first, none is a standby`(offset: Int) throws {
        let own = "oxbow: until it is promoted\n"
        for (signal, isMoment) in [(nil, false), (own, false), (nil, true), (own, true)] {
            var content = try content(0b1)
            content["global/pg_control"] = try control(with: 1, at: offset)
            content["standby.signal"] = signal.map { Array($0.utf8) }
            let files = try volume(content)
            let found = try #require(
                try PostgresInspection.look(
                    files,
                    key: Self.key,
                    isMoment: isMoment,
                    mayChange: true,
                    bytesToRedo: PostgresInspection.promotedBytes
                )
            )
            #expect(found.isUnsettled && !found.promotes)
            let left = try tree(files, "/pgdata")
            #expect(left["standby.signal"] == nil)
            let (expected, leftByScript) = try scripted(content, isMoment: isMoment)
            #expect(found.facts == expected.facts && left == leftByScript)
        }
        let settled = try #require(try look(content(0b1)))
        #expect(settled.promotes)
    }

    /// The control file with another byte, and the checksum that fits.
    private func control(with byte: UInt8, at offset: Int) throws -> [UInt8] {
        var control = try control()
        control[offset] = byte
        let end = Self.checksumOffset(control)
        var sum = WALChecksum()
        sum.add(control[..<end])
        for index in 0..<4 {
            control[end + index] = UInt8(truncatingIfNeeded: sum.value >> UInt32(8 * index))
        }
        return control
    }

    @Test func `a control file that is not what it says is left to the script`() throws {
        let control = try control()
        #expect(try PostgresControl(decoding: control).settings != nil)
        let end = Self.checksumOffset(control)
        for offset in [0, 8, 100, 180, 252, end - 1, end, end + 3] {
            var broken = control
            broken[offset] ^= 1
            #expect((try? PostgresControl(decoding: broken))?.settings == nil, "byte \(offset)")
        }
        for count in [0, 8, 12, end, end + 3] {
            let cut = try? PostgresControl(decoding: Array(control[..<count]))
            #expect(cut?.settings == nil, "\(count) bytes")
        }
    }
}
