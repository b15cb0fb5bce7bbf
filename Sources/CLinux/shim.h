#pragma once
#include <limits.h>
#include <linux/futex.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Sleeps while the word is zero; may wake for no reason.
static inline void oxbow_sleep_while_zero(unsigned int *word) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

/// Makes the word one, and wakes all who sleep, with one call of the system.
static inline void oxbow_set_and_wake_all(unsigned int *word) {
    __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/// Has all threads take memory from at most so many pools. Of many pools each keeps what it freed.
static inline void oxbow_limit_memory_pools(int count) { mallopt(M_ARENA_MAX, count); }

/// Gives memory back to the system that the process has freed.
static inline void oxbow_give_memory_back(void) { malloc_trim(0); }

/// Makes the file system that a file is on durable. Returns -1 where that fails.
static inline int oxbow_sync_file_system(int descriptor) {
    return (int)syscall(SYS_syncfs, descriptor);
}
