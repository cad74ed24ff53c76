#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tests/sim/sim.h"

static const struct slot *
at(const struct sim *s, uint32_t i)
{
	return world_slot(s->w, i);
}

static const struct row *
row_at(const struct sim *s, uint32_t i)
{
	const struct tree *t = &s->w->t;
	const struct rows *r = at(s, i)->flags & SF_OLD_ROW ? t->old : t->rows;
	return &r->row[at(s, i)->row];
}

void
model_reset(struct sim *s)
{
	memset(s->opinion, 0, s->nslots * sizeof s->opinion[0]);
	s->seen_event = s->w->t.st->head.event_n;
	for (uint32_t i = 0; i < s->nslots; i++)
		s->parent_of[i] = SLOT_NONE;
}

/* Who is down by a policy that another configuration changes stays down. */
void
model_reload(struct sim *s)
{
	for (uint32_t i = 1; i < s->w->t.st->head.core.slots_used; i++) {
		const struct slot *c = at(s, i);
		s->opinion[i].reloaded = 1;
		if (c->kind != SLOT_FREE && c->child == CH_UNDEFINED &&
		    row_at(s, i)->restart != PERMANENT)
			s->opinion[i].may_be_down = 1;
	}
}

/* --- order -------------------------------------------------------------------------- */

static int
passed_over(const struct slot *c)
{
	return (c->flags & (SF_HELD | SF_DISABLED | SF_FORGOTTEN | SF_REMOVE)) != 0;
}

static int
has_life(const struct slot *c)
{
	return c->phase != PH_DOWN && c->phase != PH_DONE;
}

static int
in_order(const struct sim *s, uint32_t i)
{
	return at(s, i)->kind != SLOT_ROOT &&
	       row_at(s, i)->strategy != SIMPLE_ONE_FOR_ONE;
}

/* What rest_for_one does not start anew may be down; what is on its way up may not. */
static int
is_awaited(const struct sim *s, const struct slot *p, uint32_t k)
{
	const struct slot *c = at(s, k);
	int all = p->op_mode == 0 && !s->opinion[k].may_be_down;
	if (passed_over(c) || c->child == CH_PID)
		return 0;
	int waits =
	    c->phase == PH_BACKOFF || c->phase == PH_AFTER || c->phase == PH_DOWN;
	if (c->child == CH_RESTARTING &&
	    ((waits && p->op_mode != 0) || s->opinion[c->parent].reloaded))
		return 0; /* it has a time of its own */
	return all || has_life(c);
}

/* In a start in order all before it are up; in a stop all behind it are down. */
void
model_action(struct sim *s, const struct action *a)
{
	if (a->type > ACT_KILL_TREE || at(s, a->slot)->kind != SLOT_WORKER ||
	    (a->type == ACT_SPAWN && a->value == SPAWN_POST))
		return;
	const struct slot *c = at(s, a->slot), *p = at(s, c->parent);
	if (!in_order(s, c->parent) || p->cursor != a->slot)
		return;
	if (a->type == ACT_SPAWN && p->op == OP_START &&
	    row_at(s, c->parent)->strategy != ONE_FOR_ONE)
		for (uint32_t k = c->prev; k != SLOT_NONE; k = at(s, k)->prev)
			if (is_awaited(s, p, k))
				sim_fail(s, "started before one that stands before it",
				    a->slot);
	int any =
	    p->then == THEN_END && (row_at(s, c->parent)->flags & ROWF_STOP_ANY) != 0;
	if (a->type != ACT_SPAWN && p->op == OP_STOP && !any)
		for (uint32_t k = c->next; k != SLOT_NONE; k = at(s, k)->next)
			if (has_life(at(s, k)))
				sim_fail(s, "stopped before one that stands behind it",
				    a->slot);
}

/* --- intensity ---------------------------------------------------------------------- */

static uint32_t
restarts_in_period(const struct sim *s, uint32_t i, uint64_t now)
{
	const struct opinion *o = &s->opinion[i];
	uint32_t n = 0;
	uint32_t from = o->ntimes > SIM_TIMES ? o->ntimes - SIM_TIMES : 0;
	for (uint32_t k = o->ntimes; k > from; k--)
		n += now - o->time[(k - 1) % SIM_TIMES] <= row_at(s, i)->period_ms ? 1
										   : 0;
	return n;
}

static void
count_restart(struct sim *s, uint32_t i, uint64_t now)
{
	struct opinion *o = &s->opinion[i];
	if (row_at(s, i)->intensity != INTENSITY_INFINITY)
		o->time[o->ntimes++ % SIM_TIMES] = now;
}

static void
read_event(struct sim *s, const struct event *ev)
{
	uint32_t i = ev->slot;
	const struct slot *c = at(s, i);
	uint32_t parent = s->parent_of[i] != SLOT_NONE ? s->parent_of[i] : c->parent;
	if (ev->type == EV_CHILD_REMOVED) /* what follows is about the next one here */
		s->parent_of[i] = c->parent;
	struct opinion *o = &s->opinion[i];
	if (ev->type == EV_STARTING && c->kind != SLOT_WORKER) {
		o->ntimes = 0;
		o->reloaded = 0;
		for (uint32_t k = c->first; k != SLOT_NONE; k = at(s, k)->next)
			s->opinion[k].may_be_down = 0;
	} else if (ev->type == EV_RESTARTING) {
		count_restart(s, parent, ev->now_ms);
		if (restarts_in_period(s, parent, ev->now_ms) != ev->value &&
		    row_at(s, parent)->intensity != INTENSITY_INFINITY)
			sim_fail(s, "the number of restarts is wrong", i);
		if (ev->value > row_at(s, parent)->intensity)
			sim_fail(s, "a restart over the intensity", i);
	} else if (ev->type == EV_GAVE_UP) {
		s->gave_up++;
		if (restarts_in_period(s, i, ev->now_ms) + 1 <= row_at(s, i)->intensity)
			sim_fail(s, "gave up within the intensity", i);
	}
	o->counted = ev->type == EV_RESTARTING;
}

static int
is_count(const struct event *ev)
{
	return ev->type == EV_RESTARTING || ev->type == EV_BACKOFF ||
	       ev->type == EV_CHILD_REMOVED;
}

static void
read_events(struct sim *s)
{
	const struct state *st = s->w->t.st;
	while (s->seen_event < st->head.event_n) {
		const struct event *ev = &st->event[++s->seen_event % EVENT_RING];
		if (ev->slot < SIM_SLOTS && ev->slot != ROOT &&
		    (at(s, ev->slot)->kind != SLOT_FREE || is_count(ev)))
			read_event(s, ev);
	}
	for (uint32_t i = 0; i < st->head.core.slots_used; i++)
		s->parent_of[i] = at(s, i)->kind == SLOT_FREE ? (uint32_t)SLOT_NONE
							      : at(s, i)->parent;
}

/* --- processes ---------------------------------------------------------------------- */

static const char *
check_process(const struct sim *s, uint32_t i)
{
	const struct slot *c = at(s, i);
	const struct proc *p = &s->proc[i];
	int alive = p->state != P_NONE;
	if (alive && p->gen != c->gen)
		return "a process of a life that is over";
	switch ((enum phase)c->phase) {
	case PH_PRE:
	case PH_SPAWNING:
	case PH_POST:
		if ((c->flags & SF_WAITING) != 0)
			return alive || c->timer_ms == 0 ? "waits for nothing" : NULL;
		return alive ? NULL : "a birth without a child";
	case PH_STARTING:
	case PH_UP:
		return p->state == P_RUNS ? NULL : "up, but nothing runs";
	case PH_STOPPING:
		return alive && p->signalled ? NULL : "a stop that nobody was told";
	case PH_KILLING:
		return alive && p->killed ? NULL : "a kill that was not done";
	case PH_SWEEP:
		return !alive && p->sweeping ? NULL : "a sweep that was not asked for";
	case PH_BACKOFF:
		return !alive && c->timer_ms != 0 ? NULL : "a backoff without an end";
	case PH_DOWN:
	case PH_DONE:
	case PH_AFTER:
		return alive || p->sweeping ? "down, but something runs" : NULL;
	default:
		return "no phase of a worker";
	}
}

/* --- nobody is forgotten -------------------------------------------------------------- */

static int
is_up(const struct slot *c)
{
	return c->phase == PH_UP || c->phase == PH_DONE || c->phase == PH_SUP_UP;
}

static const char *
check_after(const struct sim *s, uint32_t i)
{
	const struct tree *t = &s->w->t;
	const struct row *r = row_at(s, i);
	if (at(s, i)->phase != PH_AFTER)
		return NULL;
	if ((at(s, i)->flags & SF_OLD_ROW) != 0)
		return NULL;
	for (uint32_t k = 0; k < r->nafter; k++) {
		uint32_t other = t->slot_of_row[t->rows->word[r->after + k]];
		if (other == SLOT_NONE || !is_up(at(s, other)))
			return NULL;
	}
	return "waits for others that are all up";
}

/* A first start in order goes on when the one before has come. */
static int
is_held_up(const struct sim *s, uint32_t i)
{
	const struct slot *c = at(s, i);
	if (row_at(s, c->parent)->strategy == ONE_FOR_ONE)
		return 0;
	for (uint32_t k = c->prev; k != SLOT_NONE; k = at(s, k)->prev)
		if (at(s, k)->child == CH_RESTARTING)
			return 1;
	return 0;
}

/* A child of a supervisor at rest. */
static const char *
check_at_rest(const struct sim *s, uint32_t i)
{
	const struct slot *c = at(s, i);
	if (passed_over(c) || s->opinion[i].may_be_down)
		return NULL;
	if (c->child == CH_PID)
		return has_life(c) || c->phase == PH_DONE ? NULL : "dead and wanted";
	if (c->child == CH_RESTARTING)
		return has_life(c) ? NULL : "wanted again and forgotten";
	if (is_held_up(s, i) || (!in_order(s, c->parent) && has_life(c)))
		return NULL;
	if (row_at(s, i)->restart == PERMANENT)
		return "permanent, and nobody starts it";
	if (row_at(s, i)->restart == TRANSIENT && c->last.type != RE_NORMAL &&
	    c->last.type != RE_SHUTDOWN)
		return "transient, failed, and nobody starts it";
	return NULL;
}

static const char *
check_supervisor(const struct sim *s, uint32_t i)
{
	const struct slot *p = at(s, i);
	int pool = p->kind != SLOT_ROOT && row_at(s, i)->strategy == SIMPLE_ONE_FOR_ONE;
	uint32_t on_the_way = 0;
	if (p->op != OP_NONE && !pool && p->cursor == SLOT_NONE)
		return "works on nothing";
	if (p->op != OP_NONE && !pool && !has_life(at(s, p->cursor)))
		return "waits for a child that does nothing";
	for (uint32_t c = p->first; c != SLOT_NONE; c = at(s, c)->next)
		on_the_way += has_life(at(s, c)) ? 1 : 0;
	if (p->op != OP_NONE && pool && on_the_way == 0)
		return "a pool waits for nobody";
	if (p->kind != SLOT_ROOT && p->phase == PH_DOWN && on_the_way > 0)
		return "down with living children";
	return NULL;
}

static const char *
check_slot(const struct sim *s, uint32_t i)
{
	const struct slot *c = at(s, i);
	if (c->kind == SLOT_FREE)
		return s->proc[i].state != P_NONE ? "a process without a slot" : NULL;
	const char *why =
	    c->kind == SLOT_WORKER ? check_process(s, i) : check_supervisor(s, i);
	if (why != NULL || c->kind == SLOT_ROOT)
		return why;
	if ((why = check_after(s, i)) != NULL)
		return why;
	const struct slot *p = at(s, c->parent);
	for (uint32_t k = c->parent; k != ROOT; k = at(s, k)->parent)
		if (at(s, k)->phase == PH_SUP_STOPPING)
			return NULL; /* soon it is stopped as well */
	if (p->kind != SLOT_ROOT && p->phase == PH_SUP_UP && p->op == OP_NONE)
		return check_at_rest(s, i);
	return NULL;
}

/* A request waits in the queue of a supervisor that works, or a child knows of it. */
static void
check_requests(const struct sim *s)
{
	const struct tree *t = &s->w->t;
	if (t->nreq != s->nopen)
		sim_fail(s, "a request was lost", 0);
	for (uint32_t k = 0; t->nreq > 0 && k < REQ_MAX; k++) {
		const struct pending_req *q = &t->req[k];
		if (!q->used)
			continue;
		if (q->sup != SLOT_NONE) {
			if (at(s, q->sup)->op == OP_NONE)
				sim_fail(s, "a request waits for nobody", q->sup);
			continue;
		}
		const struct slot *c = at(s, q->slot), *p = at(s, c->parent);
		int due = (c->flags & SF_DUE) != 0 && (p->flags & SF_PART) != 0;
		int busy = p->op != OP_NONE || c->pend != 0 || due ||
			   (has_life(c) && c->phase != PH_UP && c->phase != PH_SUP_UP);
		if (c->req != k || !busy)
			sim_fail(s, "a request is under way and nobody works", q->slot);
	}
}

void
model_check(struct sim *s)
{
	const struct tree *t = &s->w->t;
	const char *why = tree_check(t);
	while (s->nslots < t->st->head.core.slots_used)
		s->parent_of[s->nslots++] = SLOT_NONE;
	if (why != NULL)
		sim_fail(s, why, 0);
	read_events(s);
	if (t->nact > 0 || s->in_head != s->in_tail || s->ended)
		return;
	check_requests(s);
	for (uint32_t i = 0; i < t->st->head.core.slots_used; i++)
		if ((why = check_slot(s, i)) != NULL)
			sim_fail(s, why, i);
}
