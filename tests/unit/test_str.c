/* Words, times and sizes people write; hostile text in messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"
#include "base/util.h"

static void
times_have_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {{"0", 0}, {"500ms", 500}, {"5s", 5000}, {"2m", 120000},
	    {"1h", 3600000}, {"3d", 259200000}, {"1h30m", 5400000}, {"1.5s", 1500},
	    {"0.25h", 900000}, {"infinity", MS_INFINITY}};

	static const char *const bad[] = {"", "5", "5 s", "s", "-5s", "5sec", "1.s",
	    ".5s", "5s5", "infinite", "99999999999999999999s", "9999999999999999d",
	    "5s\n"};
	struct err err;
	uint64_t ms;
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(str_time_ms(good[i].text, &ms, &err), 0);
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		ms = 42;
		assert_int_equal(str_time_ms(bad[i], &ms, &err), -1);
		assert_int_equal(ms, 42);
	}
}

static void
sizes_are_powers_of_1024(void **state)
{
	struct err err;
	uint64_t n;
	(void)state;
	assert_int_equal(str_size("4096", &n, &err), 0);
	assert_int_equal(n, 4096);
	assert_int_equal(str_size("64k", &n, &err), 0);
	assert_int_equal(n, 65536);
	assert_int_equal(str_size("10M", &n, &err), 0);
	assert_int_equal(n, 10 << 20);
	assert_int_equal(str_size("2T", &n, &err), 0);
	assert_int_equal(n, 2ULL << 40);
	assert_int_equal(str_size("10MB", &n, &err), -1);
	assert_int_equal(str_size("M", &n, &err), -1);
	assert_int_equal(str_size("99999999T", &n, &err), -1);
}

static void
numbers_stay_in_bounds(void **state)
{
	struct err err;
	uint64_t n;
	int64_t i;
	bool yes;
	(void)state;
	assert_int_equal(str_number("7", 0, 10, &n, &err), 0);
	assert_int_equal(n, 7);
	assert_int_equal(str_number("11", 0, 10, &n, &err), -1);
	assert_int_equal(str_number("7x", 0, 10, &n, &err), -1);
	assert_int_equal(str_integer("-20", -20, 19, &i, &err), 0);
	assert_int_equal(i, -20);
	assert_int_equal(str_integer("-21", -20, 19, &i, &err), -1);
	assert_int_equal(str_integer("99999999999", -20, 19, &i, &err), -1);
	assert_int_equal(str_yes_no("yes", &yes, &err), 0);
	assert_true(yes);
	assert_int_equal(str_yes_no("off", &yes, &err), 0);
	assert_false(yes);
	assert_int_equal(str_yes_no("maybe", &yes, &err), -1);
}

static void
ids_are_small_and_plain(void **state)
{
	(void)state;
	assert_true(str_is_id_part("a-b_9", 5));
	assert_true(str_is_id_part("0123456789abcdef0123456789abcdef", 32));
	assert_false(str_is_id_part("0123456789abcdef0123456789abcdef0", 33));
	assert_false(str_is_id_part("", 0));
	assert_false(str_is_id_part("A", 1));
	assert_false(str_is_id_part("a/b", 3));
	assert_false(str_is_id_part("\xc3\xa4", 2));
}

/* Words joined by '|', to be read in a test. */
static const char *
joined(const char *text)
{
	static char out[256];
	struct err err;
	int64_t n = str_words(text, out, &err);
	char *p = out;
	if (n < 0)
		return "-1";
	for (; n > 1; n--) {
		p += strlen(p);
		*p = '|';
	}
	return out;
}

static void
words_split_as_in_a_shell(void **state)
{
	static const char *const tries[][2] = {
	    {"a b  c", "a|b|c"},
	    {"  a\t", "a"},
	    {"'a b' c", "a b|c"},
	    {"a'b'\"c\"d", "abcd"},
	    {"\"a \\\" \\\\ \\$ \\n\"", "a \" \\ $ \\n"},
	    {"a\\ b \\'", "a b|'"},
	    {"'' \"\"", "|"},
	    {"$HOME *.c ; #", "$HOME|*.c|;|#"},
	    {"'it is", "-1"},
	    {"\"x\\", "-1"},
	    {"x\\", "-1"},
	};
	char out[8];
	(void)state;
	for (size_t i = 0; i < COUNT(tries); i++)
		assert_string_equal(joined(tries[i][0]), tries[i][1]);
	assert_int_equal(str_words("", out, NULL), 0);
	assert_int_equal(str_words("   ", out, NULL), 0);
}

static void
a_slip_finds_its_word(void **state)
{
	static const char *const names[] = {
	    "restart", "shutdown", NULL, "command", "ready"};
	(void)state;
	assert_int_equal(str_distance("restrat", "restart"), 1);
	assert_int_equal(str_distance("kitten", "sitting"), 3);
	assert_int_equal(str_distance("", "abc"), 3);
	assert_string_equal(str_nearest("restrat", names, COUNT(names)), "restart");
	assert_string_equal(str_nearest("comand", names, COUNT(names)), "command");
	assert_null(str_nearest("xyzzy", names, COUNT(names)));
	assert_null(str_nearest("", names, COUNT(names)));
}

static void
hostile_text_is_made_plain(void **state)
{
	char buf[16], json[32];
	(void)state;
	assert_string_equal(str_printable("a\x1b[1m", buf, sizeof buf), "a\\x1b[1m");
	assert_string_equal(
	    str_printable("gr\xc3\xbc\xc3\x9f", buf, sizeof buf), "gr\xc3\xbc\xc3\x9f");
	assert_string_equal(str_printable("\xff", buf, sizeof buf), "\\xff");
	assert_string_equal(
	    str_printable("0123456789abcdefgh", buf, sizeof buf), "0123456789ab...");
	assert_string_equal(
	    str_printable("0123456789abcde", buf, sizeof buf), "0123456789abcde");
	for (size_t cap = 1; cap < sizeof buf; cap++)
		assert_true(
		    strlen(str_printable("\x01\xc3\xbc long text", buf, cap)) < cap);
	assert_int_equal(str_json("a\"\\\n\xff", json, sizeof json), 0);
	assert_string_equal(json, "a\\\"\\\\\\u000a\\ufffd");
	assert_int_equal(
	    str_json("long enough to overflow the whole buffer", json, 8), -1);
}

static void
utf8_is_strict(void **state)
{
	(void)state;
	assert_true(str_is_utf8("a\xe2\x82\xac\xf0\x9f\x98\x80", 8));
	assert_false(str_is_utf8("\xc0\xaf", 2));
	assert_false(str_is_utf8("\xed\xa0\x80", 3));
	assert_false(str_is_utf8("\xe2\x82", 2));
	assert_false(str_is_utf8("\xf4\x90\x80\x80", 4));
	assert_false(str_is_utf8("\x80", 1));
}

static void
a_map_keeps_what_came_first(void **state)
{
	struct arena arena = {0};
	struct map map;
	(void)state;
	map_init(&map, &arena);
	assert_int_equal(map_get_text(&map, "x"), MAP_NONE);
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(
		    map_put_text(&map, arena_print(&arena, "key %u", i), i), MAP_NONE);
	assert_int_equal(map_put_text(&map, "key 17", 99), 17);
	assert_int_equal(map_get_text(&map, "key 4999"), 4999);
	assert_int_equal(map_get_text(&map, "key 5000"), MAP_NONE);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_have_units),
	    cmocka_unit_test(sizes_are_powers_of_1024),
	    cmocka_unit_test(numbers_stay_in_bounds),
	    cmocka_unit_test(ids_are_small_and_plain),
	    cmocka_unit_test(words_split_as_in_a_shell),
	    cmocka_unit_test(a_slip_finds_its_word),
	    cmocka_unit_test(hostile_text_is_made_plain),
	    cmocka_unit_test(utf8_is_strict),
	    cmocka_unit_test(a_map_keeps_what_came_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
