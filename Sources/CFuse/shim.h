#pragma once
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

// What the C library shows to those alone who ask for more than POSIX.
#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

// Bits of a structure, set by name.
static inline void oxbow_keep_cache(struct fuse_file_info *info) { info->keep_cache = 1; }
static inline void oxbow_keep_nothing(struct fuse_file_info *info) { info->direct_io = 1; }

// Glibc has it, but shows it only to who asks for all GNU extensions.
extern int syncfs(int file);

// The same of a folder: the kernel keeps its list, until it changes through the kernel.
static inline void oxbow_keep_list(struct fuse_file_info *info) {
    info->keep_cache = 1;
    info->cache_readdir = 1;
}

// FUSE's device is the misc device 229.
static inline int oxbow_is_fuse(dev_t device) { return device == makedev(10, 229); }

// Whether root, or a helper that becomes it, could mount something here: in a container it may not.
static inline int oxbow_may_mount(void) {
    return prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) != 0;
}
