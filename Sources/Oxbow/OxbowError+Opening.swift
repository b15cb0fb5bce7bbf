import DiskIO
import WriteAheadLog

extension OxbowError {
    /// What a lower layer's error means to who tried to open a store.
    init(opening action: String, _ error: LogError) {
        switch error {
        case .disk(let failure) where failure.isPathTooLong:
            self.init(.invalid, "\(action): the path is too long", cause: "\(failure)")
        case .disk(let failure):
            guard let obstacle = failure.obstacle else {
                self.init(error, action)
                return
            }
            self.init(.conflict, "\(action): \(obstacle)", cause: "\(failure)")
        case .full(let available, let needed):
            self.init(
                .full,
                "\(action): the disk is too full: \(needed) bytes are needed, and \(available) "
                    + "are free; free space, or give a new store smaller segments"
            )
        default: self.init(error, action)
        }
    }

    /// Refuses what the system would take for another, shorter path.
    static func checkPath(_ path: String, _ action: String) throws(OxbowError) {
        guard path.utf8.contains(0) else { return }
        throw OxbowError(.invalid, "\(action) \(path): no path has a zero byte")
    }
}
