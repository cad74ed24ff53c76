#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "relctl/cmd.h"
#include "relctl/logfile.h"
#include "relctl/logtext.h"
#include "relctl/manual.h"
#include "relctl/nodes.h"

/* --- the command line ------------------------------------------------------------ */

static struct cmd cmd;
static const char *words[32];

/* Parses blank-separated words. */
static int
parse(const char *line)
{
	static char text[256];
	char *argv[32], *save = NULL;
	size_t n = 0;
	(void)snprintf(text, sizeof text, "%s", line);
	for (char *w = strtok_r(text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	memset(&cmd, 0, sizeof cmd);
	return cmd_parse(&cmd, argv, words, &cmd.err);
}

static void
options_stand_anywhere(void **state)
{
	(void)state;
	assert_int_equal(parse("--root /x status --json a/b --timeout=1.5s c"), 0);
	assert_string_equal(cmd.entry->name, "status");
	assert_string_equal(cmd.root, "/x");
	assert_true(cmd.json);
	assert_int_equal(cmd.timeout_ms, 1500);
	assert_int_equal(cmd.nwords, 2);
	assert_string_equal(cmd.words[1], "c");
	assert_null(cmd.words[2]);
}

static void
short_options_take_values_in_both_forms(void **state)
{
	(void)state;
	assert_int_equal(parse("logs -f -n5 x"), 0);
	assert_string_equal(cmd.option[1], "5");
	assert_non_null(cmd.option[0]);
	assert_int_equal(parse("logs -n 7 x --since 5m"), 0);
	assert_string_equal(cmd.option[1], "7");
	assert_string_equal(cmd.option[2], "5m");
	assert_int_equal(parse("status -q"), 0);
	assert_true(cmd.quiet);
}

static void
nothing_is_an_option_behind_dashes(void **state)
{
	(void)state;
	assert_int_equal(parse("stop -- -x --json"), 0);
	assert_int_equal(cmd.nwords, 2);
	assert_false(cmd.json);
	assert_int_equal(parse("start-child pool -x --json"), 0);
	assert_int_equal(cmd.nwords, 3);
	assert_false(cmd.json);
}

static void
slips_are_answered_with_what_was_meant(void **state)
{
	static const char *const slips[][2] = {{"statsu", "'status'"},
	    {"status --jsno", "'--json'"}, {"logs --folow x", "'--follow'"},
	    {"frobnicate", "help"}, {"", "help"}, {"why", "ID"}, {"why a b", "'b'"},
	    {"stop a --timeout 5x", "--timeout"}, {"stop a --timeout", "TIME"},
	    {"stop a --json=1", "no value"}, {"stop -z a", "help stop"}};
	(void)state;
	for (size_t i = 0; i < COUNT(slips); i++) {
		assert_int_equal(parse(slips[i][0]), -1);
		if (strstr(cmd.err.msg, slips[i][1]) == NULL)
			fail_msg("'%s' says: %s", slips[i][0], cmd.err.msg);
	}
}

static void
the_node_is_found_by_root_then_by_environment(void **state)
{
	(void)state;
	(void)setenv("STEWARD_ROOT", "/env", 1);
	assert_int_equal(parse("status"), 0);
	cmd_dirs(&cmd);
	assert_string_equal(cmd.run_dir, "/env/run");
	assert_int_equal(parse("status --root /opt"), 0);
	cmd_dirs(&cmd);
	assert_string_equal(cmd.log_dir, "/opt/log");
	(void)unsetenv("STEWARD_ROOT");
	assert_int_equal(parse("status"), 0);
	cmd_dirs(&cmd);
	assert_string_equal(cmd.run_dir, "/run/steward");
}

static void
each_verb_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < cmd_table_n; i++) {
		const struct cmd_entry *e = cmd_table[i];
		assert_non_null(e->run);
		assert_non_null(e->help);
		assert_non_null(e->args);
		assert_non_null(e->role);
		assert_true(e->min <= e->max);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(e->name, cmd_table[j]->name);
	}
}

static void
times_are_short(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} times[] = {{0, "0ms"}, {999, "999ms"}, {1000, "1.0s"}, {9999, "9.9s"},
	    {10000, "10s"}, {119999, "119s"}, {120000, "2m"}, {7200000, "2h00m"},
	    {5 * 86400000LL, "5d"}};

	char buf[24];
	(void)state;
	for (size_t i = 0; i < COUNT(times); i++)
		assert_string_equal(
		    time_short(times[i].ms, buf, sizeof buf), times[i].text);
}

/* --- logs ------------------------------------------------------------------------ */

static char dir[] = "/tmp/test_relctl_XXXXXX";
static char seen[8192];

static void
gather(void *arg, const char *id, const char *text, size_t len)
{
	(void)arg;
	(void)id;
	(void)snprintf(
	    seen + strlen(seen), sizeof seen - strlen(seen), "%.*s|", (int)len, text);
}

static const struct logfile_sink sink = {gather, NULL};

static void
put(const char *name, int flags, const char *text)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/app/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static int
setup(void **state)
{
	char path[128];
	(void)state;
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	seen[0] = '\0';
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/app", dir);
	return mkdir(path, 0700);
}

static int
teardown(void **state)
{
	static const char *const names[] = {"w.log", "w.log.1", "w.log.2", ""};
	char path[128];
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof path, "%s/app/%s", dir, names[i]);
		if (names[i][0] != '\0')
			(void)unlink(path);
		else
			(void)rmdir(path);
	}
	return rmdir(dir);
}

static struct logfile *
open_w(void)
{
	struct err err;
	struct logfile *f = logfile_open(dir, "app/w", &err);
	assert_non_null(f);
	return f;
}

static void
last_lines_reach_back_over_rotations(void **state)
{
	static const struct {
		size_t lines;
		const char *seen;
	} cases[] = {{0, ""}, {1, "f|"}, {2, "e|f|"}, {3, "d|e|f|"}, {5, "b|c|d|e|f|"},
	    {6, "a|b|c|d|e|f|"}, {99, "a|b|c|d|e|f|"}, {SIZE_MAX, "a|b|c|d|e|f|"}};

	(void)state;
	put("w.log.2", O_TRUNC, "a\nb\n");
	put("w.log.1", O_TRUNC, "c\nd\n");
	put("w.log", O_TRUNC, "e\nf\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct logfile *f = open_w();
		seen[0] = '\0';
		assert_int_equal(logfile_last(f, cases[i].lines, 0, NULL), 0);
		logfile_give(&f, 1, &sink);
		assert_string_equal(seen, cases[i].seen);
		logfile_close(&f);
	}
}

static void
old_lines_are_left_out(void **state)
{
	static const char now[] = "2026-11-21T11:00:05.000000Z";
	struct logfile *f;
	(void)state;
	put("w.log.1", O_TRUNC,
	    "2026-11-21T11:00:01.000000Z a\n2026-11-21T11:00:04.999999Z b\n");
	put("w.log", O_TRUNC, "2026-11-21T11:00:05.000000Z c\nno time\n");
	f = open_w();
	uint64_t ms = logtext_time_ms(now, sizeof now - 1);
	assert_int_equal(ms, 1795258805000ULL);
	assert_int_equal(logfile_last(f, SIZE_MAX, ms, NULL), 0);
	logfile_give(&f, 1, &sink);
	assert_string_equal(seen, "2026-11-21T11:00:05.000000Z c|no time|");
	logfile_close(&f);
	assert_int_equal(logtext_time_ms("2026-11-21", 10), 0);
	assert_int_equal(logtext_time_ms("2026-11-21Txx:00:05.000000Z ab", 30), 0);
}

static void
following_goes_over_a_rotation(void **state)
{
	char from[128], to[128];
	(void)state;
	put("w.log", O_TRUNC, "a\nhal");
	struct logfile *f = open_w();
	assert_int_equal(logfile_last(f, 10, 0, NULL), 0);
	logfile_give(&f, 1, &sink);
	assert_string_equal(seen, "a|");
	put("w.log", O_APPEND, "f\n");
	assert_int_equal(logfile_more(f, &sink, NULL), 0);
	put("w.log", O_APPEND, "late\n");
	(void)snprintf(from, sizeof from, "%s/app/w.log", dir);
	(void)snprintf(to, sizeof to, "%s/app/w.log.1", dir);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(logfile_more(f, &sink, NULL), 0); /* no new file yet */
	put("w.log", O_TRUNC, "new\n");
	assert_int_equal(logfile_more(f, &sink, NULL), 0);
	put("w.log", O_APPEND, "more\nrest");
	assert_int_equal(logfile_more(f, &sink, NULL), 0);
	logfile_rest(f, &sink);
	assert_string_equal(seen, "a|half|late|new|more|rest|");
	logfile_close(&f);
}

static void
ids_do_not_lead_out_of_the_directory(void **state)
{
	struct err err;
	(void)state;
	assert_null(logfile_open(dir, "../etc/passwd", &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(logfile_open(dir, "/etc/passwd", &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(logfile_open(dir, "app/none", &err));
	assert_int_equal(err.kind, ERR_UNKNOWN_NAME);
}

/* --- papers ---------------------------------------------------------------------- */

static void
equals_paper(void (*print)(FILE *), const char *path)
{
	static char page[1 << 18];
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	print(out);
	assert_int_equal(fclose(out), 0);
	assert_true(fd_read_file(AT_FDCWD, path, page, sizeof page) > 0);
	if (strcmp(page, text) != 0)
		fail_msg("make it anew: relctl --print man|release > %s", path);
	free(text);
}

static void
the_manuals_are_what_the_tables_say(void **state)
{
	(void)state;
	equals_paper(manual_print, "man/relctl.1");
	equals_paper(manual_print_release, "man/steward-release.5");
}

/* What `relctl completion SHELL` prints, caught through a descriptor. */
static void
completions_are_what_is_printed(void **state)
{
	static const char *const pairs[][2] = {
	    {"completion bash", "conf/completions/relctl.bash"},
	    {"completion zsh", "conf/completions/_relctl"},
	    {"completion fish", "conf/completions/relctl.fish"}};
	static char want[16384], got[16384];
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		int keep = dup(1), fd = memfd_create("out", MFD_CLOEXEC);
		assert_true(keep >= 0 && fd >= 0);
		assert_int_equal(parse(pairs[i][0]), 0);
		(void)fflush(stdout);
		assert_int_equal(dup2(fd, 1), 1);
		int code = cmd.entry->run(&cmd);
		(void)fflush(stdout);
		assert_int_equal(dup2(keep, 1), 1);
		close(keep);
		assert_int_equal(code, 0);
		ssize_t n = pread(fd, got, sizeof got - 1, 0);
		close(fd);
		assert_true(n > 0);
		got[n] = '\0';
		assert_true(fd_read_file(AT_FDCWD, pairs[i][1], want, sizeof want) > 0);
		assert_string_equal(got, want);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_stand_anywhere),
	    cmocka_unit_test(short_options_take_values_in_both_forms),
	    cmocka_unit_test(nothing_is_an_option_behind_dashes),
	    cmocka_unit_test(slips_are_answered_with_what_was_meant),
	    cmocka_unit_test(the_node_is_found_by_root_then_by_environment),
	    cmocka_unit_test(each_verb_is_complete),
	    cmocka_unit_test(times_are_short),
	    T(last_lines_reach_back_over_rotations),
	    T(old_lines_are_left_out),
	    T(following_goes_over_a_rotation),
	    T(ids_do_not_lead_out_of_the_directory),
	    cmocka_unit_test(the_manuals_are_what_the_tables_say),
	    cmocka_unit_test(completions_are_what_is_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
