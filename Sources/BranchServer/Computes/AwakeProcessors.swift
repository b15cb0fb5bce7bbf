import Glibc

/// Keeps processors that have nothing to do from sleeping, while a compute starts.
///
/// PostgreSQL asks the mount some five hundred things on its way to the first row, one after the
/// other, and each wakes a processor for the question and one for the answer. To wake from sleep
/// takes longer than the answer does, in a virtual machine and where sleep is deep. The kernel
/// takes such a wish from root alone, as long as a file is open. Where there is no such file, as
/// in most containers, a start goes without.
struct AwakeProcessors: ~Copyable {
    private static let device = "/dev/cpu_dma_latency"
    /// A start that takes longer is long for other reasons.
    private static let limit: UInt64 = 1_000_000_000
    /// From when it takes sessions: who waited for it logs in, and asks for something.
    private static let more: UInt64 = 50_000_000

    private var file: Int32
    private var until: UInt64

    init(from now: UInt64) {
        file = unsafe open(Self.device, O_WRONLY | O_CLOEXEC)
        until = now + Self.limit
        // So many microseconds to wake up are bearable.
        var microseconds: Int32 = 0
        if file >= 0, unsafe write(file, &microseconds, MemoryLayout<Int32>.size) < 0 { letGo() }
    }

    deinit { if file >= 0 { close(file) } }

    /// When to look again; nil where they may sleep.
    var deadline: UInt64? { file >= 0 ? until : nil }

    /// Lets them sleep again when it is time. `opened` is when the compute took sessions; 0 before.
    mutating func look(at now: UInt64, opened: UInt64) {
        if opened > 0 { until = min(until, opened + Self.more) }
        if now >= until { letGo() }
    }

    private mutating func letGo() {
        if file >= 0 { close(file) }
        file = -1
    }
}
