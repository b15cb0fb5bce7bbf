import Oxbow

/// Which file, folder or link of a volume: what stays the same whatever its names. Never used
/// again.
public struct InodeNumber: RawRepresentable, Hashable, Comparable, Sendable,
    CustomStringConvertible
{
    /// The number, and the number of the object that holds the content.
    public let rawValue: UInt64

    /// Makes one from its number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Whether `left` was given out first.
    public static func < (left: InodeNumber, right: InodeNumber) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The number in decimal digits.
    public var description: String { String(rawValue) }

    /// The folder that everything is in.
    public static var root: InodeNumber { InodeNumber(rawValue: 16) }

    /// The object whose pages are the content.
    var object: ObjectID { ObjectID(rawValue) }
    /// The page of ``VolumeLayout/inodes`` that tells of it.
    var page: PageNumber { PageNumber(rawValue) }
}

/// Which object of a branch holds what of its volume.
enum VolumeLayout {
    /// Page 0 is the volume's header.
    static let header = ObjectID(0)
    /// Page n is the inode n.
    static let inodes = ObjectID(1)
    /// A page n stands here for each inode n that has lost its last name while it was open.
    static let orphans = ObjectID(2)
    /// From here on, object n is the content of inode n.
    static let firstContent = InodeNumber.root
    /// Pages are at least so large.
    static let minimumPageSize = 8192
}

/// What bounds a volume.
public enum VolumeLimits {
    /// Bytes in a name.
    public static let nameBytes = 255
    /// Bytes in what a symbolic link holds.
    public static let targetBytes = 4095
    /// Names that one file can have.
    public static let links: UInt32 = 65_000
    /// Bytes in a file.
    public static let fileBytes = UInt64(Int64.max)
    /// Symbolic links that one path can lead over.
    public static let hops = 40
}
