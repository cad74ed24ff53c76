/*
 * logger_bench - a supervisord-logger of its own for each test: a directory in /tmp, the
 * program, its pipes, and what came to its files.
 */
#ifndef TESTS_UNIT_LOGGER_BENCH_H
#define TESTS_UNIT_LOGGER_BENCH_H

#include <ctype.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "logger/feed.h"
#include "logger/lines.h"
#include "proto/proto.h"
#include "state/state.h"
#include "tests/unit/role.h"

enum { STAMPS = 1, ZSTD = 2 };

struct bench {
	char dir[64], log[96];
	struct role_proc role;
	int errors; /* the logger's own log */
};

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

UNUSED static void
start(struct bench *b)
{
	const char *const argv[] = {
	    "supervisord-logger", "--log", b->log, "--run", b->dir, NULL};
	role_start(&b->role, argv, -1, b->errors);
}

UNUSED static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	(void)snprintf(b->dir, sizeof b->dir, "/tmp/test_logger.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	(void)snprintf(b->log, sizeof b->log, "%s/log", b->dir);
	char path[128];
	(void)snprintf(path, sizeof path, "%s/errors", b->dir);
	b->errors = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(b->errors >= 0);
	start(b);
	*state = b;
	return 0;
}

UNUSED static int
teardown(void **state)
{
	struct bench *b = *state;
	role_kill(&b->role);
	close(b->errors);
	(void)nftw(b->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

struct limits {
	uint64_t max_bytes, max_age_ms;
	uint32_t keep, flags;
};

UNUSED static void
add(const struct bench *b, uint32_t slot, const char *id, int fd, struct limits lim)
{
	struct stat st;
	struct msg_log_add msg = {.m = {.type = MSG_LOG_ADD, .slot = slot, .gen = 1},
	    .max_bytes = lim.max_bytes,
	    .max_age_ms = lim.max_age_ms,
	    .keep = lim.keep,
	    .flags = lim.flags};
	assert_int_equal(fstat(fd, &st), 0);
	msg.ino = st.st_ino;
	(void)snprintf(msg.id, sizeof msg.id, "%s", id);
	role_send(&b->role, &msg, sizeof msg, fd);
}

UNUSED static void
order(const struct bench *b, enum msg_type type, uint32_t slot)
{
	struct msg msg = {.type = type, .slot = slot};
	role_send(&b->role, &msg, sizeof msg, -1);
}

UNUSED static void
make_pipe(int ends[2])
{
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fd_nonblock(ends[0]), 0);
}

/* The file's content, to be freed; "" if it is not there. */
UNUSED static char *
slurp(const struct bench *b, const char *name)
{
	char path[256];
	(void)snprintf(path, sizeof path, "%s/%s", b->log, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t cap = 1 << 16, n = 0;
	char *text = malloc(cap);
	ssize_t k;
	while (fd >= 0 && (k = read(fd, text + n, cap - n - 1)) > 0) {
		n += (size_t)k;
		if (cap - n < 1 << 15)
			text = realloc(text, cap *= 2);
	}
	text[n] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

UNUSED static int
holds(const struct bench *b, const char *name, const char *wanted)
{
	char *text = slurp(b, name);
	int found = strstr(text, wanted) != NULL;
	free(text);
	return found;
}

UNUSED static void
wait_for(const struct bench *b, const char *name, const char *wanted)
{
	long end = now_ms() + PATIENCE_MS;
	while (!holds(b, name, wanted)) {
		if (now_ms() > end)
			fail_msg("'%s' never came to %s", wanted, name);
		sleep_ms(5);
	}
}

UNUSED static void
put(int fd, const char *text)
{
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* Channel and pipe are read in any order: lines go on until the order is heard. */
UNUSED static void
put_until(const struct bench *b, int fd, const char *text, const char *name,
    const char *wanted)
{
	long end = now_ms() + PATIENCE_MS;
	while (!holds(b, name, wanted) && now_ms() < end) {
		put(fd, text);
		sleep_ms(5);
	}
	wait_for(b, name, wanted);
}

UNUSED static void
stop_writing(int p[2])
{
	close(p[0]);
	close(p[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
