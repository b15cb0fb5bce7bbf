import BranchServer
import PostgresWire
import Primitives
import Testing

/// Lists of roles, as values and as bytes.
@Suite struct RoleListTests {
    static func verifier(_ password: String, iterations: Int = 4096) throws -> SCRAMVerifier {
        try SCRAMVerifier(
            password: Array(password.utf8),
            salt: Array("salted for tests".utf8),
            iterations: iterations
        )
    }

    private func list() throws -> RoleList {
        let roles = [
            Role(name: "zoë", mayLogIn: true, password: .scram(try Self.verifier("z"))),
            Role(
                name: "app",
                mayLogIn: true,
                isSuperuser: true,
                password: .scram(try Self.verifier("a"))
            ),
            Role(
                name: "guest",
                mayLogIn: true,
                validUntil: 1_000_000,
                password: .scram(try Self.verifier("g"))
            ),
            Role(name: "group", mayLogIn: false, password: .scram(try Self.verifier("x"))),
            Role(name: "old", mayLogIn: true, password: .other),
            Role(name: "bare", mayLogIn: true, validUntil: -7, password: .none),
        ]
        return try #require(RoleList(roles))
    }

    private func denial(_ list: RoleList, _ name: WireString, _ now: UInt64) -> RoleDenial? {
        do throws(RoleDenial) { _ = try list.verifier(of: name, at: now) } catch { return error }
        return nil
    }

    @Test func `who may log in has a verifier, and all others a reason`() throws {
        let list = try list()
        #expect(try list.verifier(of: "app", at: 0) == Self.verifier("a"))
        #expect(try list.verifier(of: "zoë", at: .max) == Self.verifier("z"))
        #expect(denial(list, "nobody", 0) == .unknown)
        #expect(denial(list, "", 0) == .unknown)
        #expect(denial(list, "App", 0) == .unknown)
        #expect(denial(list, "group", 0) == .noLogin)
        #expect(denial(list, "old", 0) == .otherPassword)
        #expect(denial(list, "bare", 0) == .expired)
    }

    @Test func `a password is good up to its last moment`() throws {
        let list = try list()
        #expect(denial(list, "guest", 1_000_000_000) == nil)
        #expect(denial(list, "guest", 1_000_000_999) == nil)
        #expect(denial(list, "guest", 1_000_001_000) == .expired)
        #expect(denial(list, "guest", .max) == .expired)
    }

    @Test func `a list reads back, whatever stands behind it`() throws {
        let list = try list()
        #expect(list.roles.map(\.name.text) == ["app", "bare", "group", "guest", "old", "zoë"])
        let bytes = list.encoded()
        #expect(try RoleList(decoding: bytes) == list)
        #expect(try RoleList(decoding: bytes + [1, 2, 3]) == list)
        let none = try #require(RoleList([]))
        #expect(try RoleList(decoding: none.encoded()) == none)
    }

    @Test func `a list that is cut short anywhere is none`() throws {
        let bytes = try list().encoded()
        for count in 0..<bytes.count {
            #expect(throws: Malformed.self) { try RoleList(decoding: Array(bytes[..<count])) }
        }
    }

    @Test func `a list in which any bit is another is refused or reads back`() throws {
        let bytes = try list().encoded()
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                guard let list = try? RoleList(decoding: changed) else { continue }
                #expect(try RoleList(decoding: list.encoded()) == list)
            }
        }
    }

    @Test func `names that are none, or stand twice, make no list`() {
        for names in [[""], ["a", "a"], [String(repeating: "x", count: 256)], ["a\0b"]] {
            let roles = names.map {
                Role(name: WireString($0), mayLogIn: true, password: .none)
            }
            #expect(RoleList(roles) == nil)
        }
        let many = (0...RoleLimits.roles).map {
            Role(name: WireString("role\($0)"), mayLogIn: true, password: .none)
        }
        #expect(RoleList(many) == nil)
        #expect(RoleList(many.dropLast()) != nil)
    }

    @Test func `the largest list has room in its file`() throws {
        let verifier = try SCRAMVerifier(
            password: [1],
            salt: [UInt8](repeating: 7, count: WireLimits.scramSalt),
            iterations: WireLimits.scramIterations.upperBound
        )
        #expect(verifier.description.utf8.count <= RoleLimits.verifierBytes)
        let end = String(repeating: "n", count: 250)
        let roles = (10_000..<20_000).map {
            Role(
                name: WireString("\($0)" + end),
                mayLogIn: true,
                validUntil: .max,
                password: .scram(verifier)
            )
        }
        let list = try #require(RoleList(roles))
        #expect(list.encoded().count < RoleLimits.fileBytes)
    }
}
