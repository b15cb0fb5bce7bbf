#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

// Declared for those alone who ask for more than POSIX.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *size, int flags);
