/*
 * rows_check: the one place where a block of rows is distrusted.  Everything later may
 * follow an index without looking.  It reads the block only, and keeps no more than one
 * bit a row.
 */
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/str.h"
#include "base/util.h"
#include "rows/rows.h"

#define ROW_FLAGS                                                         \
	(ROWF_DISABLED | ROWF_SIGNIFICANT | ROWF_ONESHOT | ROWF_DYNAMIC | \
	    ROWF_LOADED_ONLY | ROWF_IMPLICIT | ROWF_STOP_ANY)
#define EXEC_FLAGS                                                        \
	(EXECF_USER | EXECF_NICE | EXECF_OOM | EXECF_UMASK | EXECF_CAPS | \
	    EXECF_NO_NEW_PRIVS | EXECF_LOG_TIME | EXECF_LOG_ZSTD | EXECF_MERGE_ENV)

enum { CPU_WORDS_MAX = 32, GROUPS_MAX = 65536, LIMIT_WORDS = 5 };

static int
bad(struct err *err, const char *what, uint32_t i)
{
	return err_set(err, ERR_PROTO, "rows: %s %u is wrong", what, i);
}

/* An array inside the block: 8-aligned, behind the head, whole. */
static int
array_fits(const struct rows_head *h, uint32_t off, uint32_t n, size_t element)
{
	uint64_t end = (uint64_t)off + (uint64_t)n * element;
	return off >= sizeof *h && off % 8 == 0 && end <= h->size;
}

static int
head_check(const struct rows_head *h, size_t size, struct err *err)
{
	if (h->magic != ROWS_MAGIC || h->version != ROWS_VERSION)
		return err_set(
		    err, ERR_PROTO, "rows: not a block of version %d", ROWS_VERSION);
	if (h->size != size)
		return err_set(err, ERR_PROTO, "rows: size %u, but %zu bytes are there",
		    h->size, size);
	if (h->nrows > ROWS_MAX || h->nexecs > ROWS_MAX || h->nsocks > ROW_SOCKS_MAX)
		return err_set(err, ERR_PROTO, "rows: more than %d", ROWS_MAX);
	if (!array_fits(h, h->rows_off, h->nrows, sizeof(struct row)) ||
	    !array_fits(h, h->execs_off, h->nexecs, sizeof(struct row_exec)) ||
	    !array_fits(h, h->socks_off, h->nsocks, sizeof(struct row_sock)) ||
	    !array_fits(h, h->words_off, h->nwords, sizeof(uint32_t)) ||
	    !array_fits(h, h->strings_off, h->strings_len, 1) || h->strings_len == 0)
		return err_set(err, ERR_PROTO, "rows: an array lies outside");
	const char *strings = (const char *)h + h->strings_off;
	if (strings[0] != '\0' || strings[h->strings_len - 1] != '\0')
		return err_set(err, ERR_PROTO, "rows: the strings have no end");
	return 0;
}

/* The last byte of all strings is NUL, so each offset inside has its end. */
static int
is_string(const struct rows *r, uint32_t off)
{
	return off < r->head->strings_len;
}

static int
is_list(const struct rows *r, uint32_t list, uint32_t n, uint32_t max)
{
	return n <= max && list <= r->head->nwords && n <= r->head->nwords - list;
}

static int
are_strings(const struct rows *r, uint32_t list, uint32_t n, uint32_t max)
{
	if (!is_list(r, list, n, max))
		return 0;
	for (uint32_t i = 0; i < n; i++)
		if (!is_string(r, r->word[list + i]))
			return 0;
	return 1;
}

/* An address is whole and of a family we know. */
static int
is_address(const uint8_t *bytes, uint32_t len)
{
	uint16_t family;
	memcpy(&family, bytes, sizeof family);
	return (family == AF_INET && len == sizeof(struct sockaddr_in)) ||
	       (family == AF_INET6 && len == sizeof(struct sockaddr_in6));
}

/* A command: nothing where that is allowed, else words that begin with a path. */
static int
is_command(const struct rows *r, uint32_t list, uint32_t n, int may_be_empty)
{
	if (!are_strings(r, list, n, ROW_ARGV_MAX))
		return 0;
	return n == 0 ? may_be_empty : rows_list_string(r, list, 0)[0] == '/';
}

static int
are_variables(const struct rows *r, uint32_t list, uint32_t n)
{
	if (!are_strings(r, list, n, ROW_ARGV_MAX))
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		const char *s = rows_list_string(r, list, i);
		const char *equals = strchr(s, '=');
		if (equals == NULL || equals == s)
			return 0;
	}
	return 1;
}

static int
limits_fit(const struct rows *r, const struct row_exec *e)
{
	if (e->nrlimits > RLIM_NLIMITS ||
	    !is_list(
		r, e->rlimits, e->nrlimits * LIMIT_WORDS, RLIM_NLIMITS * LIMIT_WORDS))
		return 0;
	for (uint32_t i = 0; i < e->nrlimits; i++)
		if (r->word[e->rlimits + i * LIMIT_WORDS] >= RLIM_NLIMITS)
			return 0;
	return 1;
}

static int
socks_fit(const struct rows *r, const struct row_exec *e)
{
	if (!is_list(r, e->socks, e->nsocks, ROW_SOCKS_MAX))
		return 0;
	for (uint32_t i = 0; i < e->nsocks; i++)
		if (r->word[e->socks + i] >= r->head->nsocks)
			return 0;
	return 1;
}

static int
numbers_fit(const struct row_exec *e)
{
	return (e->flags & ~(uint32_t)EXEC_FLAGS) == 0 && e->umask <= 0777 &&
	       e->nice >= -20 && e->nice <= 19 && e->oom_score_adj >= -1000 &&
	       e->oom_score_adj <= 1000 && e->stop_signal >= 1 &&
	       e->stop_signal <= SIGRTMAX && e->ready_fd >= 0 &&
	       e->ready_fd <= UINT16_MAX && e->log_kind < LOG_KIND_MAX &&
	       (e->ready_addr_len == 0 || is_address(e->ready_addr, e->ready_addr_len));
}

static int
exec_check(const struct rows *r, uint32_t i, struct err *err)
{
	const struct row_exec *e = &r->exec[i];
	if (!is_command(r, e->argv, e->argc, 0))
		return bad(err, "command", i);
	if (!is_command(r, e->pre, e->npre, 1) || !is_command(r, e->post, e->npost, 1))
		return bad(err, "pre_start or post_stop", i);
	if (!are_variables(r, e->env, e->nenv))
		return bad(err, "environment", i);
	if (!is_string(r, e->module) ||
	    (e->module != 0 && rows_string(r, e->module)[0] != '/'))
		return bad(err, "module", i);
	if (!is_string(r, e->cwd) || (e->cwd != 0 && rows_string(r, e->cwd)[0] != '/' &&
					 rows_string(r, e->cwd)[0] != '\0'))
		return bad(err, "directory", i);
	if (!is_list(r, e->groups, e->ngroups, GROUPS_MAX) ||
	    !is_list(r, e->affinity, e->naffinity, CPU_WORDS_MAX))
		return bad(err, "groups or cpus", i);
	if (!limits_fit(r, e))
		return bad(err, "limits", i);
	if (!socks_fit(r, e))
		return bad(err, "sockets", i);
	if (!numbers_fit(e))
		return bad(err, "a number of command", i);
	return 0;
}

static int
sock_check(const struct rows *r, uint32_t i, struct err *err)
{
	const struct row_sock *s = &r->sock[i];
	if (!is_string(r, s->name) || !is_string(r, s->path))
		return bad(err, "socket", i);
	const char *name = rows_string(r, s->name), *path = rows_string(r, s->path);
	if (!str_is_id_part(name, strnlen(name, ROW_PART_MAX + 1)))
		return bad(err, "name of socket", i);
	if (s->addr_len == 0 ? path[0] != '/' : !is_address(s->addr, s->addr_len))
		return bad(err, "address of socket", i);
	if (s->addr_len != 0 && path[0] != '\0')
		return bad(err, "path of socket", i);
	if (s->type != SOCK_STREAM && s->type != SOCK_DGRAM &&
	    s->type != SOCK_SEQPACKET)
		return bad(err, "type of socket", i);
	if (s->mode > 0777 || s->backlog > INT32_MAX)
		return bad(err, "mode or backlog of socket", i);
	return 0;
}

static int
node_check(const struct rows *r, struct err *err)
{
	const struct row_node *n = &r->head->node;
	if (!is_string(r, n->name) || n->log_level > 3 || n->cgroups > 1)
		return err_set(err, ERR_PROTO, "rows: the node is wrong");
	if (!is_list(r, n->read_uids, n->nread_uids, UINT32_MAX) ||
	    !is_list(r, n->read_gids, n->nread_gids, UINT32_MAX) ||
	    !is_list(r, n->operate_uids, n->noperate_uids, UINT32_MAX) ||
	    !is_list(r, n->operate_gids, n->noperate_gids, UINT32_MAX) ||
	    !is_list(r, n->admin_uids, n->nadmin_uids, UINT32_MAX) ||
	    !is_list(r, n->admin_gids, n->nadmin_gids, UINT32_MAX))
		return err_set(err, ERR_PROTO, "rows: the roles lie outside");
	return 0;
}

/* "api" for an application, "api/name" with the application of the parent below it. */
static int
id_fits(const struct rows *r, const struct row *row)
{
	const char *id = rows_string(r, row->id);
	size_t len = strnlen(id, ROW_ID_MAX);
	const char *slash = memchr(id, '/', len);
	if (row->kind == ROW_APP)
		return str_is_id_part(id, len);
	if (slash == NULL || !str_is_id_part(id, (size_t)(slash - id)) ||
	    !str_is_id_part(slash + 1, len - (size_t)(slash + 1 - id)))
		return 0;
	const char *above = rows_string(r, r->row[row->parent].id);
	size_t app = (size_t)(slash - id);
	return memcmp(above, id, app) == 0 && (above[app] == '/' || above[app] == '\0');
}

/* Who may stand below whom; `taken` has the pools that have their template. */
static int
place_fits(const struct rows *r, uint32_t i, uint8_t *taken)
{
	const struct row *row = &r->row[i];
	if (row->kind == ROW_APP)
		return row->parent == ROW_NONE && row->strategy != SIMPLE_ONE_FOR_ONE;
	if (row->parent >= i)
		return 0;
	const struct row *above = &r->row[row->parent];
	if (above->kind != ROW_APP && above->kind != ROW_SUP)
		return 0;
	if ((row->kind == ROW_TEMPLATE) != (above->strategy == SIMPLE_ONE_FOR_ONE))
		return 0;
	if (row->kind != ROW_TEMPLATE)
		return 1;
	uint8_t bit = (uint8_t)(1 << row->parent % 8);
	if ((taken[row->parent / 8] & bit) != 0)
		return 0;
	taken[row->parent / 8] |= bit;
	return 1;
}

static int
enums_fit(const struct row *row)
{
	int has_children = row->kind == ROW_APP || row->kind == ROW_SUP;
	return row->kind < ROW_KIND_MAX && row->strategy < STRATEGY_MAX &&
	       row->restart < RESTART_TYPE_MAX && row->auto_shutdown < AUTO_MAX &&
	       row->ready < READY_MAX && (row->flags & ~(uint32_t)ROW_FLAGS) == 0 &&
	       (row->intensity <= INTENSITY_MAX ||
		   row->intensity == INTENSITY_INFINITY) &&
	       row->instances <= ROWS_MAX &&
	       (has_children || row->strategy == ONE_FOR_ONE);
}

static int
after_fits(const struct rows *r, uint32_t i)
{
	const struct row *row = &r->row[i];
	if (!is_list(r, row->after, row->nafter, ROWS_MAX))
		return 0;
	for (uint32_t k = 0; k < row->nafter; k++) {
		uint32_t other = r->word[row->after + k];
		if (other >= r->head->nrows || other == i)
			return 0;
		if (row->kind == ROW_APP &&
		    (other > i || r->row[other].kind != ROW_APP))
			return 0;
	}
	return 1;
}

/* A worker has a process, and what its readiness needs. */
static int
process_fits(const struct rows *r, const struct row *row)
{
	if (row->kind == ROW_APP || row->kind == ROW_SUP)
		return row->exec == ROW_NONE;
	if (row->exec >= r->head->nexecs)
		return 0;
	const struct row_exec *e = &r->exec[row->exec];
	return (row->ready != READY_TCP || e->ready_addr_len != 0) &&
	       (row->ready != READY_FD || e->ready_fd >= 3) &&
	       row->backoff_min_ms <= row->backoff_max_ms;
}

static int
row_check(const struct rows *r, uint32_t i, uint8_t *taken, struct err *err)
{
	const struct row *row = &r->row[i];
	if (!enums_fit(row))
		return bad(err, "a choice of row", i);
	if (!is_string(r, row->id) || !is_string(r, row->about) ||
	    !is_string(r, row->version))
		return bad(err, "a text of row", i);
	if (!place_fits(r, i, taken))
		return bad(err, "the place of row", i);
	if (!id_fits(r, row))
		return bad(err, "the id of row", i);
	if (!after_fits(r, i))
		return bad(err, "`after` of row", i);
	if (!process_fits(r, row))
		return bad(err, "the process of row", i);
	return 0;
}

static int
rows_each(const struct rows *r, struct err *err)
{
	uint8_t taken[ROWS_MAX / 8 + 1] = {0};
	uint32_t sups = 0;
	for (uint32_t i = 0; i < r->head->nrows; i++) {
		if (row_check(r, i, taken, err) < 0)
			return -1;
		if (r->row[i].kind == ROW_APP || r->row[i].kind == ROW_SUP)
			sups++;
	}
	if (sups > ROW_SUPS_MAX)
		return err_set(
		    err, ERR_PROTO, "rows: more than %d supervisors", ROW_SUPS_MAX);
	for (uint32_t i = 0; i < r->head->nrows; i++)
		if (r->row[i].strategy == SIMPLE_ONE_FOR_ONE &&
		    (taken[i / 8] & 1 << i % 8) == 0)
			return bad(err, "the template of row", i);
	return 0;
}

int
rows_check(const void *block, size_t size, struct rows *out, struct err *err)
{
	const struct rows_head *h = block;
	const char *bytes = block;
	if (size < sizeof *h || size > ROWS_SIZE_MAX || (uintptr_t)block % 8 != 0)
		return err_set(err, ERR_PROTO, "rows: %zu bytes are no block", size);
	if (head_check(h, size, err) < 0)
		return -1;
	struct rows r = {
	    .head = h,
	    .row = (const struct row *)(const void *)(bytes + h->rows_off),
	    .exec = (const struct row_exec *)(const void *)(bytes + h->execs_off),
	    .sock = (const struct row_sock *)(const void *)(bytes + h->socks_off),
	    .word = (const uint32_t *)(const void *)(bytes + h->words_off),
	    .string = bytes + h->strings_off,
	};
	if (node_check(&r, err) < 0)
		return -1;
	for (uint32_t i = 0; i < h->nsocks; i++)
		if (sock_check(&r, i, err) < 0)
			return -1;
	for (uint32_t i = 0; i < h->nexecs; i++)
		if (exec_check(&r, i, err) < 0)
			return -1;
	if (rows_each(&r, err) < 0)
		return -1;
	*out = r;
	return 0;
}
