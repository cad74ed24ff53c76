/* What clients write between method and version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/util.h"
#include "worker/http/http.h"

static void
split(void **state)
{
	static const struct {
		const char *uri, *path, *query;
	} row[] = {
	    {"/", "/", ""},
	    {"/a?b=c&d", "/a", "b=c&d"},
	    {"/a?", "/a", ""},
	    {"/a?b?c", "/a", "b?c"},
	    {"/%41%7e%2F%c3%A4?%41", "/A~/\xc3\xa4", "%41"},
	    {"/a+b", "/a+b", ""},
	    {"*", "*", ""},
	    {"http://host", "/", ""},
	    {"http://host?x", "/", "x"},
	    {"HTTPS://host:8/a/b?x", "/a/b", "x"},
	    {"//double", "//double", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		char *path = NULL;
		const char *query = NULL;
		assert_int_equal(target_split(row[i].uri, &path, &query), 0);
		assert_string_equal(path, row[i].path);
		assert_string_equal(query, row[i].query);
		free(path);
	}
}

static void
refused(void **state)
{
	static const char *const bad[] = {"", "a", "?", "?a", "/%", "/%4", "/%zz",
	    "/%4g", "/%00", "/a%00b", "/%-1", "/%@1", "*a", "ftp://host/", "/a%?b"};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char *path = NULL;
		const char *query = NULL;
		assert_int_equal(target_split(bad[i], &path, &query), 400);
		assert_null(path);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(split), cmocka_unit_test(refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
