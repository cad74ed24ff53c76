#include "tests/unit/wrap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"

enum { DONE = 10, DONE_FAULTED, BROKEN, ERRORS = 5, STEPS_MAX = 100000 };

static struct {
	bool on, reached;
	enum wrap_kind kind;
	unsigned left;
	int error;
} fault;

static const struct {
	const char *name;
	int error[ERRORS]; /* what such a call may give; 0 behind the last */
} kinds[WRAP_MAX] = {
    [WRAP_ALLOC] = {"allocation", {ENOMEM}},
    [WRAP_OPEN] = {"open", {EMFILE, ENOSPC, EIO, ENOMEM}},
    [WRAP_FD] = {"descriptor", {EMFILE, ENOMEM}},
    [WRAP_READ] = {"read", {EIO}},
    [WRAP_WRITE] = {"write", {ENOSPC, EIO, EAGAIN}},
    [WRAP_SYNC] = {"fsync", {EIO, ENOSPC}},
    [WRAP_SIZE] = {"size", {ENOSPC, EIO}},
    [WRAP_MAP] = {"mmap", {ENOMEM}},
    [WRAP_NAME] = {"rename", {EIO, ENOSPC}},
    [WRAP_SEND] = {"send", {EAGAIN, ENOMEM}},
    [WRAP_RECEIVE] = {"receive", {ENOMEM}},
    [WRAP_CLONE] = {"clone", {EAGAIN, ENOMEM}},
};

void
wrap_on(enum wrap_kind kind, unsigned n, int error)
{
	fault.kind = kind;
	fault.left = n;
	fault.error = error;
	fault.reached = false;
	fault.on = true;
}

bool
wrap_off(void)
{
	fault.on = false;
	return fault.reached;
}

bool
wrap_pause(void)
{
	bool on = fault.on;
	fault.on = false;
	return on;
}

void
wrap_resume(bool on)
{
	fault.on = on;
}

static bool
fails(enum wrap_kind kind)
{
	if (!fault.on || fault.kind != kind || fault.left == 0 || --fault.left > 0)
		return false;
	fault.reached = true;
	errno = fault.error;
	return true;
}

/* One row a call: what it returns, its kind, and how it fails. */
#define WRAPPED(RET, NAME, KIND, FAILED, PARAMS, ARGS)              \
	RET __real_##NAME PARAMS;                                   \
	RET __wrap_##NAME PARAMS;                                   \
	RET __wrap_##NAME PARAMS                                    \
	{                                                           \
		return fails(KIND) ? (FAILED) : __real_##NAME ARGS; \
	}

/* clang-format off */
WRAPPED(void *, malloc, WRAP_ALLOC, NULL, (size_t n), (n))
WRAPPED(void *, calloc, WRAP_ALLOC, NULL, (size_t n, size_t k), (n, k))
WRAPPED(void *, realloc, WRAP_ALLOC, NULL, (void *p, size_t n), (p, n))
WRAPPED(char *, strdup, WRAP_ALLOC, NULL, (const char *s), (s))
WRAPPED(int, open, WRAP_OPEN, -1, (const char *p, int f, unsigned m), (p, f, m))
WRAPPED(int, openat, WRAP_OPEN, -1, (int d, const char *p, int f, unsigned m), (d, p, f, m))
WRAPPED(int, __open_2, WRAP_OPEN, -1, (const char *p, int f), (p, f))
WRAPPED(int, __openat_2, WRAP_OPEN, -1, (int d, const char *p, int f), (d, p, f))
WRAPPED(FILE *, fopen, WRAP_OPEN, NULL, (const char *p, const char *m), (p, m))
WRAPPED(int, socket, WRAP_FD, -1, (int d, int t, int p), (d, t, p))
WRAPPED(int, socketpair, WRAP_FD, -1, (int d, int t, int p, int v[2]), (d, t, p, v))
WRAPPED(int, pipe2, WRAP_FD, -1, (int p[2], int f), (p, f))
WRAPPED(int, memfd_create, WRAP_FD, -1, (const char *n, unsigned f), (n, f))
WRAPPED(int, epoll_create1, WRAP_FD, -1, (int f), (f))
WRAPPED(ssize_t, read, WRAP_READ, -1, (int fd, void *p, size_t n), (fd, p, n))
WRAPPED(ssize_t, __read_chk, WRAP_READ, -1, (int fd, void *p, size_t n, size_t c), (fd, p, n, c))
WRAPPED(ssize_t, pread, WRAP_READ, -1, (int fd, void *p, size_t n, off_t o), (fd, p, n, o))
WRAPPED(ssize_t, __pread_chk, WRAP_READ, -1, (int fd, void *p, size_t n, off_t o, size_t c), (fd, p, n, o, c))
WRAPPED(ssize_t, write, WRAP_WRITE, -1, (int fd, const void *p, size_t n), (fd, p, n))
WRAPPED(ssize_t, pwrite, WRAP_WRITE, -1, (int fd, const void *p, size_t n, off_t o), (fd, p, n, o))
WRAPPED(ssize_t, writev, WRAP_WRITE, -1, (int fd, const void *v, int n), (fd, v, n))
WRAPPED(int, fsync, WRAP_SYNC, -1, (int fd), (fd))
WRAPPED(int, fdatasync, WRAP_SYNC, -1, (int fd), (fd))
WRAPPED(int, ftruncate, WRAP_SIZE, -1, (int fd, off_t n), (fd, n))
WRAPPED(int, posix_fallocate, WRAP_SIZE, fault.error, (int fd, off_t o, off_t n), (fd, o, n))
WRAPPED(void *, mmap, WRAP_MAP, MAP_FAILED, (void *a, size_t n, int p, int f, int fd, off_t o), (a, n, p, f, fd, o))
WRAPPED(int, rename, WRAP_NAME, -1, (const char *a, const char *b), (a, b))
WRAPPED(int, renameat, WRAP_NAME, -1, (int d, const char *a, int e, const char *b), (d, a, e, b))
WRAPPED(int, mkdir, WRAP_NAME, -1, (const char *p, unsigned m), (p, m))
WRAPPED(int, mkdirat, WRAP_NAME, -1, (int d, const char *p, unsigned m), (d, p, m))
WRAPPED(ssize_t, sendmsg, WRAP_SEND, -1, (int fd, const struct msghdr *m, int f), (fd, m, f))
WRAPPED(ssize_t, recvmsg, WRAP_RECEIVE, -1, (int fd, struct msghdr *m, int f), (fd, m, f))
WRAPPED(pid_t, fork, WRAP_CLONE, -1, (void), ())
WRAPPED(long, birth_clone, WRAP_CLONE, -(long)fault.error, (void *a, unsigned long n, int (*fn)(void *), void *x), (a, n, fn, x))
/* clang-format on */

/* Where the master forks plainly (sanitizers): by a system call, never the child's own. */
long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);

long
__wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return number == SYS_clone && fails(WRAP_CLONE)
		   ? -1
		   : __real_syscall(number, a, b, c, d, e, f);
}

/* --- the walk ------------------------------------------------------------------------ */

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static unsigned
open_fds(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

static NORETURN void
broken(const char *what, const char *more)
{
	(void)fprintf(stderr, "%s%s%s\n", what, more[0] != '\0' ? ": " : "", more);
	(void)fflush(stderr);
	_exit(BROKEN);
}

/* In a child: with the fault, then without it. */
static NORETURN void
one_step(const struct wrap_case *c, enum wrap_kind kind, unsigned n, int error)
{
	struct err err = {0};
	unsigned fds = open_fds();
	wrap_on(kind, n, error);
	int rc = c->run(&err);
	bool reached = wrap_off();
	if (rc < 0 && err.msg[0] == '\0')
		broken("a failure without a sentence", "");
	if (rc < 0 && !reached)
		broken("it failed without a fault", err.msg);
	if (open_fds() != fds)
		broken("descriptors are left open after the fault", err.msg);
	if (c->whole != NULL && !c->whole())
		broken("something torn is left after the fault", err.msg);
	if (reached && (c->run(&err) < 0 || (c->whole != NULL && !c->whole())))
		broken("it does not work after the fault has ended", err.msg);
	if (open_fds() != fds)
		broken("descriptors are left open afterwards", "");
	if (__lsan_do_recoverable_leak_check != NULL &&
	    __lsan_do_recoverable_leak_check() != 0)
		broken("memory is left", err.msg);
	_exit(reached ? DONE_FAULTED : DONE);
}

/* 1: go on with the next N; 0: it was not reached. */
static int
judge(const struct wrap_case *c, int status, const char *said)
{
	bool ended = (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) ||
		     (WIFEXITED(status) && WEXITSTATUS(status) == 1);
	if (WIFEXITED(status) && WEXITSTATUS(status) == DONE)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == DONE_FAULTED)
		return 1;
	if (ended && c->may_end && said[0] != '\0')
		return c->whole == NULL || c->whole() ? 1 : -1;
	return -1;
}

static int
step(const struct wrap_case *c, enum wrap_kind kind, unsigned n, int error)
{
	char said[4096] = "";
	int status;
	FILE *log = tmpfile();
	assert_non_null(log);
	(void)fflush(NULL);
	pid_t pid = __real_fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fileno(log), 2);
		one_step(c, kind, n, error);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ssize_t len = pread(fileno(log), said, sizeof said - 1, 0);
	said[len > 0 ? len : 0] = '\0';
	(void)fclose(log);
	int more = judge(c, status, said);
	if (more < 0)
		fail_msg("%s, %s %u fails with %s: status %d: %s", c->name,
		    kinds[kind].name, n, strerrorname_np(error), status, said);
	return more;
}

unsigned
wrap_walk(const struct wrap_case *c)
{
	unsigned faults = 0;
	for (int kind = 0; kind < WRAP_MAX; kind++)
		for (int e = 0; e < ERRORS && kinds[kind].error[e] != 0 &&
				(c->without & 1U << kind) == 0;
		     e++)
			for (unsigned n = 1; step(c, (enum wrap_kind)kind, n,
						 kinds[kind].error[e]) == 1;
			     n++) {
				faults++;
				assert_true(n < STEPS_MAX);
			}
	return faults;
}
