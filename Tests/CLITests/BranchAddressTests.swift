import OxbowCLI
import Testing

@Suite struct BranchAddressTests {
    private static let plain = BranchAddress(
        host: "127.0.0.1",
        port: 5433,
        user: "postgres",
        password: "p@ss/word",
        database: "app",
        branch: "pr-1432"
    )

    @Test(arguments: [
        (AddressFormat.uri, "postgresql://postgres:p%40ss%2Fword@127.0.0.1:5433/app@pr-1432"),
        (.sqlalchemy, "postgresql://postgres:p%40ss%2Fword@127.0.0.1:5433/app@pr-1432"),
        (
            .libpq,
            "host=127.0.0.1 port=5433 user=postgres password=p@ss/word dbname=app@pr-1432"
        ),
        (
            .jdbc,
            "jdbc:postgresql://127.0.0.1:5433/app%40pr-1432?user=postgres&password=p%40ss%2Fword"
        ),
        (
            .npgsql,
            "Host=127.0.0.1;Port=5433;Username=postgres;Password=p@ss/word;Database=app@pr-1432"
        ),
    ])
    func `each form is what its client reads`(form: AddressFormat, text: String) {
        #expect(form.text(Self.plain) == text)
    }

    @Test func `what a form has a meaning for is quoted`() {
        var odd = Self.plain
        odd.database = "it's a d@b \\ %41"
        odd.password = "a;b \"c"
        odd.host = "::1"
        odd.moment = "L10"
        #expect(odd.databaseName == "it's a d@@b \\ %41@pr-1432@L10")
        #expect(
            AddressFormat.uri.text(odd)
                == "postgresql://postgres:a%3Bb%20%22c@[::1]:5433/"
                + "it%27s%20a%20d@@b%20%5C%20%2541@pr-1432@L10"
        )
        #expect(
            AddressFormat.libpq.text(odd).hasSuffix(
                #"password='a;b "c' dbname='it\'s a d@@b \\ %41@pr-1432@L10'"#
            )
        )
        #expect(AddressFormat.npgsql.text(odd).contains(#"Password="a;b ""c""#))
    }

    @Test func `each connection to a fork gets one, also of a moment and by the variables`() {
        var address = Self.plain
        address.isFork = true
        #expect(address.databaseName == "app@pr-1432+")
        #expect(AddressFormat.uri.text(address).hasSuffix("/app@pr-1432+"))
        address.socketFolder = "/run/oxbow-1/branches/pr-1432"
        let variables = address.variables().map { ($0.name, $0.value) }
        let known = Dictionary(uniqueKeysWithValues: variables)
        #expect(known["PGHOST"] == "127.0.0.1" && known["PGDATABASE"] == "app@pr-1432+")
        address.moment = "L10"
        #expect(address.databaseName == "app@pr-1432@L10+")
    }

    @Test func `fields are read as they were written`() {
        var address = Self.plain
        #expect(BranchAddress(fields: AddressFormat.fields.text(address)) == address)
        address.password = nil
        address.socketFolder = "/run/oxbow-1/branches/pr-1432"
        #expect(BranchAddress(fields: AddressFormat.fields.text(address)) == address)
        // The socket is the branch's as it is now, and told of nothing else.
        address.moment = "L16B3F28"
        #expect(!AddressFormat.fields.text(address).contains("socket"))
        address.socketFolder = nil
        #expect(BranchAddress(fields: AddressFormat.fields.text(address)) == address)
        address.isFork = true
        #expect(BranchAddress(fields: AddressFormat.fields.text(address)) == address)
        for text in ["", "x", "host a\nport b", "host a\nport 1\nuser u\ndatabase d"] {
            #expect(BranchAddress(fields: text) == nil)
        }
        for name in OddNameTests.names + ["\\n", "a\nbranch b"] {
            address.database = name
            address.user = name
            #expect(BranchAddress(fields: AddressFormat.fields.text(address)) == address)
        }
    }

    @Test func `an accent hides no mark that a form has a meaning for`() {
        var odd = Self.plain
        odd.database = "'\u{301}\"\u{301}@\u{301}"
        #expect(odd.databaseName.unicodeScalars.count { $0 == "@" } == 3)
        #expect(AddressFormat.libpq.text(odd).utf8.contains(UInt8(ascii: "\\")))
        #expect(AddressFormat.npgsql.text(odd).unicodeScalars.count { $0 == "\"" } == 4)
        #expect(Shell.quoted("'\u{301}").unicodeScalars.count { $0 == "'" } == 5)
    }

    @Test func `SQLAlchemy is told what old and new versions read alike, else what new ones do`() {
        var odd = Self.plain
        odd.database = "é a'b+c"
        #expect(AddressFormat.sqlalchemy.text(odd).hasSuffix("/é a'b+c@pr-1432"))
        odd.database = "a%20b?\u{301}"
        #expect(AddressFormat.sqlalchemy.text(odd).hasSuffix("/a%2520b%3F\u{301}@pr-1432"))
    }

    @Test(
        arguments: [
            (nil, nil), ("-c oxbow.branch=f1", nil), ("--OXBOW.AT=10m", nil),
            ("-c statement_timeout=5s -coxbow.branch=f1", "-c statement_timeout=5s"),
            (#"-c search_path=a\ b"#, #"-c search_path=a\ b"#), ("-F -c oxbow.branch=f1", nil),
            ("-F", "-F"),
        ] as [(String?, String?)]
    )
    func `settings that name another branch are left out`(options: String?, kept: String?) {
        let variables = Self.plain.variables(options: options)
        #expect(variables.first { $0.name == "PGOPTIONS" }?.value == kept)
        for name in ["PGOPTIONS", "PGSERVICE", "PGHOSTADDR"] {
            #expect(variables.contains { $0.name == name })
        }
    }

    @Test func `over the branch's socket its databases have their plain names`() {
        var address = Self.plain
        func variable(_ name: String) -> String? {
            address.variables().first { $0.name == name }?.value
        }
        #expect(variable("PGHOST") == "127.0.0.1")
        #expect(variable("PGDATABASE") == "app@pr-1432")
        address.socketFolder = "/run/x"
        #expect(variable("PGHOST") == "/run/x")
        #expect(variable("PGPORT") == "5432")
        #expect(variable("PGDATABASE") == "app")
        address.moment = "L10"
        #expect(variable("PGHOST") == "127.0.0.1")
        #expect(variable("PGDATABASE") == "app@pr-1432@L10")
    }

    @Test func `a word for a shell is one word`() {
        #expect(Shell.quoted("a-b_c/d.e:f@g") == "a-b_c/d.e:f@g")
        #expect(Shell.quoted("") == "''")
        #expect(Shell.quoted("it's $x") == #"'it'\''s $x'"#)
    }

    @Test func `of a log that grows and is cut, what is new is told once`() {
        var tail = LogTail()
        #expect(tail.new(in: Array("one\ntwo\n".utf8)) == Array("one\ntwo\n".utf8))
        #expect(tail.new(in: Array("one\ntwo\n".utf8)) == [])
        #expect(tail.new(in: Array("one\ntwo\nthree\n".utf8)) == Array("three\n".utf8))
        // Its beginning went.
        #expect(tail.new(in: Array("one\ntwo\nthree\nfour\n".utf8).dropFirst(0) + []) != [])
        var long = LogTail()
        let first = [UInt8](repeating: 1, count: 9000) + Array("end\n".utf8)
        _ = long.new(in: first)
        #expect(long.new(in: Array(first.suffix(6000)) + [7]) == [7])
    }
}
