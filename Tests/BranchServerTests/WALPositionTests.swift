import BranchServer
import DiskIO
import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing
import Volume

/// Which record a position of PostgreSQL's log stands for, with logs that are made up.
@Suite struct WALPositionTests {
    @Test(arguments: [1, 2] as [UInt64])
    func `a position leads to the first record that holds it`(seed: UInt64) throws {
        let cluster = try WALCluster(seed)
        try cluster.go(on: 30)
        try cluster.expectAll()
        let beyond = try #require(cluster.failure(cluster.image.end + 25))
        #expect(beyond.kind == .beyondHead)
        #expect(beyond.message.contains("ends at \(WALPosition(rawValue: cluster.image.end))"))
    }

    @Test func `files that a checkpoint has removed count as passed`() throws {
        let cluster = try WALCluster(3)
        try cluster.go(on: 20)
        cluster.image.switchFile()
        try cluster.flush()
        try cluster.go(on: 10)
        try cluster.control(checkpoint: #require(cluster.image.records.last).lowerBound)
        try cluster.remove(cluster.image.start)
        try cluster.go(on: 10)
        try cluster.expectAll(Array(cluster.image.records.filter { $0.count < 100_000 }))
    }

    @Test func `positions are found through promotions`() throws {
        let cluster = try WALCluster(9)
        for _ in 0..<3 {
            try cluster.go(on: 15)
            try cluster.promote()
        }
        try cluster.go(on: 5)
        try cluster.expectAll()
    }

    @Test func `a killed promotion's file does not hide the one that the log goes on in`() throws {
        let cluster = try WALCluster(10)
        try cluster.go(on: 15)
        let start = (cluster.image.end - 1) / WALImage.segment * WALImage.segment
        let left = cluster.file(start).replacing("/00000001", with: "/00000002")
        try cluster.put([UInt8](repeating: 0, count: Int(WALImage.segment)), at: 0, to: left)
        try cluster.go(on: 5)
        try cluster.expectAll()
        #expect(cluster.image.end < start + WALImage.segment)
    }

    @Test func `a fork finds its parent's, and its own`() throws {
        let cluster = try WALCluster(4)
        try cluster.go(on: 20)
        let parent = cluster.branch
        cluster.branch = try cluster.store.fork("copy", from: parent)
        try cluster.go(on: 20)
        try cluster.expectAll()
        let search = WALPositionSearch(parent)
        let own = WALPosition(rawValue: cluster.image.end)
        #expect(throws: WALError.self) { try search.point(of: own) }
    }

    @Test func `what a reset left behind is not found`() throws {
        let cluster = try WALCluster(5)
        try cluster.go(on: 20)
        let (image, states) = (cluster.image, cluster.states)
        try cluster.go(on: 20)
        let left = cluster.image.end
        let point = try cluster.branch.point(at: .lsn(#require(states.last).lsn))
        try cluster.branch.reset(to: point)
        (cluster.image, cluster.states) = (image, states)
        #expect(cluster.failure(left)?.kind == .beyondHead)
        let after = try cluster.branch.point(at: .head).lsn
        try cluster.go(on: 5)
        try cluster.expectAll()
        #expect(try cluster.find(cluster.image.end) > after)
    }

    @Test func `before what is kept there is nothing, and the error says from where on`() throws {
        let cluster = try WALCluster(6)
        try cluster.go(on: 30)
        let old = cluster.image.end
        try cluster.store.checkpoint()
        try cluster.go(on: 100)
        try cluster.store.checkpoint()
        try cluster.go(on: 10)
        try cluster.store.setWindow(.seconds(5), bytes: 1 << 30)
        _ = try cluster.store.reclaim()
        let error = try #require(cluster.failure(old))
        #expect(error.kind == .beforeHistory)
        let earliest = try #require(try cluster.branch.history(from: .oldest, limit: 1).first)
        #expect(error.message.contains("\(earliest.lsn)"), "\(error)")
        #expect(error.message.contains("\(earliest.time)"), "\(error)")
        try cluster.expectAll(Array(cluster.image.records.suffix(3)))
    }

    @Test func `another cluster's positions are not this one's`() throws {
        let cluster = try WALCluster(7)
        try cluster.go(on: 10)
        let before = try cluster.branch.point(at: .head).lsn
        try cluster.control(checkpoint: cluster.image.start + 40, cluster: 78)
        #expect(try cluster.find(cluster.image.end) > before)
    }

    @Test func `a branch without PostgreSQL says so, and so does one that is damaged`() throws {
        let store = try Store.temporary()
        let main = try store.branch("main")
        let search = WALPositionSearch(main)
        let position = WALPosition(rawValue: 1 << 24)
        let none = #expect(throws: WALError.self) { try search.point(of: position) }
        #expect(none?.kind == .noCluster)
        _ = try BranchFiles.open(main)
        let empty = #expect(throws: WALError.self) { try search.point(of: position) }
        #expect(empty?.kind == .noCluster)
        let cluster = try WALCluster(8)
        try cluster.go(on: 3)
        try cluster.control(checkpoint: 0, cluster: 77)
        let (folder, name) = try BranchFiles.open(cluster.branch)
            .resolveParent("/pgdata/global/pg_control")
        let files = try BranchFiles.open(cluster.branch)
        try files.openFile(files.lookUp(name, in: folder)).write([1, 2, 3], at: 33)
        let damaged = cluster.failure(cluster.image.end)
        #expect(damaged?.kind == .failed)
        #expect(damaged?.message.contains("pg_control") == true)
    }
}
