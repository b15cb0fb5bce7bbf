import Foundation
import Testing

/// The mount, as other processes see it. Needs root and FUSE.
@Suite(
    .serialized,
    .enabled(if: MountedStore.isPossible, "FUSE or root is missing: no mount was tested")
)
struct MountTests {
    @Test func `a mount ends though another process has a copy of all mounts`() throws {
        let mounted = try MountedStore()
        let other = Process()
        other.executableURL = URL(filePath: "/usr/bin/unshare")
        other.arguments = [
            "--mount", "--propagation", "private", "sh", "-c", "echo; exec sleep 1000",
        ]
        let output = Pipe()
        other.standardOutput = output
        try other.run()
        defer {
            Foundation.kill(other.processIdentifier, SIGKILL)
            other.waitUntilExit()
        }
        _ = output.fileHandleForReading.availableData
        #expect(other.isRunning)
        try mounted.end()
    }

    @Test func `a folder that is open outlives its removal, as an empty one`() throws {
        let mounted = try MountedStore()
        let (said, status) = try mounted.shell(
            """
            cd main; mkdir gone over over-it; python3 -c '
            import os
            gone, over = os.open("gone", os.O_RDONLY), os.open("over", os.O_RDONLY)
            os.rmdir("gone"); os.rename("over-it", "over")
            for folder in gone, over: print(os.fstat(folder).st_nlink, os.listdir(folder))
            print(os.path.exists("gone"), os.fstat(os.open("over", os.O_RDONLY)).st_nlink)
            '
            """
        )
        #expect(said == "0 []\n0 []\nFalse 2\n" && status == 0, "\(said)")
        try mounted.end()
    }

    @Test func `files, folders and links are as on any disk`() throws {
        let mounted = try MountedStore()
        let (said, status) = try mounted.shell(
            """
            set -e; cd main
            mkdir -p a/b; echo one > a/b/f; ln a/b/f hard; ln -s a/b/f soft
            cat soft hard; stat -c '%h %s %F' hard
            chmod 640 hard; chown 1000:1001 hard; stat -c '%a %u %g' a/b/f
            mv a/b/f a/g; cat a/g; ls a/b | wc -l
            touch -d '2001-02-03 04:05:06.789 UTC' hard; date -u -r hard +%FT%T.%N
            echo two > x; mv x a/g; cat a/g hard
            for i in $(seq 500); do echo $i > a/b/$i; done; ls a/b | wc -l; cat a/b/500
            rm -r a; ls -A; mkfifo p; stat -c %F p
            """
        )
        #expect(
            said == """
                one
                one
                2 4 regular file
                640 1000 1001
                one
                0
                2001-02-03T04:05:06.789000000
                two
                one
                500
                500
                hard
                soft
                fifo

                """
        )
        #expect(status == 0)
        try mounted.end()
    }

    @Test func `sparse files, holes and sizes are as on any disk`() throws {
        let mounted = try MountedStore()
        let (said, status) = try mounted.shell(
            """
            set -e; cd main
            truncate -s 1T big; stat -c '%s %b' big; echo end >> big; tail -c 4 big
            stat -c '%s %b' big
            head -c 100000 /dev/urandom > r; cp r s; fallocate -p -o 8192 -l 16384 s
            stat -c '%s %b' s; cmp r s | head -c 11; echo
            fallocate -l 200000 s; stat -c %s s; fallocate -z -o 0 -l 10 s
            head -c 10 s | od -An -tx1
            cp --sparse=always s t; cmp s t; truncate -s 5 s; truncate -s 20 s
            tail -c 15 s | od -An -tx1
            dd if=/dev/zero of=d bs=3000 count=7 conv=fsync status=none; stat -c %s d
            dd if=r of=o bs=4096 count=4 oflag=direct status=none; cmp -n 16384 r o
            """
        )
        #expect(
            said == """
                1099511627776 0
                end
                1099511627780 16
                100000 176
                r s differ:
                200000
                 00 00 00 00 00 00 00 00 00 00
                 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
                21000

                """
        )
        #expect(status == 0)
        try mounted.end()
    }

    @Test func `a file lives on while it is open, without a name`() throws {
        let mounted = try MountedStore()
        let (said, _) = try mounted.shell(
            "cd main; exec 5<>f; echo kept >&5; rm f; ls -A; exec 6</proc/self/fd/5; cat <&6"
        )
        #expect(said == "kept\n")
        try mounted.end()
    }

    @Test func `branches come and go, and the past can be read and not changed`() throws {
        let mounted = try MountedStore()
        #expect(try mounted.shell("echo old > main/f; sync main/f").status == 0)
        let before = mounted.tell("head main")
        #expect(mounted.tell("fork main copy") == "done")
        #expect(try mounted.shell("echo new > main/f; cat copy/f; ls").said == "old\ncopy\nmain\n")
        #expect(try mounted.shell("cat main@\(before)/f main/f").said == "old\nnew\n")
        let refused = try mounted.shell("echo x > main@\(before)/f")
        #expect(refused.status != 0 && refused.said.contains("Read-only file system"))
        #expect(try mounted.shell("rm main@\(before)/f").status != 0)
        #expect(try mounted.shell("ls nowhere").status != 0)
        #expect(try mounted.shell("ls main@1h").status != 0)
        #expect(try mounted.shell("mkdir other").status != 0)
        #expect(try mounted.shell("mv copy/f main/g").status == 0)
        #expect(mounted.tell("delete copy") == "done")
        #expect(try mounted.shell("ls").said == "main\n")
        try mounted.end()
    }

    @Test func `of a branch that is gone nothing is kept`() throws {
        let mounted = try MountedStore()
        let script = "cd main; for i in $(seq 300); do echo $i > $i; done; ls; ls ../main@head"
        _ = try mounted.shell(script)
        let before = try #require(Int(mounted.tell("trees main")))
        for round in 1...5 {
            #expect(mounted.tell("fork main copy\(round)") == "done")
            _ = try mounted.shell("cat copy\(round)/*; mkdir copy\(round)/d; ls copy\(round)/d")
            #expect(mounted.tell("delete copy\(round)") == "done")
        }
        for _ in 0..<100 where Int(mounted.tell("trees main")) != before {
            Thread.sleep(forTimeInterval: 0.1)
        }
        #expect(mounted.tell("trees main") == "\(before)")
        try mounted.end()
    }

    @Test func `after a reset nobody reads or writes what was there before`() throws {
        let mounted = try MountedStore()
        for round in 0..<20 {
            try #require(try mounted.shell("echo old\(round) > main/f; sync main/f").status == 0)
            let before = mounted.tell("head main")
            let file = try #require(FileHandle(forUpdatingAtPath: mounted.path + "/main/f"))
            let mapped = try Data(
                contentsOf: URL(filePath: mounted.path + "/main/f"),
                options: .alwaysMapped
            )
            #expect(mapped.first == UInt8(ascii: "o"))
            #expect(try mounted.shell("echo new\(round) > main/f; cat main/f").status == 0)
            #expect(mounted.tell("reset main \(before)") == "done")
            #expect(try mounted.shell("cat main/f").said == "old\(round)\n")
            var byte: UInt8 = 0
            #expect(pread(file.fileDescriptor, &byte, 1, 0) == -1 && errno == ESTALE)
            #expect(pwrite(file.fileDescriptor, &byte, 1, 0) == -1 && errno == ESTALE)
            try file.close()
            #expect(try mounted.shell("cat main/f").said == "old\(round)\n")
        }
        try mounted.end()
    }

    @Test func `what was synced survives a kill, and the mount left behind is cleared`() throws {
        var mounted = try MountedStore()
        #expect(try mounted.shell("touch main/g; sync main/g").status == 0)
        for round in 1...5 {
            let script =
                "dd if=/dev/urandom of=main/f bs=8192 count=\(round) conv=fsync status=none"
            #expect(try mounted.shell(script + "; cp main/f ../f").status == 0)
            // Each write of this one is durable when it returns.
            let synced = "dd if=/dev/urandom of=main/h bs=8192 count=\(round) oflag=dsync"
            #expect(try mounted.shell("\(synced) status=none; cp main/h ../h").status == 0)
            let writer = try mounted.start("while echo x >> main/g; do :; done")
            Thread.sleep(forTimeInterval: 0.1)
            mounted.kill()
            writer.waitUntilExit()
            #expect(try mounted.shell("ls .").status != 0)
            mounted = try MountedStore(again: mounted.folder)
            let same = try mounted.shell(
                "cmp main/f ../f && cmp main/h ../h && tr -d 'x\\n' < main/g | wc -c"
            )
            #expect(same.said == "0\n")
        }
        try mounted.end()
    }
}
