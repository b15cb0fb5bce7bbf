import Foundation
import Testing

/// What is special about PostgreSQL on a copy of its files.
@Suite(
    .serialized,
    .enabled(
        if: ServedStore.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no hazard was tested"
    )
)
struct HazardTests {
    @Test func `what leads out of the branch is refused, and nothing outside can be made`() throws {
        let served = try ServedStore.new()
        let outside = served.folder + "/outside"
        _ = try served.run("mkdir \(outside) && chown postgres \(outside)")
        let socket = served.tell("acquire main")
        let make = "CREATE TABLESPACE far LOCATION '\(outside)'"
        #expect(try served.sql(socket, make).contains("Read-only file system"))
        _ = served.tell("stop main")
        _ = served.tell("release main")
        let links = "\(served.folder)/mnt/main/pgdata/pg_tblspc/16384"
        #expect(try served.run("ln -s \(outside) \(links)").status == 0)
        let refused = served.tell("acquire main")
        #expect(refused.contains("leads out of the branch, to \(outside)"), "\(refused)")
        #expect(try served.run("rm \(links)").status == 0)
        #expect(served.tell("acquire main") == socket)
        try served.end()
    }

    @Test func `a tablespace in the branch goes along with its forks`() throws {
        let served = try ServedStore.new()
        let socket = served.tell("acquire main")
        let near = "\(served.folder)/mnt/main/near"
        #expect(try served.run("mkdir \(near) && chown postgres \(near)").status == 0)
        _ = try served.sql(socket, "CREATE TABLESPACE near LOCATION '\(served.folder)/mnt/near'")
        _ = try served.sql(socket, "CREATE TABLE t TABLESPACE near AS SELECT 7 AS n; CHECKPOINT")
        _ = served.tell("fork main copy")
        let copy = served.tell("acquire copy")
        #expect(try served.sql(copy, "UPDATE t SET n = 8; SELECT n FROM t") == "UPDATE 1\n8")
        #expect(try served.sql(socket, "SELECT n FROM t") == "7")
        try served.end()
    }

    @Test func `a fork has no slots of its parent's, and fetches nothing in its name`() throws {
        let served = try ServedStore.new()
        let socket = served.tell("acquire main")
        _ = try served.sql(socket, "SELECT pg_create_physical_replication_slot('s', true)")
        _ = served.tell("fork main copy")
        let copy = served.tell("acquire copy")
        let ask =
            "SELECT count(*), current_setting('max_logical_replication_workers') "
            + "FROM pg_replication_slots"
        #expect(try served.sql(copy, ask) == "0|0")
        #expect(try served.sql(socket, ask) == "1|4")
        _ = try served.sql(copy, "SELECT pg_create_physical_replication_slot('own', true)")
        _ = served.tell("stop copy")
        _ = served.tell("release copy")
        _ = served.tell("acquire copy")
        #expect(try served.sql(copy, ask) == "1|0")
        try served.end()
    }

    @Test func `a superuser sees its own branch and no other`() throws {
        let served = try ServedStore.new()
        let socket = served.tell("acquire main")
        _ = served.tell("fork main copy")
        let copy = served.tell("acquire copy")
        _ = try served.sql(copy, "CREATE TABLE secret ()")
        let look = """
            CREATE TABLE said (line text);
            COPY said FROM PROGRAM 'cd \(served.folder); ls mnt run; ls /proc/[0-9]*/cwd/;
                ls \(copy) store mnt/copy 2>&1;
                touch /tmp/made /etc/made 2>&1; echo end; :';
            """
        _ = try served.sql(socket, look)
        let said = try served.sql(socket, "SELECT line FROM said")
        #expect(!said.contains("copy/pgdata") && !said.contains("B1000/"), "\(said)")
        // All that it can reach, itself among it.
        _ = try served.sql(socket, "COPY said FROM PROGRAM 'kill -9 -1'")
        #expect(try served.run("ls /tmp/made /etc/made 2>/dev/null").said == "")
        #expect(try served.status("copy").starts == 1)
        #expect(try served.sql(copy, "SELECT 1") == "1")
        try served.end()
    }

    @Test func `what is left of a parent's processes keeps no fork from starting`() throws {
        let served = try ServedStore.new()
        _ = served.tell("acquire main")
        // The number of a process that is certainly there.
        let stale = "\(served.folder)/mnt/copy/pgdata/postmaster.pid"
        _ = served.tell("fork main copy")
        #expect(try served.run("sed -i '1s/.*/1/' \(stale)").status == 0)
        #expect(served.tell("acquire copy").contains("/sockets"))
        try served.end()
    }
}
