/*
 * How chunks become lines, by table and by every way to cut a text in two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "logger/lines.h"

enum { OUT = 1 << 20 };

static char out[OUT], wanted[OUT];

/* Runs text through lines_batch, in batches of `cap` entries; rotations become "<R>". */
static size_t
run(struct lines *ln, const char *text, size_t n, int cap, char *to)
{
	struct iovec iov[64];
	size_t done = 0, len = 0;
	while (done < n) {
		struct batch b = {.iov = iov, .cap = cap};
		lines_batch(ln, text + done, n - done, &b);
		for (int i = 0; i < b.n; i++) {
			memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
			len += iov[i].iov_len;
		}
		done += b.raw;
		if (b.full) {
			memcpy(to + len, "<R>", 3);
			len += 3;
			ln->size = 0;
		} else {
			assert_true(b.raw > 0 || b.n > 0);
		}
	}
	to[len] = '\0';
	return len;
}

static const struct {
	const char *in, *out;
	const char *stamp;
	uint64_t max_size;
	uint32_t col;
} cases[] = {
    {"a\nb\n", "a\nb\n", NULL, 0, 0},
    {"a\nb\n", "a\n<R>b\n", NULL, 3, 0},
    {"a\nb\n", "a\nb\n", NULL, 4, 0},
    {"longer than that\nb\n", "longer than that\n<R>b\n", NULL, 5, 0},
    {"\n\n\n", "\n\n\n", NULL, 0, 0},
    {"rest\nb", "rest\nTTTTTTTTTTTTTTTTTTTTTTTTTTTTb", "TTTTTTTTTTTTTTTTTTTTTTTTTTTT",
	0, 7},
    {"a\n\nb",
	"TTTTTTTTTTTTTTTTTTTTTTTTTTTTa\nTTTTTTTTTTTTTTTTTTTTTTTTTTTT\n"
	"TTTTTTTTTTTTTTTTTTTTTTTTTTTTb",
	"TTTTTTTTTTTTTTTTTTTTTTTTTTTT", 0, 0},
    {"a\nb\n", "TTTTTTTTTTTTTTTTTTTTTTTTTTTTa\n<R>TTTTTTTTTTTTTTTTTTTTTTTTTTTTb\n",
	"TTTTTTTTTTTTTTTTTTTTTTTTTTTT", 59, 0},
};

static void
the_table_holds_for_every_batch_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int cap = 3; cap < 10; cap++) {
			struct lines ln = {.stamp = cases[i].stamp,
			    .col = cases[i].col,
			    .max_size = cases[i].max_size};
			(void)run(&ln, cases[i].in, strlen(cases[i].in), cap, out);
			assert_string_equal(out, cases[i].out);
		}
}

static void
a_cut_anywhere_changes_nothing(void **state)
{
	static char text[3 * LINE_MAX_BYTES];
	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 70000 == 69999 || (i < 3000 && i % 7 == 3) ? '\n' : 'x';
	struct lines whole = {.stamp = "2026-11-21T11:00:00.123456Z "};
	size_t len = run(&whole, text, sizeof text, 64, wanted);
	for (size_t cut = 1; cut < sizeof text; cut += cut < 4000 ? 1 : 977) {
		struct lines ln = {.stamp = whole.stamp};
		size_t n = run(&ln, text, cut, 5, out);
		n += run(&ln, text + cut, sizeof text - cut, 64, out + n);
		assert_int_equal(n, len);
		assert_memory_equal(out, wanted, n);
		assert_int_equal(ln.col, whole.col);
		assert_int_equal(ln.size, whole.size);
	}
}

static void
a_line_of_the_limit_is_not_cut(void **state)
{
	static char text[LINE_MAX_BYTES + 2];
	(void)state;
	memset(text, 'x', sizeof text);
	text[LINE_MAX_BYTES] = '\n';
	struct lines ln = {0};
	assert_int_equal(
	    run(&ln, text, LINE_MAX_BYTES + 1, 64, out), LINE_MAX_BYTES + 1);
	assert_int_equal(ln.col, 0);
	text[LINE_MAX_BYTES] = 'x';
	text[LINE_MAX_BYTES + 1] = '\n';
	size_t n = run(&ln, text, sizeof text, 64, out);
	assert_int_equal(n, sizeof text + sizeof LINE_CUT - 1);
	assert_memory_equal(out + LINE_MAX_BYTES, LINE_CUT "x\n", sizeof LINE_CUT + 1);
}

static void
written_bytes_are_counted_in_bytes_of_the_chunk(void **state)
{
	const char text[] = "ab\ncd\n";
	struct iovec iov[8];
	struct batch b = {.iov = iov, .cap = 8};
	struct lines ln = {.stamp = "2026-11-21T11:00:00.123456Z "};
	(void)state;
	lines_batch(&ln, text, 6, &b);
	assert_int_equal(lines_raw(&b, 0, text, 6), 0);
	assert_int_equal(lines_raw(&b, STAMP_LEN, text, 6), 0);
	assert_int_equal(lines_raw(&b, STAMP_LEN + 2, text, 6), 2);
	assert_int_equal(lines_raw(&b, STAMP_LEN + 3, text, 6), 3);
	assert_int_equal(lines_raw(&b, 2 * STAMP_LEN + 4, text, 6), 4);
	assert_int_equal(lines_raw(&b, 2 * STAMP_LEN + 6, text, 6), 6);
}

static void
stamps_are_told_from_text(void **state)
{
	char stamp[STAMP_CAP];
	(void)state;
	lines_stamp(stamp, 1795258800, 123456789);
	assert_string_equal(stamp, "2026-11-21T11:00:00.123456Z ");
	lines_stamp(stamp, 0, 0);
	assert_string_equal(stamp, "1970-01-01T00:00:00.000000Z ");
	for (size_t n = 0; n <= STAMP_LEN; n++)
		assert_true(lines_is_stamp(stamp, n));
	assert_false(lines_is_stamp("1970-01-01 00:00:00.000000Z ", STAMP_LEN));
	assert_false(lines_is_stamp("x", 1));
}

static void
small_helpers(void **state)
{
	(void)state;
	assert_int_equal(lines_whole("", 0), 0);
	assert_int_equal(lines_whole("abc", 3), 0);
	assert_int_equal(lines_whole("a\nbc", 4), 2);
	assert_int_equal(lines_whole("a\nb\n", 4), 4);
	assert_int_equal(lines_count("", 0), 0);
	assert_int_equal(lines_count("a\nb\nc", 5), 2);
}

static void
the_rest_of_a_line(void **state)
{
	size_t n = 99;
	(void)state;
	assert_memory_equal(lines_rest("one\ntwo\n", 8, "tw", 2, &n), "o\n", 2);
	assert_int_equal(n, 1);
	assert_memory_equal(lines_rest("one\ntwo", 7, "t", 1, &n), "wo", 2);
	assert_int_equal(n, 2);
	assert_non_null(lines_rest("one\n", 4, "one", 3, &n));
	assert_int_equal(n, 0);
	assert_null(lines_rest("one\ntwo\n", 8, "wo", 2, &n));
	assert_null(lines_rest("one\ntwo\n", 8, "one\nt", 5, &n));
	assert_null(lines_rest("one\ntw", 6, "two", 3, &n));
	assert_null(lines_rest("", 0, "a", 1, &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table_holds_for_every_batch_size),
	    cmocka_unit_test(a_cut_anywhere_changes_nothing),
	    cmocka_unit_test(a_line_of_the_limit_is_not_cut),
	    cmocka_unit_test(written_bytes_are_counted_in_bytes_of_the_chunk),
	    cmocka_unit_test(stamps_are_told_from_text),
	    cmocka_unit_test(small_helpers),
	    cmocka_unit_test(the_rest_of_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
