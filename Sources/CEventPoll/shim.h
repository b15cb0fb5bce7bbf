#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>

// Declared for those alone who ask for more than POSIX. The header of sockets is not taken in here:
// it would belong to this module then, and not to the C library's.
struct sockaddr;
extern int accept4(int descriptor, struct sockaddr *address, unsigned int *size, int flags);

static inline int oxbow_accept(int descriptor, void *address, unsigned int *size, int flags) {
    return accept4(descriptor, (struct sockaddr *)address, size, flags);
}
