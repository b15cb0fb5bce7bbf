import Foundation
import Testing

@Suite struct TreeCommandTests {
    /// A tree with all that trees can have.
    static let nasty = #"""
        mkdir tree; cd tree
        printf 'hello\n' > plain; ln plain hard; mkdir -p inner/deep; ln plain inner/hard
        : > empty; printf x > ' spaces '; printf y > $'line\nbreak'; printf z > $'bad\xff\xfename'
        printf q > "-dash"; printf u > 'ünïcode'; printf e > '$'"'"'quoted'
        ln -s plain soft; ln -s nowhere dangling; ln -s two one; ln -s one two
        ln -s ../plain inner/up; ln -s $'odd\xff' odd-target
        truncate -s 20000000 sparse
        printf mid | dd of=sparse bs=1 seek=9000001 conv=notrunc status=none
        truncate -s 8192 holes-only; head -c 3000000 /dev/urandom > noise
        mkfifo pipe; mkdir many; for i in {1..1000}; do printf '%s' "$i" > many/f$i; done
        mkdir group closed; chmod 2775 group; printf s > group/in; chmod 4755 group/in
        printf n > nobody; chmod 0640 nobody
        touch -d 1969-12-31T12:34:56.5Z inner/deep; touch -h -d 2001-02-03T04:05:06.789Z soft
        touch -d 2001-02-03T04:05:06.789012345Z plain; touch -d 2002-01-01 many
        chmod 0111 closed; touch -d 2003-01-01 .
        """#

    @Test func `a nasty tree goes in and comes out as it was`() throws {
        let tool = try Tool.withFileStore()
        try tool.shell(Self.nasty)
        if Tool.isRoot {
            try tool.shell("cd tree; chmod 0000 nobody closed; chown 1234:5678 noise inner")
        }
        let imported = try tool.json("import", "tree", "main")
        #expect(imported.list("failed").isEmpty)
        #expect(imported.number("names") == 2)
        #expect(imported.number("links") == 6)
        #expect(imported.number("pipes") == 1)
        let exported = try tool.json("export", "main", "out")
        #expect(exported.number("files") == imported.number("files"))
        #expect(exported.number("bytes") == imported.number("bytes"))
        #expect(try tool.listing("out") == tool.listing("tree"))
        try tool.shell(
            """
            cd tree; find . -type f -print0 | while IFS= read -r -d '' f; do
            cmp -- "$f" "../out/$f"; done
            """
        )
        let kilobytes = try tool.shell("du -k out/sparse out/holes-only | cut -f1")
        #expect(kilobytes.split(separator: "\n").compactMap { Int($0) }.allSatisfy { $0 <= 64 })
        #expect(try tool.json("fs", "stat", "main:/sparse").number("pages") == 1)
        #expect(try tool.json("check").number("volumes.0.folders") == imported.number("folders"))
        let names = try tool.lines("fs", "ls", "main:/")
        #expect(names.contains("$'line\\nbreak'"))
        #expect(names.contains("$'bad\\xff\\xfename'"))
        #expect(names.contains("$' spaces '"))
        #expect(names.contains("$'$\\'quoted'"))
        #expect(names.contains("ünïcode"))
        // What is shown is what a shell reads back.
        let read = try tool.shell(
            "OXBOW_STORE=data '\(Tool.executable.path)' fs cat main:/$'bad\\xff\\xfename'"
        )
        #expect(read == "z")
    }

    /// The system takes a path of 4,095 bytes at once.
    @Test func `a tree goes in and comes out however deep it is`() throws {
        let tool = try Tool.withFileStore()
        let down = "n=$(printf 'x%.0s' {1..200}); for i in {1..30}; do"
        try tool.shell("mkdir tree; cd tree; \(down) mkdir $n; cd -P $n; done; echo end >a; ln a b")
        let imported = try tool.json("import", "tree", "main")
        #expect(imported.number("folders") == 31)
        #expect(imported.number("names") == 1)
        #expect(try tool.json("export", "main", "out").number("folders") == 31)
        let found = try tool.shell("cd out; \(down) cd -P $n; done; cat a; stat -c %h b")
        #expect(found == "end\n2\n")
        // Once more, so that all of it is there already.
        #expect(try tool.run("import", "tree", "main", "--into").code == 0)
        #expect(try tool.run("export", "main", "out", "--into").code == 0)
        try tool.shell("rm -r tree out")
    }

    @Test func `an import goes into an empty folder, or says what to do`() throws {
        let tool = try Tool.withFileStore()
        try tool.makeFile("tree/a", [1])
        try tool.lines("import", "tree", "main:/in")
        let refused = try tool.run("import", "tree", "main:/in")
        #expect(refused.code == 1)
        #expect(
            refused.messages == "oxbow: main:/in is not empty: name a folder that is not there "
                + "yet, or say --into\n"
        )
        try tool.makeFile("tree/a", [2, 2])
        try tool.makeFile("tree/b/c", [3])
        try tool.lines("fs", "put", "-", "main:/in/kept", input: [9])
        try tool.lines("import", "tree", "main:/in", "--into")
        #expect(try tool.lines("fs", "ls", "main:/in") == ["a", "b", "kept"])
        #expect(try tool.run("fs", "cat", "main:/in/a").bytes == [2, 2])
        // A file in the place of a folder is named, and the rest is copied.
        try tool.shell("rm -r tree/b; printf f > tree/b; printf g > tree/d")
        let partial = try tool.run("import", "tree", "main:/in", "--into")
        #expect(partial.code == 1)
        #expect(partial.messages.contains("tree/b: in the branch this is a folder, and here a f"))
        #expect(partial.messages.contains("`oxbow branch reset main --to L"))
        #expect(try tool.run("fs", "cat", "main:/in/d").text == "g")
        #expect(try tool.json("check").flag("sound") == true)
    }

    @Test func `an import can be taken back by the record that it names`() throws {
        let tool = try Tool.withFileStore()
        try tool.lines("fs", "put", "-", "main:/first", input: [1])
        try tool.makeFile("tree/a", [1])
        let before = try #require(try tool.json("import", "tree", "main:/in").text("before"))
        try tool.lines("branch", "reset", "main", "--to", before)
        #expect(try tool.lines("fs", "ls", "main:/") == ["first"])
    }

    @Test func `an export goes into an empty folder, or says what to do`() throws {
        let tool = try Tool.withFileStore()
        try tool.makeFile("tree/a", [1])
        try tool.makeFile("tree/f/b", [2])
        try tool.lines("import", "tree", "main")
        try tool.makeFile("out/a", [7])
        try tool.makeFile("out/kept", [8])
        let refused = try tool.run("export", "main", "out")
        #expect(refused.code == 1)
        #expect(refused.messages.hasPrefix("oxbow: out is not empty: name a folder"))
        try tool.lines("export", "main", "out", "--into")
        #expect(try tool.bytes("out/a") == [1])
        #expect(try tool.bytes("out/f/b") == [2])
        #expect(try tool.bytes("out/kept") == [8])
        // Not through a link that leads elsewhere.
        try tool.shell("mkdir elsewhere; rm -r out/f; ln -s ../elsewhere out/f")
        #expect(try tool.run("export", "main", "out", "--into").code == 1)
        #expect(try tool.shell("ls elsewhere") == "")
        try tool.lines("export", "main:/f", "part")
        #expect(try tool.bytes("part/b") == [2])
        #expect(try tool.run("export", "main:/a", "x").code == 1)
    }

    @Test func `an export of a moment gone by is the tree of then`() throws {
        let tool = try Tool.withFileStore()
        try tool.makeFile("tree/a", [1])
        try tool.lines("import", "tree", "main")
        try tool.lines("snapshot", "create", "then", "--of", "main")
        try tool.lines("fs", "rm", "main:/a")
        try tool.lines("export", "main@then", "out")
        #expect(try tool.bytes("out/a") == [1])
        #expect(try tool.run("import", "tree", "main@then").code == 2)
    }

    @Test func `sockets are left out with a note, and so is the store itself`() throws {
        let tool = try Tool.withFileStore()
        try tool.shell(
            """
            mkdir tree; cd tree
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
            """
        )
        let outcome = try tool.run("import", "tree", "main")
        #expect(outcome.code == 0)
        #expect(outcome.messages == "note: left out: tree/sock: it is a socket\n")
        let own = try tool.json("import", ".", "main:/here")
        #expect(own.list("skipped").count == 2)
        #expect(own.text("skipped.0") == "./data: it is the store itself")
    }

    @Test(.enabled(if: !Tool.isRoot, "root reads everything"))
    func `what cannot be read is named, and the rest is copied`() throws {
        let tool = try Tool.withFileStore()
        try tool.shell("mkdir tree; cd tree; printf a > a; printf b > b; chmod 0000 a")
        let outcome = try tool.run("import", "tree", "main")
        #expect(outcome.code == 1)
        #expect(outcome.messages.contains("oxbow: open tree/a: Permission denied"))
        #expect(try tool.lines("fs", "ls", "main:/") == ["b"])
    }
}
