/*
 * Parsers under faults: a configuration with its includes and files of variables to rows,
 * rows, JSON.  Who uses them is a one-shot or a role: memory that is out may end them.
 */
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "conf/conf.h"
#include "tests/unit/wrap.h"
#include "json/json.h"

static char dir[64];

static const struct {
	const char *name, *text;
} files[] = {
    {"main.ini", "[node]\nname = n\ninclude = part-*.ini\n"
		 "[socket front]\nlisten = unix:/run/x.sock\n"
		 "[application a]\nversion = 1\n"
		 "[supervisor a/s]\nstrategy = rest_for_one\n"
		 "[worker w]\nsupervisor = a/s\ncommand = /bin/sleep 'a b' 10\n"
		 "environment = A=1 B=\"x y\"\nuser = root\nsockets = front\n"},
    {"part-1.ini", "[worker v]\nsupervisor = a/s\ncommand = /bin/true\n"
		   "env_file = vars\ninstances = 3\n"},
    {"vars", "# some\nX=1\nY='a\nb'\n"},
};

static void
write_files(void)
{
	char path[128];
	(void)snprintf(dir, sizeof dir, "/tmp/test_wrap.XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, files[i].name);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_int_equal(
		    fd_write_all(fd, files[i].text, strlen(files[i].text)), 0);
		close(fd);
	}
}

static void
remove_files(void)
{
	char path[128];
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, files[i].name);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

static int
load(struct err *err)
{
	char path[128], *said = NULL;
	size_t len;
	struct conf conf = {0};
	const struct conf_options options = {.root = dir};
	(void)snprintf(path, sizeof path, "%s/main.ini", dir);
	int rc = conf_load(path, &options, &conf);
	FILE *out = open_memstream(&said, &len);
	assert_non_null(out);
	diag_print(&conf.diag, out);
	(void)fclose(out);
	if (rc < 0)
		(void)err_set(err, ERR_CONFIG, "%s", said);
	free(said);
	conf_free(&conf);
	return rc;
}

static int
build_rows(struct err *err)
{
	char word[32];
	const void *block;
	size_t size;
	struct rows_build *b = rows_build_new();
	for (int i = 0; i < 400; i++) {
		(void)snprintf(word, sizeof word, "application-%d", i);
		(void)rows_build_row(b, &(struct row){.id = rows_build_string(b, word),
					    .kind = ROW_APP,
					    .parent = ROW_NONE,
					    .exec = ROW_NONE,
					    .intensity = 1,
					    .period_ms = 5000,
					    .lifespan_ms = MS_INFINITY});
	}
	rows_build_node(b)->name = rows_build_string(b, "n");
	int rc = rows_build_finish(b, &block, &size, err);
	rows_build_free(&b);
	return rc;
}

static int
parse_and_print(struct err *err)
{
	static const char text[] = "{\"a\":[1,2,{\"b\":\"\\u00e9 text\"}],\"c\":null}";
	static const struct json_limits limits = {65536, 32};
	struct json *json = json_parse(text, sizeof text - 1, &limits, err);
	if (json == NULL)
		return -1;
	struct json *copy = json_copy(json);
	json_set_str(copy, "d", "more");
	json_set_u64(copy, "e", 1234567);
	char *printed = json_print(copy);
	int rc = strstr(printed, "1234567") != NULL
		     ? 0
		     : err_set(err, ERR_FAILED, "printed as %s", printed);
	free(printed);
	json_free(&copy);
	json_free(&json);
	return rc;
}

static const struct wrap_case cases[] = {
    {"a configuration is loaded", load, NULL, true, 0},
    {"rows are built", build_rows, NULL, true, 0},
    {"JSON is read and printed", parse_and_print, NULL, true, 0},
};

static void
each_parser_bears_every_fault(void **state)
{
	cJSON_Hooks hooks = {.malloc_fn = malloc, .free_fn = free};
	unsigned faults = 0;
	(void)state;
	cJSON_InitHooks(&hooks);
	write_files();
	for (size_t i = 0; i < COUNT(cases); i++)
		faults += wrap_walk(&cases[i]);
	remove_files();
	assert_true(faults > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_parser_bears_every_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
