import Glibc
import Oxbow
import Volume

extension VolumeError {
    /// What the kernel is told.
    var errorNumber: Int32 {
        switch kind {
        case .notFound: ENOENT
        case .exists: EEXIST
        case .notAFolder: ENOTDIR
        case .isAFolder: EISDIR
        case .notEmpty: ENOTEMPTY
        case .invalid: EINVAL
        case .nameTooLong: ENAMETOOLONG
        case .tooManyLinks: EMLINK
        case .fileTooLarge: EFBIG
        case .tooManyHops: ELOOP
        case .readOnly: EROFS
        case .stale: ESTALE
        case .full: ENOSPC
        case .notSupported: EOPNOTSUPP
        case .damaged, .failed: EIO
        }
    }
}

/// Why a request is refused.
struct Refusal: Error {
    let errorNumber: Int32

    init(_ errorNumber: Int32) { self.errorNumber = errorNumber }

    init(_ error: VolumeError) { self.init(error.errorNumber) }
}

/// Runs what a volume can fail at.
func volume<Result>(
    _ body: () throws(VolumeError) -> Result
) throws(Refusal) -> Result {
    do throws(VolumeError) { return try body() } catch { throw Refusal(error) }
}
