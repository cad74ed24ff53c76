/*
 * inject - system calls that fail on demand, in a process that runs.
 *
 * Preloaded (LD_PRELOAD) into a whole node.  STEWARD_INJECT names a file of one struct
 * order, mapped by all: while `error` is set, calls of the program named fail with it,
 * if it is an error that call may give.  Setting it to 0 heals.  `shift_s` makes the wall
 * clock jump.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct order {
	int32_t error;
	int32_t shift_s; /* added to the wall clock of everybody */
	uint64_t hits;
	char program[48];
};

enum kind { OPEN, WRITE, RENAME, MEMORY, DESCRIPTOR, FORK, KIND_MAX };

/* What a call of each kind may fail with. */
static const int plausible[KIND_MAX][6] = {
    [OPEN] = {EMFILE, ENFILE, ENOSPC, EIO, ENOMEM},
    [WRITE] = {ENOSPC, EIO, EAGAIN},
    [RENAME] = {ENOSPC, EIO, ENOMEM},
    [MEMORY] = {ENOMEM},
    [DESCRIPTOR] = {EMFILE, ENFILE, ENOMEM},
    [FORK] = {EAGAIN, ENOMEM},
};

static struct order *order;

static void __attribute__((constructor)) map_order(void)
{
	const char *path = getenv("STEWARD_INJECT");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *m = mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	order = m == MAP_FAILED ? NULL : m;
}

static int
fails(enum kind kind)
{
	if (order == NULL || order->error == 0 ||
	    strcmp(order->program, program_invocation_short_name) != 0)
		return 0;
	for (int i = 0; plausible[kind][i] != 0; i++)
		if (plausible[kind][i] == order->error) {
			__atomic_add_fetch(&order->hits, 1, __ATOMIC_RELAXED);
			errno = order->error;
			return 1;
		}
	return 0;
}

/* The C library's own; an object pointer becomes one to a function by way of memory. */
static void
real(const char *name, void *fn)
{
	void *p = dlsym(RTLD_NEXT, name);
	memcpy(fn, &p, sizeof p);
}

static int
mode_of(int flags, va_list ap)
{
	return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(ap, int) : 0;
}

int
open(const char *path, int flags, ...)
{
	int (*fn)(const char *, int, ...);
	va_list ap;
	va_start(ap, flags);
	int mode = mode_of(flags, ap);
	va_end(ap);
	real("open", &fn);
	return fails(OPEN) ? -1 : fn(path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
	int (*fn)(int, const char *, int, ...);
	va_list ap;
	va_start(ap, flags);
	int mode = mode_of(flags, ap);
	va_end(ap);
	real("openat", &fn);
	return fails(OPEN) ? -1 : fn(dir, path, flags, mode);
}

#define CALL(RET, NAME, KIND, FAILED, PARAMS, ARGS)      \
	RET NAME PARAMS                                  \
	{                                                \
		RET(*fn) PARAMS;                         \
		real(#NAME, &fn);                        \
		return fails(KIND) ? (FAILED) : fn ARGS; \
	}

CALL(int, __open_2, OPEN, -1, (const char *p, int f), (p, f))
CALL(int, __openat_2, OPEN, -1, (int d, const char *p, int f), (d, p, f))
CALL(FILE *, fopen, OPEN, NULL, (const char *p, const char *m), (p, m))
CALL(int, mkdir, RENAME, -1, (const char *p, mode_t m), (p, m))
CALL(int, mkdirat, RENAME, -1, (int d, const char *p, mode_t m), (d, p, m))
CALL(ssize_t, pwrite, WRITE, -1, (int fd, const void *p, size_t n, off_t o),
    (fd, p, n, o))
CALL(int, fsync, WRITE, -1, (int fd), (fd))
CALL(int, fdatasync, WRITE, -1, (int fd), (fd))
CALL(int, ftruncate, WRITE, -1, (int fd, off_t n), (fd, n))
CALL(int, rename, RENAME, -1, (const char *a, const char *b), (a, b))
CALL(int, renameat, RENAME, -1, (int d, const char *a, int e, const char *b),
    (d, a, e, b))
CALL(int, socket, DESCRIPTOR, -1, (int d, int t, int p), (d, t, p))
CALL(int, socketpair, DESCRIPTOR, -1, (int d, int t, int p, int sv[2]), (d, t, p, sv))
CALL(int, pipe2, DESCRIPTOR, -1, (int p[2], int f), (p, f))
CALL(int, memfd_create, DESCRIPTOR, -1, (const char *n, unsigned f), (n, f))
CALL(int, accept4, DESCRIPTOR, -1, (int s, struct sockaddr *a, socklen_t *l, int f),
    (s, a, l, f))
CALL(pid_t, fork, FORK, -1, (void), ())
CALL(void *, mmap, MEMORY, MAP_FAILED,
    (void *a, size_t n, int p, int f, int fd, off_t o), (a, n, p, f, fd, o))

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int (*fn)(clockid_t, struct timespec *);
	real("clock_gettime", &fn);
	int ret = fn(id, ts);
	if (ret == 0 && order != NULL && id == CLOCK_REALTIME)
		ts->tv_sec += order->shift_s;
	return ret;
}

int
gettimeofday(struct timeval *tv, void *zone)
{
	int (*fn)(struct timeval *, void *);
	real("gettimeofday", &fn);
	int ret = fn(tv, zone);
	if (ret == 0 && order != NULL)
		tv->tv_sec += order->shift_s;
	return ret;
}

/* Files may be full and pipes may be, too; the event loop's own eventfd never is. */
ssize_t
write(int fd, const void *data, size_t len)
{
	ssize_t (*fn)(int, const void *, size_t);
	struct stat sb;
	real("write", &fn);
	if (order == NULL || order->error == 0 || fstat(fd, &sb) < 0)
		return fn(fd, data, len);
	int may = order->error == EAGAIN ? S_ISFIFO(sb.st_mode) : S_ISREG(sb.st_mode);
	return may && fails(WRITE) ? -1 : fn(fd, data, len);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
	int (*fn)(int, off_t, off_t);
	real("posix_fallocate", &fn);
	return fails(WRITE) ? errno : fn(fd, at, len);
}
