/* Draws a case: small trees, so that what happens in one place is seen in another. */
#include <string.h>

#include "case.h"

enum { NODES_MAX = 14, DEPTH_MAX = 3, CHILDREN_MAX = 4 };

enum { PERIOD_MS = 1000 * 1000 * 1000 };

static uint32_t
below(struct ocase *c, uint32_t n)
{
	return random_below(&c->seed, n);
}

static int
percent(struct ocase *c, uint32_t n)
{
	return below(c, 100) < n;
}

static void
make_flags(struct ocase *c, struct row *r)
{
	static const uint32_t intensity[] = {0, 1, 1, 2, 2, 3, 5, 8};
	r->intensity = intensity[below(c, 8)];
	r->period_ms = PERIOD_MS;
	if (percent(c, 40))
		r->auto_shutdown = (uint8_t)(1 + below(c, 2));
}

static void
make_child_policy(struct ocase *c, struct row *r)
{
	static const uint8_t restart[] = {
	    PERMANENT, PERMANENT, PERMANENT, TRANSIENT, TRANSIENT, TEMPORARY};
	const struct row *above = &c->plan.node[r->parent].row;
	r->restart = restart[below(c, 6)];
	if (r->restart != PERMANENT && above->auto_shutdown != AUTO_NEVER &&
	    percent(c, 60))
		r->flags |= ROWF_SIGNIFICANT;
	if (r->kind != ROW_SUP && percent(c, 20))
		r->stop_ms = percent(c, 50) ? 0 : MS_INFINITY;
}

static void
make_pool(struct ocase *c, struct row *r)
{
	uint32_t i = c->plan.n - 1;
	r->strategy = SIMPLE_ONE_FOR_ONE;
	struct row *t = &plan_add(&c->plan, ROW_TEMPLATE, i)->row;
	make_child_policy(c, t);
}

static void
make_children(struct ocase *c, uint32_t i, uint32_t depth)
{
	uint32_t n = 1 + below(c, CHILDREN_MAX);
	for (uint32_t k = 0; k < n && c->plan.n + 1 < NODES_MAX; k++) {
		int sup = depth < DEPTH_MAX && percent(c, 30);
		uint32_t at = c->plan.n;
		struct row *r = &plan_add(&c->plan, sup ? ROW_SUP : ROW_WORKER, i)->row;
		if (sup)
			make_flags(c, r);
		make_child_policy(c, r);
		if (percent(c, 12))
			r->flags |= ROWF_DYNAMIC;
		if (!sup)
			continue;
		r->strategy = (uint8_t)below(c, 3);
		if (percent(c, 30))
			make_pool(c, r);
		else
			make_children(c, at, depth + 1);
	}
}

static int
is_kind(const struct ocase *c, uint32_t k, enum row_kind kind)
{
	return c->plan.node[k].row.kind == kind;
}

/* Any row but the application. */
static uint32_t
any_row(struct ocase *c)
{
	return 1 + below(c, c->plan.n - 1);
}

static uint32_t
any_leaf(struct ocase *c)
{
	uint32_t k = any_row(c);
	while (is_kind(c, k, ROW_SUP))
		k = k + 1 < c->plan.n ? k + 1 : 1;
	return k;
}

static struct key
any_key(struct ocase *c, uint32_t row)
{
	int instance = is_kind(c, row, ROW_TEMPLATE);
	return (struct key){.row = row, .tag = instance ? 1 + below(c, 4) : NO_TAG};
}

static enum why
any_why(struct ocase *c)
{
	return percent(c, 65) ? WHY_CRASH : (enum why)below(c, 2);
}

static uint32_t
worker_sibling(struct ocase *c, uint32_t row)
{
	uint32_t start = below(c, c->plan.n);
	for (uint32_t n = 0; n < c->plan.n; n++) {
		uint32_t k = (start + n) % c->plan.n;
		if (k != row && is_kind(c, k, ROW_WORKER) &&
		    c->plan.node[k].row.parent == c->plan.node[row].row.parent)
			return k;
	}
	return ROW_NONE;
}

static void
make_hooks(struct ocase *c)
{
	for (uint32_t n = below(c, CASE_HOOKS + 1); n > 0; n--) {
		uint32_t row = any_leaf(c), other = worker_sibling(c, row);
		if (!is_kind(c, row, ROW_WORKER) || other == ROW_NONE)
			continue;
		c->hook[c->nhooks++] = (struct hook){
		    .at_stop = percent(c, 50),
		    .row = row,
		    .nth = 1 + below(c, 3),
		    .victim = {.key = {.row = other}, .why = any_why(c)},
		};
	}
}

/* One or several at once; those of a pool one at a time, they have no order. */
static void
make_deaths(struct ocase *c, struct script *e)
{
	e->type = DO_DIE;
	e->victim[0].key = any_key(c, any_leaf(c));
	e->victim[0].why = any_why(c);
	e->nvictims = 1;
	if (e->victim[0].key.tag != NO_TAG)
		return;
	uint32_t more = percent(c, 30) ? 1 + below(c, CASE_VICTIMS - 1) : 0;
	while (more-- > 0) {
		uint32_t k = worker_sibling(c, e->victim[0].key.row);
		if (k == ROW_NONE || (e->nvictims == 2 && k == e->victim[1].key.row))
			return;
		e->victim[e->nvictims++] =
		    (struct victim){.key = {.row = k}, .why = any_why(c)};
	}
}

static void
make_event(struct ocase *c, struct script *e, uint32_t *tag)
{
	uint32_t dice = below(c, 100);
	memset(e, 0, sizeof *e);
	if (dice < 50) {
		make_deaths(c, e);
	} else if (dice < 60) {
		e->type = DO_FAIL;
		e->key.row = any_leaf(c);
		e->count = 1 + below(c, 3);
	} else if (dice < 75) {
		e->type = DO_START_CHILD;
		e->key.row = any_row(c);
		for (uint32_t n = 0; n < 8; n++) { /* most like those it is for */
			if (is_kind(c, e->key.row, ROW_TEMPLATE) ||
			    c->plan.node[e->key.row].row.flags & ROWF_DYNAMIC)
				break;
			e->key.row = any_row(c);
		}
		if (is_kind(c, e->key.row, ROW_TEMPLATE))
			e->key.tag = ++*tag;
	} else {
		e->type = (enum script_type)(DO_TERMINATE + below(c, 3));
		e->key = any_key(c, any_row(c));
	}
}

void
case_make(struct ocase *c, uint64_t seed)
{
	memset(c, 0, sizeof *c);
	c->seed = seed;
	struct row *app = &plan_add(&c->plan, ROW_APP, ROW_NONE)->row;
	make_flags(c, app);
	app->strategy = (uint8_t)below(c, 3);
	app->restart = TEMPORARY;
	make_children(c, 0, 1);
	if (percent(c, 15))
		c->fails[any_leaf(c)] = 1 + below(c, 2);
	make_hooks(c);
	uint32_t tag = 0;
	c->nevents = 1 + below(c, CASE_EVENTS);
	for (uint32_t k = 0; k < c->nevents; k++)
		make_event(c, &c->event[k], &tag);
}
