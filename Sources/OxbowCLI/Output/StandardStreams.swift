import Glibc

/// The three descriptors that every program is given.
enum StandardStreams {
    /// Puts something in the place of those that were closed: the next files that are opened would
    /// get their numbers, and what is printed would go there. It is opened the wrong way round, so
    /// that whoever reads or writes hears that there is nothing.
    static func fill() {
        for descriptor in STDIN_FILENO...STDERR_FILENO {
            guard fcntl(descriptor, F_GETFD) == -1, errno == EBADF else { continue }
            // The lowest that is free: this one.
            _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}
