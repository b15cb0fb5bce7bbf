import Oxbow
import Primitives
import Volume

/// Why it is not known who may log in on a branch.
package struct RoleError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, as a sentence.
    package let description: String
    /// Whether it is only that PostgreSQL has no session left for the question.
    package var isFull = false
    /// Whether it was told a moment ago, and nobody was asked since.
    var isRepeated = false
    /// Whether all there is is a list that may be older than the roles.
    package var isOld = false

    init(_ description: String) { self.description = description }
}

/// The list of roles that a branch keeps beside its cluster, so that it is known who may log in
/// before PostgreSQL runs, and forks with the branch: `/.oxbow/roles`.
///
/// Behind the list stands what it is known by that it still holds (`Testimony`).
///
/// It is root's alone, and outside of the data folder: the compute's user does not come to it. It
/// is read from one record of the branch, and written in one commit of it, in whole pages, so that
/// no write of it counts as one that came in pieces. No link on the way is followed.
struct RoleFile {
    private static let path = "/.oxbow/roles"
    private static let folderOwnership = Ownership(permissions: 0o700)
    private static let fileOwnership = Ownership(permissions: 0o600)

    /// What stands there.
    struct Content {
        let list: RoleList
        let testimony: Testimony?
    }

    /// The list as it was; nil where there is none.
    static func read(_ view: View) throws(RoleError) -> Content? {
        let found: Result<Content, RoleError>
        do throws(VolumeError) {
            let files = try PastFiles(view)
            let folder = try files.lookUp(FileName(".oxbow"), in: .root)
            found = try read(files, files.lookUp(FileName("roles"), in: folder))
        } catch {
            if error.kind == .notFound { return nil }
            throw RoleError("\(path): \(error.message)")
        }
        return try found.get()
    }

    private static func read(
        _ files: PastFiles,
        _ file: InodeNumber
    ) throws(VolumeError) -> Result<Content, RoleError> {
        let known = try files.attributes(of: file)
        guard known.kind == .file, known.owner == 0, known.permissions & 0o022 == 0 else {
            return .failure(RoleError("\(path) is no file that root alone may write"))
        }
        let limit = RoleLimits.fileBytes + (1 << 16)
        guard known.size <= UInt64(limit) else {
            return .failure(RoleError("\(path) has \(known.size) bytes: a list has \(limit)"))
        }
        var bytes = [UInt8](repeating: 0, count: Int(known.size))
        var failure: VolumeError?
        unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(VolumeError) { _ = try unsafe files.read(file, at: 0, into: buffer) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        do throws(Malformed) {
            let list = try RoleList(decoding: bytes)
            let rest = bytes[RoleList.byteCount(bytes)...].prefix(Testimony.markBytes)
            return .success(Content(list: list, testimony: Testimony(list, mark: rest)))
        } catch {
            return .failure(RoleError("\(path): \(error.what) (byte \(error.offset))"))
        }
    }

    /// Writes the list down, durably, or where it stands there already what is behind it. What it
    /// changed is told, since the kernel may know of it.
    static func write(
        _ list: RoleList,
        _ testimony: Testimony?,
        to branch: Branch,
        onlyMark: Bool = false,
        _ changed: (InodeNumber, BranchFiles) -> Void
    ) throws(RoleError) {
        do throws(VolumeError) {
            let files = try BranchFiles.open(branch, creating: false)
            let folder = try place(".oxbow", .folder, in: .root, files, changed)
            let number = try place("roles", .file, in: folder, files, changed)
            let pageSize = branch.store.pageSize
            var bytes = list.encoded()
            let first = onlyMark ? bytes.count / pageSize * pageSize : 0
            bytes += testimony?.encodedMark ?? []
            bytes += [UInt8](repeating: 0, count: (pageSize - bytes.count % pageSize) % pageSize)
            let file = try files.openFile(number)
            try file.write(Array(bytes[first...]), at: UInt64(first))
            if try files.attributes(of: number).size > UInt64(bytes.count) {
                var shorter = AttributeChange()
                shorter.size = UInt64(bytes.count)
                try files.change(number, shorter)
            }
            changed(number, files)
            try file.sync()
        } catch { throw RoleError("write \(path): \(error.message)") }
    }

    /// What has the name, made where nothing has, and made root's.
    private static func place(
        _ text: String,
        _ kind: FileKind,
        in folder: InodeNumber,
        _ files: BranchFiles,
        _ changed: (InodeNumber, BranchFiles) -> Void
    ) throws(VolumeError) -> InodeNumber {
        let name = try FileName(text)
        let ownership = kind == .folder ? folderOwnership : fileOwnership
        let number: InodeNumber
        do throws(VolumeError) { number = try files.lookUp(name, in: folder) } catch {
            guard error.kind == .notFound else { throw error }
            defer { changed(folder, files) }
            return kind == .folder
                ? try files.makeFolder(name, in: folder, ownership)
                : try files.makeFile(name, in: folder, ownership)
        }
        let known = try files.attributes(of: number)
        if known.owner != 0 || known.permissions != ownership.permissions {
            var wanted = AttributeChange()
            wanted.owner = 0
            wanted.group = 0
            wanted.permissions = ownership.permissions
            try files.change(number, wanted)
            changed(number, files)
        }
        return number
    }
}
