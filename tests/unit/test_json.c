#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "json/json.h"
#include "json/rpc.h"

static const struct json_limits limits = {RPC_LINE_MAX, RPC_DEPTH_MAX};

static int
check(const char *text)
{
	struct err err = {ERR_NONE, 0, ""};
	int ret = json_check(text, strlen(text), &limits, &err);
	if (ret < 0)
		assert_int_equal(err.kind, ERR_PROTO);
	return ret;
}

static void
what_the_grammar_has_is_taken(void **unused)
{
	static const char *const good[] = {"{}", "[]", "null", "true", "false", "0",
	    "-0", "-1.5e+10", "1E5", " [ 1 , \"a\" , { \"b\" : null } ] ",
	    "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\xc3\xa9\"", "\"\xf0\x9f\x98\x80\"",
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\x7f\""};
	(void)unused;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(check(good[i]), 0);
}

static void
everything_else_is_refused(void **unused)
{
	static const char *const bad[] = {"", " ", "{", "}", "[1,]", "{\"a\":1,}",
	    "[1 2]", "{1:2}", "{\"a\" 1}", "01", "-", "1.", ".5", "1e", "+1", "0x1",
	    "NaN", "tru", "nulll", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u0000\"",
	    "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\t\"", "\"\xff\"",
	    "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"", "\"\xf4\x90\x80\x80\"",
	    "{} {}", "[] x", "'a'", "{\"a\":}", "[,1]", "\xef\xbb\xbf{}"};
	(void)unused;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (check(bad[i]) == 0)
			fail_msg("taken: %s", bad[i]);
}

static void
depth_and_size_are_limited(void **unused)
{
	char text[200];
	(void)unused;
	for (unsigned depth = 30; depth < 36; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		text[2 * depth] = '\0';
		assert_int_equal(check(text), depth <= RPC_DEPTH_MAX ? 0 : -1);
	}
	char *big = malloc(RPC_LINE_MAX + 2);
	assert_non_null(big);
	memset(big, ' ', RPC_LINE_MAX + 1);
	big[0] = '1';
	big[RPC_LINE_MAX + 1] = '\0';
	assert_int_equal(check(big), -1);
	big[RPC_LINE_MAX] = '\0';
	assert_int_equal(check(big), 0);
	free(big);
}

static void
values_go_in_and_come_out(void **unused)
{
	(void)unused;
	struct json *json = json_object();
	json_set_str(json, "text", "a\"\n\xff z");
	json_set_u64(json, "n", 1795000000000ULL);
	json_set_u64(json, "big", UINT64_MAX);
	json_set_i64(json, "minus", -5);
	json_set_bool(json, "yes", 1);
	json_set_null(json, "nothing");
	char *text = json_print(json);
	assert_string_equal(text,
	    "{\"text\":\"a\\\"\\n? z\",\"n\":1795000000000,\"big\":18446744073709551615,"
	    "\"minus\":-5,\"yes\":true,\"nothing\":null}");
	struct err err;
	struct json *again = json_parse(text, strlen(text), &limits, &err);
	assert_non_null(again);
	assert_int_equal(json_get_int(again, "n", 0), 1795000000000);
	assert_int_equal(json_get_int(again, "big", 7), 7); /* not exact in a double */
	assert_int_equal(json_get_int(again, "text", 7), 7);
	assert_true(json_get_bool(again, "yes"));
	assert_null(json_get(again, "Text"));
	assert_int_equal(json_count(again), 6);
	struct json *taken = json_take(again, "minus");
	assert_int_equal(json_type(taken), JSON_NUMBER);
	json_free(&taken);
	assert_int_equal(json_count(again), 5);
	json_free(&again);
	json_free(&json);
	free(text);
}

static void
broken_numbers_are_no_integers(void **unused)
{
	static const char *const no[] = {
	    "1.5", "1e300", "-1e300", "9007199254740993", "\"1\""};
	(void)unused;
	for (size_t i = 0; i < COUNT(no); i++) {
		int64_t v = 42;
		struct json *json = json_parse(no[i], strlen(no[i]), &limits, NULL);
		assert_non_null(json);
		assert_int_equal(json_int(json, &v), -1);
		assert_int_equal(v, 42);
		json_free(&json);
	}
}

static void
errors_are_found_by_their_code(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < RPC_ERROR_MAX; i++) {
		assert_ptr_equal(rpc_error_of_code(rpc_errors[i].code), &rpc_errors[i]);
		assert_non_null(rpc_errors[i].name);
		assert_non_null(rpc_errors[i].help);
	}
	assert_null(rpc_error_of_code(1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_the_grammar_has_is_taken),
	    cmocka_unit_test(everything_else_is_refused),
	    cmocka_unit_test(depth_and_size_are_limited),
	    cmocka_unit_test(values_go_in_and_come_out),
	    cmocka_unit_test(broken_numbers_are_no_integers),
	    cmocka_unit_test(errors_are_found_by_their_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
