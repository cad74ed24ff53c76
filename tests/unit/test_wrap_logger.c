/*
 * The logger's files under faults: what cannot be written is counted, no line is torn,
 * and a pipe that finds no room is closed with a sentence.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "logger/feed.h"
#include "tests/unit/wrap.h"

static char dir[64];
static int dir_fd;

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level == 0 ? 0 : remove(path);
}

static void
empty_dir(void)
{
	(void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static unsigned lines_seen, lines_told;
static int torn;

static void
look_at_line(const char *line)
{
	unsigned n;
	char rest[8];
	if (strncmp(line, "line ", 5) == 0 && strcmp(line + 5, "of a worker") == 0)
		lines_seen++;
	else if (sscanf(line, "-- %u lines (%*u bytes) droppe%1s", &n, rest) == 2 ||
		 sscanf(line, "-- %u line (%*u bytes) droppe%1s", &n, rest) == 2)
		lines_told += n;
	else
		torn = 1;
}

static int
look_at_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static char text[65536];
	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	ssize_t n = fd_read_file(AT_FDCWD, path, text, sizeof text);
	torn |= n < 0 || (n > 0 && text[n - 1] != '\n');
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		look_at_line(line);
	return 0;
}

static bool
no_line_is_torn(void)
{
	torn = 0;
	lines_seen = lines_told = 0;
	(void)nftw(dir, look_at_file, 16, FTW_PHYS);
	return torn == 0;
}

/* --- one sink -------------------------------------------------------------------------- */

static const char line[] = "line of a worker\n";

static void
put(struct sinks *all, struct sink *s)
{
	sinks_now(all);
	sink_write(all, s, line, sizeof line - 1, sizeof line - 1);
}

static int
write_and_rotate(struct err *err)
{
	static struct sinks all;
	struct sink s;
	empty_dir();
	sinks_init(&all, dir_fd, 4);
	sink_init(&s, "a/w");
	s.keep = 2;
	for (int i = 0; i < 3; i++) {
		put(&all, &s);
		sink_rotate(&all, &s);
		put(&all, &s);
		s.retry_ms = 0;
		sinks_retry(&all);
	}
	sink_close(&all, &s);
	if (!no_line_is_torn() || lines_seen + lines_told < 3)
		return err_set(err, ERR_FAILED, "%u lines, %u told to be dropped",
		    lines_seen, lines_told);
	return 0;
}

/* --- a pipe ------------------------------------------------------------------------------ */

static int
feed_one(struct feeds *fs, struct err *err)
{
	int ends[2];
	struct stat st;
	struct msg_log_add add = {.m = {.type = MSG_LOG_ADD, .slot = 3, .gen = 1}};
	(void)snprintf(add.id, sizeof add.id, "a/w");
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, "no pipe");
	assert_int_equal(fstat(ends[0], &st), 0);
	add.ino = st.st_ino;
	int rc = feeds_add(fs, &add, ends[0], err);
	if (rc == 0)
		assert_int_equal(dprintf(ends[1], "%s", line), (int)sizeof line - 1);
	feeds_go(fs);
	for (int i = 0; i < 8; i++)
		(void)feeds_turn(fs);
	fd_close(&ends[1]);
	if (rc == 0)
		feeds_drop(fs, 3, 1);
	return rc;
}

static int
feed_a_pipe(struct err *err)
{
	static struct feeds fs;
	empty_dir();
	memset(&fs, 0, sizeof fs);
	if (feeds_open(&fs, dir_fd, 4, err) < 0)
		return -1;
	int rc = feed_one(&fs, err);
	feeds_close(&fs);
	return rc;
}

static const struct wrap_case cases[] = {
    {"lines are written and files rotated", write_and_rotate, no_line_is_torn, false,
	0},
    {"a pipe is read", feed_a_pipe, no_line_is_torn, false, 0},
};

static void
the_files_bear_every_fault(void **state)
{
	unsigned faults = 0;
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/test_wrap.XXXXXX");
	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT(cases); i++)
		faults += wrap_walk(&cases[i]);
	close(dir_fd);
	empty_dir();
	(void)rmdir(dir);
	assert_true(faults > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_files_bear_every_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
