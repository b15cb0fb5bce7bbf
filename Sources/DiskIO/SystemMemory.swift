import Glibc

/// How much memory the machine has.
package enum SystemMemory {
    package static var byteCount: Int {
        sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    }
}
