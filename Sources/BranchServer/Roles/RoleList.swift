package import PostgresWire
package import Primitives

/// A role of a PostgreSQL, as far as logging in goes.
package struct Role: Hashable, Sendable {
    package enum Password: Hashable, Sendable {
        /// Nobody can log in with one.
        case none
        /// Kept in a form that proves nothing here, as MD5's.
        case other
        case scram(SCRAMVerifier)
    }

    package let name: WireString
    package let mayLogIn: Bool
    package let isSuperuser: Bool
    /// The last moment that the password is good for, in microseconds since 1970.
    package let validUntil: Int64?
    package let password: Password

    package init(
        name: WireString,
        mayLogIn: Bool,
        isSuperuser: Bool = false,
        validUntil: Int64? = nil,
        password: Password
    ) {
        self.name = name
        self.mayLogIn = mayLogIn
        self.isSuperuser = isSuperuser
        self.validUntil = validUntil
        self.password = password
    }
}

/// Why somebody may not log in. For the server's log alone: a client is told the same each time.
package enum RoleDenial: Error, Hashable, Sendable, CaseIterable {
    case unknown, noLogin, noPassword, otherPassword, expired

    package var sentence: String {
        switch self {
        case .unknown: "there is no such role"
        case .noLogin: "the role may not log in (ALTER ROLE ... LOGIN)"
        case .noPassword: "the role has no password (ALTER ROLE ... PASSWORD)"
        case .otherPassword:
            "the role's password is not kept as SCRAM-SHA-256: set it anew, with "
                + "password_encryption = 'scram-sha-256'"
        case .expired: "the role's password was valid until a time that is over"
        }
    }
}

/// Every bound of the roles of a branch.
package enum RoleLimits {
    package static let roles = 10_000
    package static let nameBytes = 255
    /// The text of a verifier with the longest salt has 1,500.
    package static let verifierBytes = 2_048
    /// More than the largest list of so many roles, with the longest names and verifiers, has.
    package static let fileBytes = 20 << 20
    /// What a compute may say of its roles, and how long it may take.
    static let answerBytes = 16 << 20
    static let answerSeconds = 3
    /// So long a fork waits for PostgreSQL to write down what it has said.
    static let logMilliseconds = 1000
    /// An operator waits for so many answers.
    static let learnAttempts = 10
    /// After so long a compute that did not answer is asked again; twice as long each time.
    static let pauseSeconds: ClosedRange<UInt64> = 1...32
    /// Nanoseconds until one that had no session left is asked again.
    static let fullPause: UInt64 = 100_000_000
}

/// Who may log in on a branch: all roles of its PostgreSQL, ordered by their names' bytes.
///
/// As bytes, little-endian; varints have seven bits a byte:
///
///     0       "OXBROLES"
///     8  u32  version, 1
///    12  u32  bytes that follow and count; what stands behind those is nothing
///    16       varint: how many roles; then of each, in order
///                 varint length and the bytes of its name, 1 to 255, none of them zero
///                 u8: 1 it may log in, 2 a time follows, 4 a password that is not SCRAM,
///                     8 a verifier follows, not both of these two; 16 it is a superuser
///                 i64: microseconds since 1970, where one follows
///                 varint length and bytes of the verifier, as PostgreSQL prints it
///
/// It is written in one commit of the branch, so a crash leaves the list before or the one after.
package struct RoleList: Hashable, Sendable {
    package let roles: [Role]
    /// How many rounds most verifiers ask for: what is asked of who is no role as well.
    package let usualIterations: Int

    private static let magic = Array("OXBROLES".utf8)
    private static let version: UInt32 = 1

    /// Takes roles in any order; nil where there are too many, a name is none or stands twice.
    package init?(_ roles: [Role]) {
        guard roles.count <= RoleLimits.roles, roles.allSatisfy({ Self.isName($0.name.bytes) })
        else { return nil }
        let sorted = roles.sorted { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) }
        guard zip(sorted, sorted.dropFirst()).allSatisfy({ $0.name != $1.name }) else {
            return nil
        }
        self.init(sorted: sorted)
    }

    private init(sorted roles: [Role]) {
        self.roles = roles
        var counts: [Int: Int] = [:]
        for case .scram(let verifier) in roles.map(\.password) {
            counts[verifier.iterations, default: 0] += 1
        }
        let most = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
        usualIterations = most?.key ?? SCRAMVerifier.usualIterations
    }

    private static func isName(_ bytes: [UInt8]) -> Bool {
        (1...RoleLimits.nameBytes).contains(bytes.count) && !bytes.contains(0)
    }

    /// A role by its name.
    package subscript(name: WireString) -> Role? {
        let index = roles.countOfFirst { $0.name.bytes.lexicographicallyPrecedes(name.bytes) }
        guard index < roles.count, roles[index].name == name else { return nil }
        return roles[index]
    }

    /// What somebody must prove to be let in, at a time in nanoseconds since 1970.
    package func verifier(
        of name: WireString,
        at now: UInt64
    ) throws(RoleDenial) -> SCRAMVerifier {
        guard let role = self[name] else { throw .unknown }
        guard role.mayLogIn else { throw .noLogin }
        if let end = role.validUntil, end < Int64(clamping: now / 1000) { throw .expired }
        switch role.password {
        case .none: throw .noPassword
        case .other: throw .otherPassword
        case .scram(let verifier): return verifier
        }
    }

    // MARK: Bytes

    /// Of a list's bytes, so many are the list.
    static func byteCount(_ bytes: [UInt8]) -> Int {
        guard bytes.count >= 16 else { return bytes.count }
        let count = bytes[12..<16].reversed().reduce(0) { $0 << 8 | Int($1) }
        return min(16 + count, bytes.count)
    }

    package func encoded() -> [UInt8] {
        var body = ByteWriter()
        body.append(varint: UInt64(roles.count))
        for role in roles { Self.append(role, to: &body) }
        var writer = ByteWriter(capacity: body.count + 16)
        writer.append(raw: Self.magic)
        writer.append(fixed: Self.version)
        writer.append(fixed: UInt32(body.count))
        writer.append(raw: body.bytes)
        invariant(writer.count <= RoleLimits.fileBytes, "a list of \(writer.count) bytes")
        return writer.bytes
    }

    private static func append(_ role: Role, to body: inout ByteWriter) {
        body.append(varint: UInt64(role.name.bytes.count))
        body.append(raw: role.name.bytes)
        var flags: UInt8 = role.mayLogIn ? 1 : 0
        if role.validUntil != nil { flags |= 2 }
        if role.isSuperuser { flags |= 16 }
        var text = ""
        switch role.password {
        case .none: break
        case .other: flags |= 4
        case .scram(let verifier):
            flags |= 8
            text = verifier.description
        }
        body.append(flags)
        if let end = role.validUntil { body.append(fixed: end) }
        if flags & 8 != 0 { body.append(text: text) }
    }

    package init(decoding bytes: [UInt8]) throws(Malformed) {
        var head = ByteReader(bytes)
        guard try head.raw(8, "magic") == Self.magic else {
            throw Malformed("no list of roles", at: 0)
        }
        guard try head.fixed("version", as: UInt32.self) == Self.version else {
            throw Malformed("a list of roles of an unknown version", at: 8)
        }
        let count = try head.fixed("length", as: UInt32.self)
        guard Int(count) <= min(head.remaining, RoleLimits.fileBytes) else {
            throw Malformed("a list of \(count) bytes that is cut short", at: 12)
        }
        let body = try head.raw(Int(count), "roles")
        var reader = ByteReader(body)
        let number = try reader.count("roles", ofAtLeast: 3)
        guard number <= RoleLimits.roles else { throw Malformed("\(number) roles", at: 16) }
        var roles: [Role] = []
        roles.reserveCapacity(number)
        for _ in 0..<number {
            let role = try Self.role(&reader)
            if let last = roles.last,
                !last.name.bytes.lexicographicallyPrecedes(role.name.bytes)
            {
                throw Malformed("roles out of order", at: 16 + reader.offset)
            }
            roles.append(role)
        }
        try reader.end("roles")
        self.init(sorted: roles)
    }

    private static func role(_ reader: inout ByteReader) throws(Malformed) -> Role {
        let name = try reader.raw(reader.count("name"), "name")
        guard isName(name) else { throw Malformed("no name of a role", at: 16 + reader.offset) }
        let flags = try reader.byte("flags")
        guard flags < 32, flags & 12 != 12 else {
            throw Malformed("flags \(flags)", at: 16 + reader.offset)
        }
        let end: Int64? = flags & 2 != 0 ? try reader.fixed("time") : nil
        var password = flags & 4 != 0 ? Role.Password.other : .none
        if flags & 8 != 0 {
            let text = try reader.text("verifier")
            guard text.utf8.count <= RoleLimits.verifierBytes, let verifier = SCRAMVerifier(text)
            else { throw Malformed("no verifier", at: 16 + reader.offset) }
            password = .scram(verifier)
        }
        return Role(
            name: WireString(name),
            mayLogIn: flags & 1 != 0,
            isSuperuser: flags & 16 != 0,
            validUntil: end,
            password: password
        )
    }
}
