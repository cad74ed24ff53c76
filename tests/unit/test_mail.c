/* Frames of mailboxes: written, read, cut, lied about; connections that take them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "mail/conn.h"

static size_t
written(const struct frame *f, char *buf)
{
	size_t n = frame_put_head(buf, f);
	memcpy(buf + n, f->data, f->len);
	buf[n + f->len] = '\0';
	assert_int_equal(n + f->len + 1, frame_size(f));
	return n + f->len + 1;
}

static const struct frame sample = {.kind = FRAME_CALL,
    .type = 1,
    .status = 3,
    .left_ms = 5000,
    .ref = 0x1122334455667788,
    .gen = 42,
    .name = "app/worker#7",
    .data = "some data",
    .len = 9};

static void
a_frame_comes_back_as_it_was(void **unused)
{
	char buf[256];
	struct frame f;
	size_t size, n = written(&sample, buf);
	(void)unused;
	assert_int_equal(frame_parse(buf, n, &f, &size), 1);
	assert_int_equal(size, n);
	assert_int_equal(f.kind, sample.kind);
	assert_int_equal(f.type, sample.type);
	assert_int_equal(f.status, sample.status);
	assert_int_equal(f.left_ms, sample.left_ms);
	assert_int_equal(f.ref, sample.ref);
	assert_int_equal(f.gen, sample.gen);
	assert_int_equal(f.len, sample.len);
	assert_string_equal(f.name, sample.name);
	assert_string_equal(f.data, sample.data);
}

static void
a_cut_frame_waits_for_the_rest(void **unused)
{
	char buf[256];
	struct frame f;
	size_t size, n = written(&sample, buf);
	(void)unused;
	for (size_t have = 0; have < n; have++) {
		char *copy = malloc(have + 1); /* so that a read behind it is seen */
		assert_non_null(copy);
		memcpy(copy, buf, have);
		assert_int_equal(frame_parse(copy, have, &f, &size), 0);
		assert_int_equal(size, have < FRAME_HEAD_SIZE ? FRAME_HEAD_SIZE : n);
		free(copy);
	}
}

static void
lies_are_refused(void **unused)
{
	/* offset into the head, value, width */
	static const struct {
		size_t at;
		uint32_t value;
		size_t width;
	} lies[] = {
	    {0, FRAME_DATA_MAX + 1, 4}, {4, FRAME_NAME_MAX + 1, 2}, {6, FRAME_NONE, 1},
	    {6, FRAME_KIND_MAX, 1}, {7, 3, 1}, {32, 0, 4}, /* magic */
	    {36, 1, 4},					   /* unused */
	    {4, 5, 2},			 /* the name does not end there */
	    {0, 3, 4},			 /* nor the data */
	    {FRAME_HEAD_SIZE + 3, 0, 1}, /* a NUL inside of the name */
	};

	char buf[256];
	struct frame f;
	size_t size;
	(void)unused;
	for (size_t i = 0; i < COUNT(lies); i++) {
		size_t n = written(&sample, buf);
		memcpy(buf + lies[i].at, &lies[i].value, lies[i].width);
		assert_int_equal(frame_parse(buf, n, &f, &size), -1);
	}
}

static void
each_kind_has_its_senders(void **unused)
{
	(void)unused;
	assert_int_equal(frame_senders(FRAME_CALL), FRAME_BY_CLIENT);
	assert_int_equal(frame_senders(FRAME_REPLY), FRAME_BY_SERVER);
	assert_int_equal(frame_senders(FRAME_NONE), 0);
	assert_int_equal(frame_senders(FRAME_KIND_MAX), 0);
	for (uint32_t k = FRAME_HELLO; k < FRAME_KIND_MAX; k++)
		assert_int_not_equal(frame_senders(k), 0);
}

static void
names_become_files(void **unused)
{
	static const char *const good[][2] = {{"app/worker", "app.worker"},
	    {"app/worker#12", "app.worker#12"}, {"leader", "leader"}};
	static const char *const bad[] = {"", "/", "a/", "/b", "a/b/c", "../x", "a/..",
	    "a.b", "A/b", "a/b#x", "a/b c", "a/b\n",
	    "a/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	char file[FRAME_NAME_MAX + 1];
	(void)unused;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(conn_file_name(good[i][0], file, sizeof file), 0);
		assert_string_equal(file, good[i][1]);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (conn_file_name(bad[i], file, sizeof file) == 0)
			fail_msg("'%s' was taken", bad[i]);
}

/* Many frames of all sizes through a socket that takes little at once, in order. */
static void
a_connection_keeps_the_order(void **unused)
{
	enum { FRAMES = 400, LARGEST = 60000 };
	struct conn a, b;
	struct frame f;
	int pair[2];
	uint64_t got = 0, sent = 0;
	char *data = calloc(1, LARGEST);
	(void)unused;
	assert_non_null(data);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
	    0);
	conn_open(&a, pair[0]);
	conn_open(&b, pair[1]);
	while (got < FRAMES) {
		for (int burst = 0; burst < 7 && sent < FRAMES; burst++, sent++) {
			struct frame out = {.kind = FRAME_CAST,
			    .ref = sent,
			    .name = "x",
			    .data = data,
			    .len = (uint32_t)(sent * 7919 % LARGEST)};
			assert_int_equal(conn_send(&a, &out), 0);
		}
		assert_true(conn_flush(&a) >= 0);
		assert_true(conn_read(&b) >= 0);
		while (conn_next(&b, &f) == 1) {
			assert_int_equal(f.ref, got);
			assert_int_equal(f.len, got * 7919 % LARGEST);
			got++;
		}
	}
	assert_int_equal(conn_waiting(&a), 0);
	conn_close(&a);
	assert_int_equal(conn_read(&b), -1);
	assert_int_equal(errno, 0);
	struct frame late = {.kind = FRAME_CAST, .name = "", .data = ""};
	assert_int_equal(conn_send(&b, &late), -1);
	assert_int_equal(conn_send(&a, &late), -1);
	conn_close(&b);
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_frame_comes_back_as_it_was),
	    cmocka_unit_test(a_cut_frame_waits_for_the_rest),
	    cmocka_unit_test(lies_are_refused),
	    cmocka_unit_test(each_kind_has_its_senders),
	    cmocka_unit_test(names_become_files),
	    cmocka_unit_test(a_connection_keeps_the_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
