import DiskIO
import WriteAheadLog

extension OxbowError {
    /// What a lower layer's error means to who tried to open a store.
    init(opening action: String, _ error: LogError) {
        switch error {
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
}
