/*
 * The moves of old files, also after one that was cut off.
 */
#include <dirent.h>
#include <fcntl.h>
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
#include "logger/names.h"

static struct names names;
static char dir[64];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/test_rotate.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = names_open(fd, "app/w#1", &names);
	close(fd);
	return rc;
}

static int
each_file(int (*visit)(const char *name))
{
	int n = 0, fd = openat(names.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(fd);
	struct dirent *e;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			n += visit(e->d_name);
	closedir(d);
	return n;
}

static int
remove_one(const char *name)
{
	return unlinkat(names.dir, name, 0) == 0;
}

static int
count_one(const char *name)
{
	(void)name;
	return 1;
}

static int
teardown(void **state)
{
	char path[80];
	(void)state;
	(void)each_file(remove_one);
	names_close(&names);
	(void)snprintf(path, sizeof path, "%s/app", dir);
	(void)rmdir(path);
	return rmdir(dir);
}

static void
make(const char *name, const char *text)
{
	int fd =
	    openat(names.dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static const char *
text_of(const char *name)
{
	static char text[64];
	if (fd_read_file(names.dir, name, text, sizeof text) < 0)
		return "";
	return text;
}

static void
the_oldest_goes_only_when_all_places_are_taken(void **state)
{
	static const char *const after[] = {"a", "b", "c", "d", "e"};
	(void)state;
	for (size_t i = 0; i < COUNT(after); i++) {
		make("w#1.log", after[i]);
		assert_int_equal(names_shift(&names, 3), 0);
		assert_string_equal(text_of("w#1.log"), "");
		assert_string_equal(text_of("w#1.log.1"), after[i]);
	}
	assert_string_equal(text_of("w#1.log.2"), "d");
	assert_string_equal(text_of("w#1.log.3"), "c");
	assert_int_equal(each_file(count_one), 3);
	make("w#1.log", "f");
	assert_int_equal(names_shift(&names, 0), 0);
	assert_string_equal(text_of("w#1.log"), "");
	/* Nothing to move is no failure. */
	assert_int_equal(names_shift(&names, 3), 0);
}

static void
a_gap_is_closed_before_anything_is_lost(void **state)
{
	(void)state;
	make("w#1.log", "new");
	make("w#1.log.1", "one");
	make("w#1.log.3.zst", "three");
	assert_int_equal(names_shift(&names, 3), 0);
	assert_string_equal(text_of("w#1.log.1"), "new");
	assert_string_equal(text_of("w#1.log.2"), "one");
	assert_string_equal(text_of("w#1.log.3.zst"), "three");
	make("w#1.log", "newer");
	assert_int_equal(names_shift(&names, 3), 0);
	assert_string_equal(text_of("w#1.log.3"), "one");
	assert_string_equal(text_of("w#1.log.3.zst"), "");
	assert_int_equal(each_file(count_one), 3);
}

static void
compressed_files_move_too(void **state)
{
	(void)state;
	make("w#1.log", "0");
	make("w#1.log.1", "1");
	make("w#1.log.2.zst", "2");
	assert_int_equal(names_shift(&names, 5), 0);
	assert_string_equal(text_of("w#1.log.1"), "0");
	assert_string_equal(text_of("w#1.log.2"), "1");
	assert_string_equal(text_of("w#1.log.3.zst"), "2");
	assert_int_equal(names_plain(&names, 5), 2);
	/* A twin whose name was given before the plain one could go. */
	make("w#1.log.2.zst", "1z");
	assert_int_equal(names_plain(&names, 5), 1);
	assert_string_equal(text_of("w#1.log.2"), "");
	assert_string_equal(text_of("w#1.log.2.zst"), "1z");
}

static void
what_was_left_half_done_is_removed(void **state)
{
	(void)state;
	make("w#1.log.zst.tmp", "half");
	names_clean(&names);
	assert_int_equal(each_file(count_one), 0);
	names_clean(&names);
}

static void
only_ids_name_files(void **state)
{
	static const char *const good[] = {"node", "a/b", "a/b#0", "a/b#4294967295",
	    "a-_9/01234567890123456789012345678901"};
	static const char *const bad[] = {"", ".", "..", "/", "a", "a/", "/b", "a//b",
	    "a/b/c", "a/../b", "a/b#", "a/b#1x", "a/b#12345678901", "a/b#1#2", "A/b",
	    "a/b.log", "a/b\n", "a b/c", "node/",
	    "012345678901234567890123456789012/b"};
	struct names none = {.dir = -1};
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(names_id_ok(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(names_id_ok(bad[i]));
		assert_int_equal(names_open(AT_FDCWD, bad[i], &none), -1);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_oldest_goes_only_when_all_places_are_taken),
	    TEST(a_gap_is_closed_before_anything_is_lost),
	    TEST(compressed_files_move_too),
	    TEST(what_was_left_half_done_is_removed),
	    TEST(only_ids_name_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
