import Oxbow
import Primitives
import Testing
import Volume

/// A volume in memory.
struct TestVolume {
    let store: Store
    let main: Branch
    let files: BranchFiles

    init() throws {
        store = try Store.temporary()
        main = try store.branch("main")
        files = try BranchFiles.open(main)
    }

    @discardableResult
    func make(_ name: String, in folder: InodeNumber = .root) throws -> InodeNumber {
        try files.makeFile(FileName(name), in: folder, Ownership(permissions: 0o644))
    }

    @discardableResult
    func makeFolder(_ name: String, in folder: InodeNumber = .root) throws -> InodeNumber {
        try files.makeFolder(FileName(name), in: folder, Ownership(permissions: 0o755))
    }

    /// What is wrong with the volume.
    func problems() throws -> [String] {
        try PastFiles(main.view()).check().problems
    }
}

/// Why a volume would not do something.
func kind(_ body: () throws -> Void) -> VolumeError.Kind? {
    do { try body() } catch { return (error as? VolumeError)?.kind }
    return nil
}
