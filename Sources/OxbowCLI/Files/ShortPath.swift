import Glibc

/// A path as the system takes it, which is shorter than 4,096 bytes: of a longer one the folders
/// are opened one part after the other, and what is left begins at the last of them.
struct ShortPath {
    struct Refused: Error { let code: Int32 }

    private(set) var bytes: [UInt8]
    /// The folder that the bytes begin at, or -1.
    private var folder: Int32 = -1

    private static let largestCount = Int(PATH_MAX) - 1
    /// So long is a part: what stands before what is left has room, too.
    private static let partCount = 4_000
    /// `O_PATH`, which glibc shows only to who asks for all GNU extensions: a folder that may be
    /// passed need not be one that may be read.
    private static let namingOnly: Int32 = 0o10_000_000

    init(_ bytes: [UInt8]) throws(Refused) {
        self.bytes = bytes
        let slash = UInt8(ascii: "/")
        while self.bytes.count > Self.largestCount {
            let part = self.bytes.prefix(Self.partCount)
            guard let cut = part.lastIndex(of: slash), cut > 0 else {
                end()
                throw Refused(code: ENAMETOOLONG)
            }
            // With the slash, since what is followed by one must be a folder.
            let path = self.bytes[...cut].map { CChar(bitPattern: $0) } + [0]
            let next = unsafe open(path, Self.namingOnly | O_DIRECTORY | O_CLOEXEC)
            let code = errno
            end()
            guard next >= 0 else { throw Refused(code: code) }
            folder = next
            let rest = self.bytes[cut...].drop { $0 == slash }
            self.bytes = Array("/proc/self/fd/\(next)/".utf8) + rest
        }
    }

    /// Lets go of the folder, when the system was asked.
    func end() { if folder >= 0 { close(folder) } }
}
