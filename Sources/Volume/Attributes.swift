/// What a file is.
public enum FileKind: UInt8, Sendable, CaseIterable {
    /// Bytes.
    case file = 1
    /// Names of others.
    case folder = 2
    /// A path to go on with.
    case link = 3
    /// A named pipe, a socket or a device: a name for something that the system keeps.
    case pipe = 4
    case socket = 5
    case characterDevice = 6
    case blockDevice = 7
}

/// What is known of a file beside its content.
public struct Attributes: Sendable, Equatable {
    /// What it is.
    public var kind: FileKind
    /// Who may do what: the lower twelve bits of the mode.
    public var permissions: UInt16
    /// How many names it has; of a folder, two and one for each folder in it.
    public var linkCount: UInt32 = 1
    /// The number of the user that it belongs to.
    public var owner: UInt32
    /// The number of the group that it belongs to.
    public var group: UInt32
    /// The number of the device that it stands for.
    public var device: UInt64 = 0
    /// Bytes in a file, or in what a link holds; of a folder, its entries.
    public var size: UInt64 = 0
    /// How many pages of it were written: the rest reads as zeros and takes no room.
    public var pageCount: UInt64 = 0
    /// When it was last read, as far as somebody said so: reading does not change it.
    public var accessed: Int64
    /// When the content last changed, in nanoseconds since 1970.
    public var modified: Int64
    /// When anything about it last changed.
    public var changed: Int64
    /// When it was made.
    public var created: Int64

    package init(kind: FileKind, permissions: UInt16, owner: UInt32, group: UInt32, time: Int64) {
        self.kind = kind
        self.permissions = permissions & 0o7777
        self.owner = owner
        self.group = group
        accessed = time
        modified = time
        changed = time
        created = time
    }
}

/// Who makes a file, and who may do what with it.
public struct Ownership: Sendable, Equatable {
    /// The lower twelve bits of the mode.
    public var permissions: UInt16
    /// The user that it belongs to.
    public var owner: UInt32
    /// The group that it belongs to, unless the folder hands on its own.
    public var group: UInt32

    /// States all three.
    public init(permissions: UInt16, owner: UInt32 = 0, group: UInt32 = 0) {
        self.permissions = permissions
        self.owner = owner
        self.group = group
    }
}

/// What to change of a file's attributes; what is nil stays.
public struct AttributeChange: Sendable, Equatable {
    /// A time to set.
    public enum Time: Sendable, Equatable {
        /// The moment of the change.
        case now
        /// Nanoseconds since 1970.
        case at(Int64)
    }

    /// The lower twelve bits of the mode.
    public var permissions: UInt16?
    /// The user that it belongs to.
    public var owner: UInt32?
    /// The group that it belongs to.
    public var group: UInt32?
    /// Cuts a file, or lengthens it with zeros.
    public var size: UInt64?
    /// When it was last read.
    public var accessed: Time?
    /// When it last changed.
    public var modified: Time?

    /// Changes nothing.
    public init() {}
}
