import PostgresWire
import Primitives
import TestSupport
import Testing

@Suite struct ConnectionTargetTests {
    @Test(
        arguments: [
            ("app", ConnectionTarget(database: "app")),
            ("app@pr-1432", ConnectionTarget(database: "app", branch: "pr-1432")),
            (
                "app@main@2026-04-08T22:56:02Z",
                ConnectionTarget(
                    database: "app",
                    branch: "main",
                    moment: .time("2026-04-08T22:56:02Z")
                )
            ),
            (
                "app@main@2026-04-08T22:56:02.5+02:00",
                ConnectionTarget(
                    database: "app",
                    branch: "main",
                    moment: .time("2026-04-08T22:56:02.5+02:00")
                )
            ),
            (
                "app@main@2026-04-08T22:56:02+02:00+",
                ConnectionTarget(
                    database: "app",
                    branch: "main",
                    moment: .time("2026-04-08T22:56:02+02:00"),
                    isFork: true
                )
            ),
            (
                "app@main@10m",
                ConnectionTarget(database: "app", branch: "main", moment: .ago("10m"))
            ),
            (
                "app@main@1.5h+",
                ConnectionTarget(
                    database: "app",
                    branch: "main",
                    moment: .ago("1.5h"),
                    isFork: true
                )
            ),
            (
                "app@main@L16B3F28",
                ConnectionTarget(
                    database: "app",
                    branch: "main",
                    moment: .lsn(LSN(rawValue: 0x16B_3F28))
                )
            ),
            (
                "app@main@0/16B3F28",
                ConnectionTarget(database: "app", branch: "main", moment: .walPosition(0x16B_3F28))
            ),
            (
                "app@main@A/FFFFFFFF",
                ConnectionTarget(
                    database: "app",
                    branch: "main",
                    moment: .walPosition(0xA_FFFF_FFFF)
                )
            ),
            (
                "app@main@before-deploy",
                ConnectionTarget(
                    database: "app",
                    branch: "main",
                    moment: .snapshot("before-deploy")
                )
            ),
            ("app@main@head", ConnectionTarget(database: "app", branch: "main", moment: .head)),
            ("app@main+", ConnectionTarget(database: "app", branch: "main", isFork: true)),
            ("app@m", ConnectionTarget(database: "app", branch: "m")),
            ("app@@home", ConnectionTarget(database: "app@home")),
            ("app@@home@main", ConnectionTarget(database: "app@home", branch: "main")),
            ("@@", ConnectionTarget(database: "@")),
            ("@@@main", ConnectionTarget(database: "@", branch: "main")),
            ("c++", ConnectionTarget(database: "c++")),
            ("app+", ConnectionTarget(database: "app+")),
            ("c++@main+", ConnectionTarget(database: "c++", branch: "main", isFork: true)),
            ("Ünïcode db@x", ConnectionTarget(database: "Ünïcode db", branch: "x")),
        ] as [(WireString, ConnectionTarget)]
    )
    func `a name of a database says where to go, and is printed again`(
        name: WireString,
        target: ConnectionTarget
    ) throws {
        #expect(try ConnectionTarget(parsing: name) == target)
        #expect(target.databaseName == name)
    }

    @Test(
        arguments: [
            "", "@", "@main", "app@", "app@+", "app@Main", "app@-x", "app@x-", "app@1x",
            "app@main@",
            "app@main@+", "app@main@@10m", "app@main@10m@x", "app@main@10x", "app@main@10",
            "app@main@2026-04-08T22:56:02", "app@main@2026-13-08T22:56:02Z",
            "app@main@L", "app@main@LXYZ", "app@main@0/", "app@main@/0", "app@main@0/123456789",
            "app@main@0/1/2", "app@main@0x1/2", "app@main@-10m", "app@main@1..5m", "app@main@.5m",
            "app@main@Snapshot", "app@main++", "app@main @10m", "app@ma in", "app@main@10m ",
            "app@main@+0/1", "app@main@١٠m", "app@maın", "app@main@L1\u{301}",
            "app@main@1\u{301}0m",
            "app@a23456789012345678901234567890123456789012345678901234567890123x",
        ] as [WireString]
    )
    func `what is no target is refused`(name: WireString) {
        let error = #expect(throws: WireError.self) { try ConnectionTarget(parsing: name) }
        #expect(error?.state == .undefinedDatabase)
        #expect(error?.detail != nil)
    }

    @Test func `every target reads back from its name`() throws {
        var random = SeededRandom(test: 9_900)
        let moments: [RequestedMoment?] = [
            nil, .head, .lsn(LSN(rawValue: random.next())), .walPosition(random.next()), .ago("7d"),
            .time("2026-04-08T22:56:02-05:00"), .snapshot("s-1"), .walPosition(0), .lsn(.zero),
        ]
        for _ in 0..<5_000 {
            var name = random.text(below: 12)
            if name.isEmpty || random.oneIn(3) { name = WireString(name.bytes + [0x40, 0x2B]) }
            let branch = random.oneIn(4) ? nil : "b\(random.below(1_000))"
            let target = ConnectionTarget(
                database: name,
                branch: branch,
                moment: branch == nil ? nil : moments[random.below(moments.count)],
                isFork: branch != nil && random.oneIn(2)
            )
            let text = try #require(target.databaseName)
            #expect(try ConnectionTarget(parsing: text) == target)
        }
        #expect(ConnectionTarget(database: "a", isFork: true).databaseName == nil)
    }

    @Test(
        arguments: [
            ("", []),
            ("  \t\n", []),
            ("-c a=b", ["a=b"]),
            ("-ca=b", ["a=b"]),
            ("--a=b", ["a=b"]),
            (
                "--statement-timeout=5s  -c\tDateStyle=ISO",
                ["statement_timeout=5s", "datestyle=ISO"]
            ),
            (#"-c a=b\ c\\d"#, [#"a=b c\d"#]),
            (#"-c a=\b"#, ["a=b"]),
            (#"-c a=b\"#, ["a=b"]),
            ("-c a=", ["a="]),
            ("-c a=b=c", ["a=b=c"]),
            ("-c my.x=1 -c my.x=2", ["my.x=1", "my.x=2"]),
            (#"-c \a=b"#, ["a=b"]),
        ] as [(WireString, [String])]
    )
    func `options are split as PostgreSQL splits them`(text: WireString, settings: [String]) throws
    {
        let options = try StartupOptions(parsing: text)
        #expect(options.settings.map { "\($0.name)=\($0.value)" } == settings)
        #expect(try StartupOptions(parsing: options.text) == options)
    }

    @Test(
        arguments: [
            "-c", "-c a", "--a", "--", "-", "a=b", "-e", "-B 5", "-c a=b x", "-c =b", "-c 1a=b",
            "-c a..b=c", "-c a.=b", "-c a;b=c", "-p 5432", "-F", "-c a b=c", "-D /tmp",
            "-c\\ a=b",
        ] as [WireString]
    )
    func `other switches are refused`(text: WireString) {
        let error = #expect(throws: WireError.self) { try StartupOptions(parsing: text) }
        #expect(error?.state == .syntaxError)
    }

    @Test func `every set of settings reads back from its text`() throws {
        var random = SeededRandom(test: 9_901)
        for _ in 0..<3_000 {
            let options = StartupOptions(
                settings: (0..<random.below(5)).map {
                    .init(name: "s\($0)", value: random.text())
                }
            )
            #expect(try StartupOptions(parsing: options.text) == options)
        }
    }
}

@Suite struct ConnectionRequestTests {
    private func request(
        _ parameters: [(WireString, WireString)],
        policy: StartupPolicy = .ordinary
    ) throws(WireError) -> ConnectionRequest {
        let all = [("user", "u")] + parameters
        let message = StartupMessage(.v3, all.map { WireParameter($0.0, $0.1) })
        return try ConnectionRequest(message, policy: policy)
    }

    @Test func `the options that name a branch are taken out, and the rest is handed on`() throws {
        let request = try request([
            ("database", "app@main"), ("application_name", "x"),
            ("options", #"-c oxbow.branch=pr-1 -c search_path=a,\ b -c OXBOW.At=10m"#),
            ("oxbow.fork", "on"), ("TimeZone", "UTC"),
        ])
        #expect(
            request.target
                == ConnectionTarget(
                    database: "app@main",
                    branch: "pr-1",
                    moment: .ago("10m"),
                    isFork: true
                )
        )
        let expected: [WireParameter] = [
            WireParameter("user", "u"), WireParameter("database", "app@main"),
            WireParameter("application_name", "x"), WireParameter("TimeZone", "UTC"),
            WireParameter("options", #"-c search_path=a,\ b"#),
        ]
        #expect(request.startup == StartupMessage(.v3, expected))
    }

    @Test func `a moment may stand in the options where the name has the branch`() throws {
        let request = try request([("database", "app@pr-1"), ("options", "-c oxbow.at=0/10")])
        #expect(
            request.target
                == ConnectionTarget(database: "app", branch: "pr-1", moment: .walPosition(16))
        )
        let past = try self.request([("options", "-c oxbow.at=1h")])
        #expect(past.target == ConnectionTarget(database: "u", moment: .ago("1h")))
    }

    @Test(
        arguments: [
            [("replication", "true")], [("replication", "database")], [("REPLICATION", "on")],
            [("options", "-c oxbow.branch=Nope")], [("options", "-c oxbow.branch=main@1m")],
            [("options", "-c oxbow.at=Never")],
            [("options", "-c oxbow.fork=maybe")], [("options", "-c oxbow.other=1")],
            [("options", "-c oxbow.branch=a -c oxbow.branch=b")],
            [("options", "-c oxbow.branch=a"), ("oxbow.branch", "b")],
            [("database", "app@main@10m"), ("options", "-c oxbow.at=1h")],
            [("local_preload_libraries", "x")], [("options", "-c session-preload-libraries=x")],
            [("Log_Connections", "off")], [("bad name", "x")], [("", "x")],
            [("a", "1"), ("A", "2")],
            [("database", "app@")], [("options", "-B 5")],
        ] as [[(WireString, WireString)]]
    )
    func `what must not begin a session is refused`(parameters: [(WireString, WireString)]) {
        #expect(throws: WireError.self) { try self.request(parameters) }
    }

    @Test func `ordinary settings pass, and a list allows what is on it`() throws {
        let some: [(WireString, WireString)] = [
            ("DateStyle", "ISO"), ("extra_float_digits", "3"), ("statement_timeout", "5s"),
            ("search_path", "a"), ("replication", "false"), ("work_mem", "64MB"),
        ]
        #expect(try request(some).parameters.count == 5)
        let listed = StartupPolicy.listed(StartupPolicy.usual)
        #expect(throws: WireError.self) { try request(some, policy: listed) }
        #expect(throws: Never.self) { try request(Array(some.dropLast()), policy: listed) }
        #expect(throws: WireError.self) {
            try request([("options", "-c work_mem=1GB")], policy: listed)
        }
    }
}
