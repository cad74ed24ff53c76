#include <string.h>

#include "tests/sim/sim.h"

enum { NODES_MIN = 3, NODES_MORE = 9, RELOAD_MAX = 18 };

static int
one_in(uint64_t *seed, uint32_t n)
{
	return random_below(seed, n) == 0;
}

static uint64_t
pick(uint64_t *seed, const uint64_t *of, uint32_t n)
{
	return of[random_below(seed, n)];
}

static void
make_sup(struct row *r, uint64_t *seed)
{
	static const uint64_t period[] = {100, 5000, 5000, 60000};
	r->intensity =
	    one_in(seed, 12) ? (uint32_t)INTENSITY_INFINITY : random_below(seed, 5);
	r->period_ms = pick(seed, period, 4);
	r->strategy = (uint8_t)random_below(seed, 3);
	r->auto_shutdown = (uint8_t)(one_in(seed, 3) ? 1 + random_below(seed, 2) : 0);
	if (one_in(seed, 5))
		r->flags |= ROWF_STOP_ANY;
	if (r->kind == ROW_SUP && one_in(seed, 3))
		r->stop_ms = one_in(seed, 3) ? 0 : 300;
}

static void
make_worker(struct plan_node *n, uint64_t *seed)
{
	static const uint64_t stop[] = {0, 100, 5000, MS_INFINITY};
	static const uint64_t start[] = {50, 1000, MS_INFINITY, MS_INFINITY};
	struct row *r = &n->row;
	r->stop_ms = pick(seed, stop, 4);
	r->start_ms = pick(seed, start, 4);
	r->watchdog_ms = one_in(seed, 4) ? 200 : 0;
	r->ready = one_in(seed, 3) ? READY_NOTIFY : READY_NONE;
	if (one_in(seed, 3)) {
		r->backoff_min_ms = 10 + random_below(seed, 100);
		r->backoff_max_ms = r->backoff_min_ms * (1 + random_below(seed, 20));
	}
	if (one_in(seed, 6))
		r->flags |= ROWF_ONESHOT;
	if (one_in(seed, 4))
		r->success[0] = 1 << 7;
	n->npre = one_in(seed, 6) ? 1 : 0;
	n->npost = one_in(seed, 6) ? 1 : 0;
}

static void
make_after(struct plan *p, uint32_t k, uint64_t *seed)
{
	struct plan_node *n = &p->node[k];
	if (n->row.kind == ROW_TEMPLATE || k < 2 || !one_in(seed, 5))
		return;
	uint32_t other = random_below(seed, k);
	uint8_t kind = p->node[other].row.kind;
	/* nobody waits for a supervisor it stands in, nor an application for a worker */
	for (uint32_t i = n->row.parent; i != ROW_NONE; i = p->node[i].row.parent)
		if (i == other)
			return;
	if (kind == ROW_TEMPLATE || (n->row.kind == ROW_APP && kind != ROW_APP) ||
	    (n->row.kind != ROW_APP && kind == ROW_APP))
		return;
	n->after[0] = other;
	n->row.nafter = 1;
}

static void
make_policy(struct plan *p, struct row *r, uint64_t *seed)
{
	static const uint8_t restart[] = {
	    PERMANENT, PERMANENT, PERMANENT, TRANSIENT, TEMPORARY};
	r->restart = restart[random_below(seed, 5)];
	if (r->restart != PERMANENT && one_in(seed, 2) &&
	    p->node[r->parent].row.auto_shutdown != AUTO_NEVER)
		r->flags |= ROWF_SIGNIFICANT;
	if (one_in(seed, 20))
		r->flags |= ROWF_DISABLED;
	if (r->kind != ROW_TEMPLATE && one_in(seed, 10))
		r->flags |= ROWF_DYNAMIC;
}

/* A supervisor of the plan that may take another child, or ROW_NONE. */
static uint32_t
some_parent(const struct plan *p, uint64_t *seed)
{
	uint32_t start = random_below(seed, p->n);
	for (uint32_t n = 0; n < p->n; n++) {
		uint32_t k = (start + n) % p->n;
		const struct row *r = &p->node[k].row;
		if ((r->kind == ROW_APP || r->kind == ROW_SUP) &&
		    r->strategy != SIMPLE_ONE_FOR_ONE)
			return k;
	}
	return ROW_NONE;
}

static void
add_pool(struct plan *p, uint32_t i, uint64_t *seed)
{
	p->node[i].row.strategy = SIMPLE_ONE_FOR_ONE;
	struct plan_node *t = plan_add(p, ROW_TEMPLATE, i);
	make_worker(t, seed);
	make_policy(p, &t->row, seed);
	t->row.flags &= ~(uint32_t)(ROWF_DISABLED | ROWF_ONESHOT);
	t->row.instances = random_below(seed, 4);
}

static void
add_child(struct plan *p, uint64_t *seed)
{
	uint32_t i = some_parent(p, seed), at = p->n;
	int sup = one_in(seed, 4);
	struct plan_node *n = plan_add(p, sup ? ROW_SUP : ROW_WORKER, i);
	make_policy(p, &n->row, seed);
	if (!sup) {
		make_worker(n, seed);
	} else {
		make_sup(&n->row, seed);
		if (one_in(seed, 3))
			add_pool(p, at, seed);
	}
	make_after(p, at, seed);
}

static void
add_app(struct plan *p, uint64_t *seed)
{
	uint32_t at = p->n;
	struct row *r = &plan_add(p, ROW_APP, ROW_NONE)->row;
	make_sup(r, seed);
	r->restart = one_in(seed, 6) ? (uint8_t)random_below(seed, 3) : TEMPORARY;
	if (one_in(seed, 8))
		r->flags |= ROWF_LOADED_ONLY;
	if (one_in(seed, 10))
		r->lifespan_ms = 2000;
	make_after(p, at, seed);
}

void
sim_plan_make(struct plan *p, uint64_t *seed)
{
	p->n = 0;
	add_app(p, seed);
	if (one_in(seed, 3))
		add_app(p, seed);
	uint32_t n = NODES_MIN + random_below(seed, NODES_MORE);
	while (p->n < n)
		add_child(p, seed);
}

/* --- another configuration --------------------------------------------------------- */

/* Takes node k out, with all below it and every `after` that points there. */
static void
cut_out(struct plan *p, uint32_t k)
{
	static struct plan next;
	uint32_t to[PLAN_MAX];
	next.n = 0;
	for (uint32_t i = 0; i < p->n; i++) {
		const struct plan_node *n = &p->node[i];
		uint32_t above = n->row.parent;
		to[i] = ROW_NONE;
		if (i == k || (above != ROW_NONE && to[above] == ROW_NONE))
			continue;
		to[i] = next.n;
		struct plan_node *c = &next.node[next.n++];
		*c = *n;
		if (above != ROW_NONE)
			c->row.parent = to[above];
		if (n->row.nafter > 0 && to[n->after[0]] == ROW_NONE)
			c->row.nafter = 0;
		else if (n->row.nafter > 0)
			c->after[0] = to[n->after[0]];
	}
	*p = next;
}

/* A name nobody has. */
static uint32_t
fresh_name(const struct plan *p)
{
	uint32_t name = 0;
	for (uint32_t k = 0; k < p->n; k++)
		name = p->node[k].name >= name ? p->node[k].name + 1 : name;
	return name;
}

static void
change_one(struct plan *p, uint64_t *seed)
{
	uint32_t k = random_below(seed, p->n), before = p->n, name = fresh_name(p);
	struct plan_node *n = &p->node[k];
	switch (random_below(seed, 8)) {
	case 0:
	case 1:
		if (p->n + 2 >= RELOAD_MAX || some_parent(p, seed) == ROW_NONE)
			return;
		add_child(p, seed);
		for (uint32_t i = before; i < p->n; i++)
			p->node[i].name = name++;
		return;
	case 2:
		if (n->row.kind != ROW_TEMPLATE && k > 0)
			cut_out(p, k);
		return;
	case 3:
	case 4:
		n->version++;
		return;
	case 5:
		n->row.instances =
		    n->row.kind == ROW_TEMPLATE ? random_below(seed, 5) : 0;
		return;
	case 6:
		if (n->row.kind == ROW_SUP || n->row.kind == ROW_APP) {
			n->row.intensity = random_below(seed, 6);
			if (n->row.strategy != SIMPLE_ONE_FOR_ONE)
				n->row.strategy = (uint8_t)random_below(seed, 3);
		}
		return;
	default:
		if (p->n + 2 < RELOAD_MAX && one_in(seed, 3)) {
			add_app(p, seed);
			p->node[before].name = name;
		} else if (n->row.kind == ROW_WORKER) {
			n->row.restart = (uint8_t)random_below(seed, 2);
			n->row.flags &= ~(uint32_t)ROWF_SIGNIFICANT;
		}
	}
}

void
sim_plan_change(struct plan *p, uint64_t *seed)
{
	for (uint32_t n = 1 + random_below(seed, 3); n > 0; n--)
		change_one(p, seed);
}

void
sim_plan_match(
    const struct rows *now, const struct rows *next, uint32_t old_row[PLAN_MAX])
{
	for (uint32_t r = 0; r < now->head->nrows; r++) {
		const struct row *a = &now->row[r];
		uint32_t k = rows_find(next, rows_string(now, a->id));
		uint32_t above =
		    a->parent == ROW_NONE ? (uint32_t)ROW_NONE : old_row[a->parent];
		int same = k != ROW_NONE && row_continues(a, &next->row[k]) &&
			   next->row[k].parent == above &&
			   (a->parent == ROW_NONE || above != ROW_NONE);
		old_row[r] = same ? k : (uint32_t)ROW_NONE;
	}
}
