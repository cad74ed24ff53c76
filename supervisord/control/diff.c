#include "control/diff.h"
#include "base/util.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Indices of rows or sockets, in the order of their names. */
struct order {
	const struct rows *rows;
	uint32_t *list; /* owned */
	uint32_t n;
};

static int
by_id(const void *a, const void *b, void *arg)
{
	const struct rows *r = arg;
	const uint32_t *x = a, *y = b;
	return strcmp(rows_string(r, r->row[*x].id), rows_string(r, r->row[*y].id));
}

static int
by_name(const void *a, const void *b, void *arg)
{
	const struct rows *r = arg;
	const uint32_t *x = a, *y = b;
	return strcmp(
	    rows_string(r, r->sock[*x].name), rows_string(r, r->sock[*y].name));
}

/* The rows as `qsort_r` wants them; it does not change them. */
static void *
loose(const struct rows *rows)
{
	return unconst(rows);
}

static struct order
order_new(
    const struct rows *rows, uint32_t n, int (*cmp)(const void *, const void *, void *))
{
	struct order o = {.rows = rows, .n = n};
	o.list = calloc((size_t)n + 1, sizeof *o.list);
	must(o.list != NULL);
	for (uint32_t i = 0; i < n; i++)
		o.list[i] = i;
	qsort_r(o.list, n, sizeof *o.list, cmp, loose(rows));
	return o;
}

/* An implicit pool and its template stand for one thing that a person wrote. */
static int
is_shown(const struct row *row)
{
	return (row->flags & ROWF_IMPLICIT) == 0 || row->kind != ROW_SUP;
}

struct lists {
	struct json *added, *removed, *restarted, *swapped, *changed;
};

/* Another module takes the place of its own while it runs. */
static int
module_differs(const struct rows *old, const struct row *a, const struct rows *new,
    const struct row *b)
{
	return a->exec != ROW_NONE && b->exec != ROW_NONE &&
	       strcmp(rows_string(old, old->exec[a->exec].module),
		   rows_string(new, new->exec[b->exec].module)) != 0;
}

static void
diff_row(const struct rows *old, const struct row *a, const struct rows *new,
    const struct row *b, struct lists *out)
{
	must(a != NULL || b != NULL);
	if (a == NULL && is_shown(b))
		json_push_str(out->added, rows_string(new, b->id));
	else if (b == NULL && is_shown(a))
		json_push_str(out->removed, rows_string(old, a->id));
	else if (a == NULL || b == NULL || a->row_hash == b->row_hash)
		return;
	else if (a->kind != b->kind ||
		 (a->start_hash != b->start_hash &&
		     (b->kind == ROW_WORKER || b->kind == ROW_TEMPLATE)))
		json_push_str(out->restarted, rows_string(new, b->id));
	else if (module_differs(old, a, new, b))
		json_push_str(out->swapped, rows_string(new, b->id));
	else
		json_push_str(out->changed, rows_string(new, b->id));
}

static void
merge_rows(const struct order *a, const struct order *b, struct lists *out)
{
	uint32_t i = 0, j = 0;
	while (i < a->n || j < b->n) {
		const struct row *x = i < a->n ? &a->rows->row[a->list[i]] : NULL;
		const struct row *y = j < b->n ? &b->rows->row[b->list[j]] : NULL;
		int order = x == NULL	? 1
			    : y == NULL ? -1
					: strcmp(rows_string(a->rows, x->id),
					      rows_string(b->rows, y->id));
		if (order < 0)
			y = NULL;
		if (order > 0)
			x = NULL;
		diff_row(a->rows, x, b->rows, y, out);
		i += x != NULL;
		j += y != NULL;
	}
}

static const struct row_sock *
sock_at(const struct order *o, uint32_t i)
{
	return i < o->n ? &o->rows->sock[o->list[i]] : NULL;
}

/* Like strcmp; what is not there stands behind everything. */
static int
sock_order(const struct order *a, const struct row_sock *x, const struct order *b,
    const struct row_sock *y)
{
	if (x == NULL || y == NULL)
		return x == NULL ? 1 : -1;
	return strcmp(rows_string(a->rows, x->name), rows_string(b->rows, y->name));
}

static struct json *
diff_socks(const struct order *a, const struct order *b)
{
	struct json *list = json_array();
	uint32_t i = 0, j = 0;
	while (i < a->n || j < b->n) {
		const struct row_sock *x = sock_at(a, i), *y = sock_at(b, j);
		int order = sock_order(a, x, b, y);
		int differs = x == NULL || y == NULL || x->hash != y->hash;
		if (order <= 0 && differs && x != NULL)
			json_push_str(list, rows_string(a->rows, x->name));
		else if (order > 0 && y != NULL)
			json_push_str(list, rows_string(b->rows, y->name));
		i += order <= 0;
		j += order >= 0;
	}
	return list;
}

void
diff_rows(const struct rows *old, const struct rows *new, struct json *result)
{
	struct order a = order_new(old, old->head->nrows, by_id);
	struct order b = order_new(new, new->head->nrows, by_id);
	struct order sa = order_new(old, old->head->nsocks, by_name);
	struct order sb = order_new(new, new->head->nsocks, by_name);
	struct lists out = {
	    json_array(), json_array(), json_array(), json_array(), json_array()};
	merge_rows(&a, &b, &out);
	json_set(result, "added", out.added);
	json_set(result, "removed", out.removed);
	json_set(result, "restarted", out.restarted);
	json_set(result, "swapped", out.swapped);
	json_set(result, "changed", out.changed);
	json_set(result, "sockets", diff_socks(&sa, &sb));
	free(a.list);
	free(b.list);
	free(sa.list);
	free(sb.list);
}
