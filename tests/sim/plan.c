#include "tests/sim/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { STOP_TERM = 15 };

struct plan_node *
plan_add(struct plan *p, enum row_kind kind, uint32_t parent)
{
	if (p->n == PLAN_MAX)
		abort();
	struct plan_node *n = &p->node[p->n];
	memset(n, 0, sizeof *n);
	n->name = p->n++;
	n->row.kind = (uint8_t)kind;
	n->row.parent = parent;
	n->row.intensity = 1;
	n->row.period_ms = 5000;
	n->row.stop_ms = kind == ROW_SUP || kind == ROW_APP ? MS_INFINITY : 5000;
	n->row.start_ms = MS_INFINITY;
	n->row.lifespan_ms = MS_INFINITY;
	if (kind == ROW_APP)
		n->row.restart = TEMPORARY;
	return n;
}

static void
node_id(const struct plan *p, uint32_t k, char *buf, size_t cap)
{
	uint32_t app = k;
	while (p->node[app].row.parent != ROW_NONE)
		app = p->node[app].row.parent;
	if (app == k)
		(void)snprintf(buf, cap, "a%u", p->node[k].name);
	else
		(void)snprintf(buf, cap, "a%u/n%u", p->node[app].name, p->node[k].name);
}

static uint32_t
node_exec(struct rows_build *b, const struct plan_node *n)
{
	char version[16];
	(void)snprintf(version, sizeof version, "%u", n->version);
	const char *argv[] = {"/bin/worker", version};
	const char *hook[] = {"/bin/hook"};
	struct row_exec e = {.stop_signal = STOP_TERM};
	e.argv = rows_build_strings(b, argv, e.argc = 2);
	if ((e.npre = n->npre) > 0)
		e.pre = rows_build_strings(b, hook, 1);
	if ((e.npost = n->npost) > 0)
		e.post = rows_build_strings(b, hook, 1);
	return rows_build_exec(b, &e);
}

static void
fail(const char *what)
{
	(void)fprintf(stderr, "plan: %s\n", what);
	abort();
}

void
plan_build(const struct plan *p, struct plan_rows *out)
{
	struct rows_build *b = rows_build_new();
	struct err err = {0};
	if (b == NULL)
		fail("out of memory");
	for (uint32_t k = 0; k < p->n; k++) {
		const struct plan_node *n = &p->node[k];
		struct row r = n->row;
		char id[ROW_ID_MAX];
		node_id(p, k, id, sizeof id);
		r.id = rows_build_string(b, id);
		r.after = rows_build_list(b, n->after, r.nafter);
		r.exec = r.kind == ROW_APP || r.kind == ROW_SUP ? (uint32_t)ROW_NONE
								: node_exec(b, n);
		(void)rows_build_row(b, &r);
	}
	const void *block;
	size_t size;
	if (rows_build_finish(b, &block, &size, &err) < 0 ||
	    rows_check(block, size, &out->rows, &err) < 0)
		fail(err.msg);
	out->b = b;
}

void
plan_rows_drop(struct plan_rows *r)
{
	if (r->b != NULL)
		rows_build_free(&r->b);
}
