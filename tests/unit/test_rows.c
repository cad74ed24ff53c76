/* Blocks of rows: made, checked, hashed; and broken byte by byte. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "rows/rows.h"
#include "rows/rows_build.h"
#include "state/state.h"

_Static_assert((int)ROW_SOCKS_MAX == (int)SOCKS_MAX, "the state has a place for each");
_Static_assert((int)ROW_SUPS_MAX < (int)SUPS_MAX, "the root has a window, too");

struct sample {
	struct rows_build *b;
	const char *command, *about;
	uint32_t log_keep;
	bool swap; /* texts are met in another order */
};

static uint32_t
sample_exec(struct sample *s)
{
	const char *argv[] = {s->command, "-x", "a b"};
	const char *env[] = {"A=1", "B="};
	const uint32_t limit[] = {7, 1024, 0, 4096, 0}, cpus[] = {5}, gids[] = {4, 24};
	struct row_exec e;
	const uint32_t sock = 0;
	memset(&e, 0, sizeof e);
	e.argv = rows_build_strings(s->b, argv, e.argc = 3);
	e.env = rows_build_strings(s->b, env, e.nenv = 2);
	e.pre = rows_build_strings(s->b, argv, e.npre = 1);
	e.cwd = rows_build_string(s->b, "/srv");
	e.rlimits = rows_build_list(s->b, limit, 5);
	e.nrlimits = 1;
	e.affinity = rows_build_list(s->b, cpus, e.naffinity = 1);
	e.groups = rows_build_list(s->b, gids, e.ngroups = 2);
	e.socks = rows_build_list(s->b, &sock, e.nsocks = 1);
	e.flags = EXECF_USER | EXECF_UMASK;
	e.uid = e.gid = 33;
	e.umask = 027;
	e.stop_signal = 15;
	e.log_keep = s->log_keep;
	return rows_build_exec(s->b, &e);
}

/* api, api/pool (simple_one_for_one) with its template, api/web after api/pool. */
static void
sample_make(struct sample *s, const void **block, size_t *size)
{
	struct row_sock sock = {
	    .type = SOCK_STREAM, .addr_len = sizeof(struct sockaddr_in)};
	const struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = 80};
	struct err err = {0};
	s->b = rows_build_new();
	if (s->swap)
		(void)rows_build_string(s->b, "B=");
	memcpy(sock.addr, &in, sizeof in);
	sock.name = rows_build_string(s->b, "http");
	(void)rows_build_sock(s->b, &sock);
	struct row r = {.id = rows_build_string(s->b, "api"),
	    .parent = ROW_NONE,
	    .about = rows_build_string(s->b, s->about),
	    .kind = ROW_APP,
	    .exec = ROW_NONE};
	uint32_t app = rows_build_row(s->b, &r);
	r = (struct row){.id = rows_build_string(s->b, "api/pool"),
	    .parent = app,
	    .kind = ROW_SUP,
	    .strategy = SIMPLE_ONE_FOR_ONE,
	    .exec = ROW_NONE};
	uint32_t pool = rows_build_row(s->b, &r);
	r.kind = ROW_TEMPLATE;
	r.strategy = ONE_FOR_ONE;
	r.parent = pool;
	r.instances = 3;
	r.exec = sample_exec(s);
	(void)rows_build_row(s->b, &r);
	r.id = rows_build_string(s->b, "api/web");
	r.kind = ROW_WORKER;
	r.parent = app;
	r.after = rows_build_list(s->b, &pool, r.nafter = 1);
	r.exec = sample_exec(s);
	(void)rows_build_row(s->b, &r);
	rows_build_node(s->b)->name = rows_build_string(s->b, "web1");
	assert_int_equal(rows_build_finish(s->b, block, size, &err), 0);
}

static struct sample
sample(void)
{
	return (struct sample){
	    .command = "/bin/true", .about = "the api", .log_keep = 5};
}

/* Reads all that a block promises to be readable. */
static uint64_t
walk_list(const struct rows *r, uint32_t list, uint32_t n, int strings)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < n; i++)
		sum +=
		    strings ? strlen(rows_list_string(r, list, i)) : r->word[list + i];
	return sum;
}

static uint64_t
walk(const struct rows *r)
{
	uint64_t sum = strlen(rows_string(r, r->head->node.name));
	const struct row_node *n = &r->head->node;
	sum += walk_list(r, n->admin_uids, n->nadmin_uids, 0);
	sum += walk_list(r, n->read_gids, n->nread_gids, 0);
	for (uint32_t i = 0; i < r->head->nrows; i++) {
		const struct row *row = &r->row[i];
		sum += strlen(rows_string(r, row->id)) +
		       strlen(rows_string(r, row->about));
		sum += strlen(strategy_names[row->strategy]) +
		       strlen(row_kind_names[row->kind]) +
		       strlen(ready_names[row->ready]) +
		       strlen(restart_type_names[row->restart]) +
		       strlen(auto_shutdown_names[row->auto_shutdown]);
		for (uint32_t k = 0; k < row->nafter; k++)
			sum += r->row[r->word[row->after + k]].flags;
		if (row->parent != ROW_NONE)
			sum += r->row[row->parent].flags;
		if (row->exec != ROW_NONE)
			sum += r->exec[row->exec].flags;
	}
	for (uint32_t i = 0; i < r->head->nexecs; i++) {
		const struct row_exec *e = &r->exec[i];
		sum += walk_list(r, e->argv, e->argc, 1) +
		       walk_list(r, e->env, e->nenv, 1);
		sum += walk_list(r, e->pre, e->npre, 1) +
		       walk_list(r, e->post, e->npost, 1);
		sum += walk_list(r, e->groups, e->ngroups, 0);
		sum += walk_list(r, e->rlimits, e->nrlimits * 5, 0);
		sum += walk_list(r, e->affinity, e->naffinity, 0);
		for (uint32_t k = 0; k < e->nsocks; k++)
			sum += r->sock[r->word[e->socks + k]].type;
		sum += strlen(rows_string(r, e->cwd));
	}
	for (uint32_t i = 0; i < r->head->nsocks; i++)
		sum += strlen(rows_string(r, r->sock[i].name)) +
		       strlen(rows_string(r, r->sock[i].path));
	return sum;
}

static void
equal_parts_are_kept_once(void **state)
{
	struct sample s = sample();
	const void *block;
	size_t size;
	struct rows r;
	(void)state;
	sample_make(&s, &block, &size);
	assert_int_equal(rows_check(block, size, &r, NULL), 0);
	assert_int_equal(r.head->nrows, 4);
	assert_int_equal(r.head->nexecs, 1);
	assert_int_equal(rows_find(&r, "api/web"), 3);
	assert_int_equal(rows_find(&r, "api/pool"), 1);
	assert_int_equal(rows_find(&r, "nobody"), ROW_NONE);
	rows_build_free(&s.b);
	rows_build_free(&s.b);
}

static void
a_block_is_mapped_from_a_file(void **state)
{
	struct sample s = sample();
	const void *block;
	size_t size;
	struct rows r = {0};
	struct err err = {0};
	(void)state;
	sample_make(&s, &block, &size);
	int fd = memfd_create("rows", MFD_CLOEXEC);
	assert_int_equal(write(fd, block, size), (ssize_t)size);
	assert_int_equal(rows_map(fd, &r, &err), 0);
	assert_string_equal(rows_string(&r, r.head->node.name), "web1");
	rows_unmap(&r);
	rows_unmap(&r);
	assert_int_equal(ftruncate(fd, (off_t)size - 8), 0);
	assert_int_equal(rows_map(fd, &r, &err), -1);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(rows_map(fd, &r, &err), -1);
	close(fd);
	assert_int_equal(rows_map(-1, &r, &err), -1);
	rows_build_free(&s.b);
}

static void
hashes_follow_contents(void **state)
{
	struct sample one = sample(), two = sample();
	const void *a, *b;
	size_t na, nb;
	struct rows ra, rb;
	(void)state;
	sample_make(&one, &a, &na);
	assert_int_equal(rows_check(a, na, &ra, NULL), 0);
	for (int i = 0; i < 4; i++) {
		two = sample();
		two.swap = i == 0;
		two.command = i == 1 ? "/bin/false" : two.command;
		two.log_keep = i == 2 ? 6 : two.log_keep;
		two.about = i == 3 ? "another" : two.about;
		sample_make(&two, &b, &nb);
		assert_int_equal(rows_check(b, nb, &rb, NULL), 0);
		/* Another order: nothing changed; a command: restart; log_keep: no restart;
		 * the application's text: the workers are the same. */
		assert_int_equal(ra.row[3].start_hash == rb.row[3].start_hash, i != 1);
		assert_int_equal(
		    ra.row[3].row_hash == rb.row[3].row_hash, i == 0 || i == 3);
		assert_int_equal(ra.row[0].row_hash == rb.row[0].row_hash, i != 3);
		assert_int_equal(ra.sock[0].hash == rb.sock[0].hash, 1);
		rows_build_free(&two.b);
	}
	rows_build_free(&one.b);
}

/* Every byte in many ways: refused, or safe to walk. */
static void
a_broken_byte_never_hurts(void **state)
{
	static const uint8_t flips[] = {
	    0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
	struct sample s = sample();
	const void *block;
	size_t size;
	struct rows r;
	struct err err;
	unsigned refused = 0;
	(void)state;
	sample_make(&s, &block, &size);
	unsigned char *copy = malloc(size);
	assert_non_null(copy);
	memcpy(copy, block, size);
	for (size_t i = 0; i < size; i++)
		for (size_t k = 0; k < COUNT(flips); k++) {
			copy[i] ^= flips[k];
			if (rows_check(copy, size, &r, &err) == 0)
				(void)walk(&r);
			else
				refused++;
			copy[i] ^= flips[k];
		}
	assert_true(refused > 1000);
	for (size_t n = 0; n < size; n++)
		assert_int_equal(rows_check(copy, n, &r, &err), -1);
	free(copy);
	rows_build_free(&s.b);
}

/* One wrong thing in a copy of the sample. */
static void
refuses(const void *block, size_t size, size_t offset, uint32_t value, size_t width)
{
	unsigned char *copy = malloc(size);
	struct rows r;
	struct err err;
	assert_non_null(copy);
	memcpy(copy, block, size);
	memcpy(copy + offset, &value, width);
	assert_int_equal(rows_check(copy, size, &r, &err), -1);
	assert_int_equal(err.kind, ERR_PROTO);
	free(copy);
}

static void
lies_are_refused(void **state)
{
	struct sample s = sample();
	const void *block;
	size_t size;
	struct rows r;
	(void)state;
	sample_make(&s, &block, &size);
	assert_int_equal(rows_check(block, size, &r, NULL), 0);
#define ROW_FIELD(i, f) \
	(r.head->rows_off + (i) * sizeof(struct row) + offsetof(struct row, f))
#define EXEC_FIELD(f) (r.head->execs_off + offsetof(struct row_exec, f))
#define SOCK_FIELD(f) (r.head->socks_off + offsetof(struct row_sock, f))
#define HEAD_FIELD(f) offsetof(struct rows_head, f)
	refuses(block, size, ROW_FIELD(0, parent), 0, 4);
	refuses(block, size, ROW_FIELD(0, strategy), SIMPLE_ONE_FOR_ONE, 1);
	refuses(block, size, ROW_FIELD(1, parent), 1, 4);
	refuses(block, size, ROW_FIELD(1, parent), ROW_NONE, 4);
	refuses(block, size, ROW_FIELD(1, strategy), ONE_FOR_ONE, 1);
	refuses(block, size, ROW_FIELD(1, intensity), INTENSITY_MAX + 1, 4);
	refuses(block, size, ROW_FIELD(1, exec), 0, 4);
	refuses(block, size, ROW_FIELD(2, parent), 0, 4);
	refuses(block, size, ROW_FIELD(2, kind), ROW_WORKER, 1);
	refuses(block, size, ROW_FIELD(3, kind), ROW_TEMPLATE, 1);
	refuses(block, size, ROW_FIELD(3, parent), 1, 4);
	refuses(block, size, ROW_FIELD(3, parent), 2, 4);
	refuses(block, size, ROW_FIELD(3, exec), ROW_NONE, 4);
	refuses(block, size, ROW_FIELD(3, exec), 1, 4);
	refuses(block, size, ROW_FIELD(3, nafter), 99, 4);
	refuses(block, size, ROW_FIELD(3, nafter), UINT32_MAX, 4);
	refuses(block, size, ROW_FIELD(3, id), r.row[0].id, 4);
	refuses(block, size, ROW_FIELD(3, id), r.head->strings_len, 4);
	refuses(block, size, ROW_FIELD(3, flags), 1U << 31, 4);
	refuses(block, size, ROW_FIELD(3, ready), READY_TCP, 1);
	refuses(block, size, ROW_FIELD(3, ready), READY_FD, 1);
	refuses(block, size, EXEC_FIELD(argc), 0, 4);
	refuses(block, size, EXEC_FIELD(argc), 513, 4);
	refuses(block, size, EXEC_FIELD(nenv), UINT32_MAX, 4);
	refuses(block, size, EXEC_FIELD(cwd), UINT32_MAX, 4);
	refuses(block, size, EXEC_FIELD(module), UINT32_MAX, 4);
	refuses(block, size, EXEC_FIELD(stop_signal), 0, 4);
	refuses(block, size, EXEC_FIELD(umask), 01000, 4);
	refuses(block, size, EXEC_FIELD(nrlimits), 17, 4);
	refuses(block, size, EXEC_FIELD(nrlimits), 0x33333334, 4);
	refuses(block, size, EXEC_FIELD(nsocks), ROW_SOCKS_MAX + 1, 4);
	refuses(block, size, EXEC_FIELD(log_kind), LOG_KIND_MAX, 4);
	refuses(block, size, SOCK_FIELD(addr_len), 0, 4);
	refuses(block, size, SOCK_FIELD(addr_len), 28, 4);
	refuses(block, size, SOCK_FIELD(type), 3, 4);
	refuses(block, size, SOCK_FIELD(name), 0, 4);
	refuses(block, size, HEAD_FIELD(nrows), 0x10000000, 4);
	refuses(block, size, HEAD_FIELD(nsocks), ROW_SOCKS_MAX + 1, 4);
	refuses(block, size, HEAD_FIELD(rows_off), 0, 4);
	refuses(block, size, HEAD_FIELD(strings_len), 0, 4);
	refuses(block, size, HEAD_FIELD(strings_off), (uint32_t)size, 4);
	refuses(block, size, HEAD_FIELD(version), ROWS_VERSION + 1, 4);
	rows_build_free(&s.b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_parts_are_kept_once),
	    cmocka_unit_test(a_block_is_mapped_from_a_file),
	    cmocka_unit_test(hashes_follow_contents),
	    cmocka_unit_test(a_broken_byte_never_hurts),
	    cmocka_unit_test(lies_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
