/*
 * fd - small helpers around descriptors and files.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Closes *fd if it is >= 0 and sets it to -1.  errno is kept. */
void fd_close(int *fd);
int fd_nonblock(int fd);
int fd_cloexec(int fd, int on);
/* All bytes or -1; retries EINTR and short writes.  For files and blocking sockets. */
int fd_write_all(int fd, const void *data, size_t len);
/* The whole of a small file into buf, NUL behind it.  Length or -1; -1 with EFBIG if
 * it is longer than cap-1. */
ssize_t fd_read_file(int dirfd, const char *path, char *buf, size_t cap);
/*
 * A Unix socket bound to, or connected to, `name` inside the directory `dirfd`,
 * through /proc/self/fd/DIR/NAME, so that deep directories fit in 108 bytes.
 * type: SOCK_STREAM or SOCK_SEQPACKET or SOCK_DGRAM; flags are added (cloexec is
 * always).  bind removes an old socket first.  The descriptor or -1.
 */
int fd_unix_bind(int dirfd, const char *name, int type, struct err *err);
int fd_unix_connect(int dirfd, const char *name, int type, struct err *err);
/* mkdir -p with the mode for what is made. */
int fd_mkdirs(const char *path, unsigned mode, struct err *err);

#endif
