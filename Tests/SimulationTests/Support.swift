import DiskIO
import Primitives
import Simulation

/// So many bytes that differ from those of another tag at every place.
func pattern(_ tag: UInt8, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 % 31) &* 8 | tag % 8 }
}

extension SimulatedDisk {
    /// A disk with one durable file of these bytes.
    static func holding(_ bytes: [UInt8], as name: String = "file", seed: UInt64) -> SimulatedDisk {
        let disk = SimulatedDisk(seed: seed)
        disk.plant(bytes, as: name)
        return disk
    }
}

/// What a call throws, or nothing.
func failure(_ body: () throws(DiskError) -> Void) -> DiskError? {
    do throws(DiskError) {
        try body()
        return nil
    } catch { return error }
}

extension DiskError {
    /// The sentence of an error that is neither of the special ones.
    var reason: String? {
        if case .failed(_, _, let reason) = self { reason } else { nil }
    }
}
