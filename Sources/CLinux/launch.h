#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Glibc has it, but shows it only to who asks for all GNU extensions. By this name ThreadSanitizer,
// which takes every `clone` for a fork and ends where the memory is shared, leaves it alone.
extern int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...);

// Between the making of a process and its program only calls of the kernel are allowed, and no
// Swift: whatever it allocates or locks may be held by a thread that the new process has not got.
// So this one step is here. It shares the memory of its parent, whose thread stands still
// meanwhile: nothing is copied, whatever the size of the server, and errors need no pipe.

/// What a process is to be, and on return, where it failed.
struct oxbow_launch {
    const char *path;
    char *const *arguments;
    char *const *environment;
    /// What it reads and writes; `output` for errors, too.
    int input, output;
    /// Left open as 3, or -1.
    int keep;
    /// A pipe of the server's: what tells that it is no more.
    int life_reader, life_writer;
    /// Who it is, or -1.
    int user, group;
    /// Whether it gets processes, mounts and shared memory of its own.
    int is_isolated;
    /// Mounts that it is not to have.
    const char *const *hidden;
    /// Pairs of a folder and the place where it is to be seen instead of what is there.
    const char *const *binds;
    /// Sent to it when the thread that launched it ends.
    int death_signal;
    int error;
    const char *failed_step;
};

static inline int oxbow_launch_failed(struct oxbow_launch *launch, const char *step) {
    launch->error = errno ? errno : EINVAL;
    launch->failed_step = step;
    return 127;
}

static inline int oxbow_launch_isolate(struct oxbow_launch *launch) {
    const unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return oxbow_launch_failed(launch, "make mounts private");
    // One that is gone by now is as well.
    for (const char *const *place = launch->hidden; place[0]; place++) umount2(place[0], MNT_DETACH);
    for (const char *const *bind = launch->binds; bind[0]; bind += 2)
        if (mount(bind[0], bind[1], NULL, MS_BIND, NULL) < 0)
            return oxbow_launch_failed(launch, bind[0]);
    // What was bound stays writable, since it is mounted apart.
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL) < 0)
        return oxbow_launch_failed(launch, "make the system read-only");
    if (mount("proc", "/proc", "proc", plain, NULL) < 0)
        return oxbow_launch_failed(launch, "mount /proc");
    if (mount("tmpfs", "/dev/shm", "tmpfs", plain, "mode=1777") < 0)
        return oxbow_launch_failed(launch, "mount /dev/shm");
    return 0;
}

// Where the pipe is that tells of the server's life, until the program runs.
enum { oxbow_launch_life = 4 };

static inline int oxbow_launch_files(struct oxbow_launch *launch) {
    // Out of the way first, so that none is overwritten by another.
    int input = fcntl(launch->input, F_DUPFD, 10), output = fcntl(launch->output, F_DUPFD, 10);
    int keep = launch->keep < 0 ? -1 : fcntl(launch->keep, F_DUPFD, 10);
    int life = fcntl(launch->life_reader, F_DUPFD, 10);
    if (input < 0 || output < 0 || life < 0 || (launch->keep >= 0 && keep < 0))
        return oxbow_launch_failed(launch, "duplicate files");
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
        return oxbow_launch_failed(launch, "set input and output");
    if (keep >= 0 ? dup2(keep, 3) < 0 : close(3) < 0 && errno != EBADF)
        return oxbow_launch_failed(launch, "keep the lock");
    if (dup2(life, oxbow_launch_life) < 0 || fcntl(oxbow_launch_life, F_SETFD, FD_CLOEXEC) < 0)
        return oxbow_launch_failed(launch, "keep the server's life");
    if (syscall(SYS_close_range, oxbow_launch_life + 1, ~0U, 0) < 0)
        return oxbow_launch_failed(launch, "close files");
    return 0;
}

// Ends it with the thread that launched it; one that has ended before is seen here.
static inline int oxbow_launch_tie(struct oxbow_launch *launch, int signal) {
    if (prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) < 0)
        return oxbow_launch_failed(launch, "tie to the server");
    struct pollfd life = {oxbow_launch_life, POLLIN, 0};
    if (poll(&life, 1, 0) != 0) return oxbow_launch_failed(launch, "find the server alive");
    return 0;
}

static inline int oxbow_launch_run(void *argument) {
    struct oxbow_launch *launch = (struct oxbow_launch *)argument;
    struct sigaction action = {0};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) sigaction(number, &action, NULL);
    // Before all else: what follows asks the mount, and so the server. While this process had the
    // server's end of that open, the kernel would not see that a server that was killed is gone, and
    // whoever asked it would wait for ever; and with it the locks of the store would be held.
    if (oxbow_launch_files(launch) || oxbow_launch_tie(launch, SIGKILL)) return 127;
    if (setsid() < 0) return oxbow_launch_failed(launch, "make a session");
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (launch->is_isolated && oxbow_launch_isolate(launch)) return 127;
    // The kernel's calls, since the library's would tell all threads of the server.
    if (launch->user >= 0 &&
        (syscall(SYS_setgroups, 0, NULL) < 0 ||
         syscall(SYS_setresgid, launch->group, launch->group, launch->group) < 0 ||
         syscall(SYS_setresuid, launch->user, launch->user, launch->user) < 0))
        return oxbow_launch_failed(launch, "become another user");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return oxbow_launch_failed(launch, "give up privileges");
    // Once more, since the change of user cleared it.
    if (oxbow_launch_tie(launch, launch->death_signal)) return 127;
    if (chdir("/") < 0) return oxbow_launch_failed(launch, "go to /");
    sigset_t open;
    sigemptyset(&open);
    sigprocmask(SIG_SETMASK, &open, NULL);
    execve(launch->path, launch->arguments, launch->environment);
    return oxbow_launch_failed(launch, launch->path);
}

/// Runs a body in a process that shares this one's memory, while this thread stands still. Returns
/// the process's id, or -1.
static inline int oxbow_run_apart(int (*body)(void *), void *argument, int flags) {
    const size_t size = 64 * 1024;
    void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -1;
    sigset_t all, before;
    sigfillset(&all);
    // No handler of the server's may run in the new process.
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int process = __clone(body, (char *)stack + size, flags | CLONE_VM | CLONE_VFORK | SIGCHLD, argument);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, size);
    errno = error;
    return process;
}

/// Makes a process. Returns its id, or -1 with `error` and `failed_step` set.
static inline int oxbow_launch_process(struct oxbow_launch *launch) {
    launch->error = 0;
    int flags = launch->is_isolated ? CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC : 0;
    int process = oxbow_run_apart(oxbow_launch_run, launch, flags);
    if (process < 0) oxbow_launch_failed(launch, "make a process");
    if (process > 0 && launch->error) {
        waitpid(process, NULL, 0);
        return -1;
    }
    return process;
}

/// What a process that has mounts of its own is to see from now on, and on return, where that failed.
struct oxbow_view {
    /// What `oxbow_watch_process` returned.
    int process;
    /// Pairs of a folder and the place where it is to be seen instead of what is there.
    const char *const *binds;
    int error;
    const char *failed_step;
};

enum { oxbow_view_binds = 4 };

static inline int oxbow_view_failed(struct oxbow_view *view, const char *step) {
    view->error = errno ? errno : EINVAL;
    view->failed_step = step;
    return 1;
}

static inline int oxbow_view_run(void *argument) {
    struct oxbow_view *view = (struct oxbow_view *)argument;
    // As a process that is launched does, before it asks the mount.
    int process = fcntl(view->process, F_DUPFD, 10);
    if (process < 0 || dup2(process, 0) < 0 || syscall(SYS_close_range, 1, ~0U, 0) < 0)
        return oxbow_view_failed(view, "close files");
    int folders[oxbow_view_binds], count = 0;
    for (const char *const *bind = view->binds; bind[0]; bind += 2, count++) {
        if (count == oxbow_view_binds) return errno = E2BIG, oxbow_view_failed(view, bind[0]);
        folders[count] = syscall(SYS_open_tree, AT_FDCWD, bind[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (folders[count] < 0) return oxbow_view_failed(view, bind[0]);
    }
    if (syscall(SYS_setns, 0, CLONE_NEWNS) < 0) return oxbow_view_failed(view, "enter its mounts");
    for (int index = 0; index < count; index++) {
        const char *place = view->binds[2 * index + 1];
        // Not on top of what is there: when the folder of that is removed, the kernel takes away all
        // that stands on it.
        if (umount2(place, MNT_DETACH) < 0) return oxbow_view_failed(view, place);
        if (syscall(SYS_move_mount, folders[index], "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) < 0)
            return oxbow_view_failed(view, place);
        // It was made among the mounts of the system, and would show what is mounted there later.
        if (mount(NULL, place, NULL, MS_PRIVATE, NULL) < 0) return oxbow_view_failed(view, place);
    }
    return 0;
}

/// Puts folders into what a process sees, for others that were put there when it was made. Returns 0, or -1 with `error` and `failed_step` set.
static inline int oxbow_show(struct oxbow_view *view) {
    view->error = 0;
    int helper = oxbow_run_apart(oxbow_view_run, view, 0);
    if (helper < 0) return oxbow_view_failed(view, "make a process"), -1;
    waitpid(helper, NULL, 0);
    return view->error ? -1 : 0;
}

/// A file that becomes readable when the process ends.
static inline int oxbow_watch_process(int process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}

/// A pipe that no other program gets. Returns 0, or -1.
static inline int oxbow_make_pipe(int *ends) {
    return (int)syscall(SYS_pipe2, ends, O_CLOEXEC);
}

/// A file that is readable from when it was rung until it was stilled; or -1.
static inline int oxbow_make_alarm(void) {
    return (int)syscall(SYS_eventfd2, 0, O_CLOEXEC | O_NONBLOCK);
}

static inline void oxbow_ring(int alarm) {
    unsigned long long one = 1;
    if (write(alarm, &one, sizeof one) < 0) return;
}

static inline void oxbow_still(int alarm) {
    unsigned long long count;
    if (read(alarm, &count, sizeof count) < 0) return;
}
