/// What can be asked of a disk or a file, as faults, counters and traces call it.
package enum DiskOperation: Int, CaseIterable, Sendable {
    case open, list, read
    case create, rename, remove, syncFolder
    case write, sync, truncate, allocate

    /// Whether it changes what is on the disk: between any two of these power can be lost.
    package var changesTheDisk: Bool {
        switch self {
        case .open, .list, .read: false
        case .create, .rename, .remove, .syncFolder, .write, .sync, .truncate, .allocate: true
        }
    }
}

/// One call of an operation.
struct DiskCall {
    let operation: DiskOperation
    let file: String
    let fileChecksum: UInt64
    var offset = 0
    var count = 0
    /// A checksum of what is written, or of the new name.
    var content: UInt64 = 0

    var range: Range<Int> { offset..<offset + count }

    /// What error messages call it.
    var sentence: String {
        switch operation {
        case .list: "list \(SimulatedDisk.placeName)"
        case .syncFolder: "sync the folder \(SimulatedDisk.placeName)"
        case .read, .write: "\(operation) \(SimulatedDisk.placeName)/\(file) at \(offset)"
        default: "\(operation) \(SimulatedDisk.placeName)/\(file)"
        }
    }
}
