#include "master/tree_int.h"

#include "base/util.h"

/*
 * A supervisor's queue and what it does with what stands in it: exits, tries again,
 * delays that are over, changes of a reload, in order of arrival and between the
 * requests (tree_req.c).  OTP's restart() is here: count, then restart by strategy, or
 * give up.
 */

enum { NEVER_UP_MIN_MS = 1000, NEVER_UP_MAX_MS = 30000 };

void
pend_add(struct tree *t, uint32_t c, unsigned why)
{
	struct slot *s = edit(t, c);
	uint32_t i = s->parent;
	if (s->pend == 0) {
		struct slot *p = edit(t, i);
		s->pend_ticket = ++t->st->head.core.ticket;
		s->pend_next = SLOT_NONE;
		if (p->pend_last == SLOT_NONE)
			p->pend_first = c;
		else
			edit(t, p->pend_last)->pend_next = c;
		p->pend_last = c;
	}
	s->pend |= (uint8_t)why;
	if (look(t, i)->op == OP_NONE)
		sup_next(t, i);
}

void
pend_drop(struct tree *t, uint32_t c)
{
	struct slot *s = edit(t, c);
	if (s->pend == 0)
		return;
	struct slot *p = edit(t, s->parent);
	uint32_t prev = SLOT_NONE, k = p->pend_first;
	while (k != c) {
		prev = k;
		k = look(t, k)->pend_next;
	}
	if (prev == SLOT_NONE)
		p->pend_first = s->pend_next;
	else
		edit(t, prev)->pend_next = s->pend_next;
	if (p->pend_last == c)
		p->pend_last = prev;
	s->pend = 0;
	s->pend_next = SLOT_NONE;
}

/* These reasons are no more; the others stay in their place. */
void
pend_forget(struct tree *t, uint32_t c, unsigned why)
{
	struct slot *s = edit(t, c);
	if ((s->pend & ~why) == 0)
		pend_drop(t, c);
	else
		s->pend &= (uint8_t)~why;
}

/*
 * A first start at boot that failed is tried again later.  It counts as a restart of the
 * child, but not against its supervisor's intensity: one mistyped command must not make
 * the first crash of a sibling the last.  A temporary child is never started again.
 */
void
retry_never_up(struct tree *t, uint32_t c)
{
	struct slot *s = edit(t, c);
	if (row_of(t, c)->restart == TEMPORARY) {
		child_retire(t, c);
		return;
	}
	uint32_t delay = s->backoff_ms == 0 ? NEVER_UP_MIN_MS : s->backoff_ms * 2;
	delay = MIN(delay, (uint32_t)NEVER_UP_MAX_MS);
	s->backoff_ms = delay;
	s->child = CH_RESTARTING;
	s->restarts++;
	worker_backoff(t, c, delay);
}

/* The delay before the next try of a child with `backoff`; 0 without. */
static uint64_t
backoff_next(struct tree *t, uint32_t c)
{
	const struct row *r = row_of(t, c);
	struct slot *s = edit(t, c);
	if (r->backoff_min_ms == 0 || is_sup(t, c))
		return 0;
	int healthy =
	    (s->flags & SF_WAS_UP) != 0 && t->now_ms - s->up_ms >= r->backoff_max_ms;
	uint64_t base = s->backoff_ms == 0 || healthy ? r->backoff_min_ms
						      : (uint64_t)s->backoff_ms * 2;
	base = MIN(base, r->backoff_max_ms);
	s->backoff_ms = (uint32_t)base;
	uint32_t jitter = (uint32_t)(base / 5); /* a fifth either way */
	return base - jitter + tree_random(t, 2 * jitter + 1);
}

static void
sup_give_up(struct tree *t, uint32_t i, uint32_t c)
{
	struct slot *s = edit(t, i);
	s->gave_up++;
	s->flags |= SF_FAILED;
	tell_value(t, EV_GAVE_UP, i, row_of(t, i)->intensity);
	child_gone(t, c);
	req_done(t, c, AN_STOPPING, REASON(RE_NONE)); /* a restart that waited */
	sup_end_self(t, i, REASON(RE_SHUTDOWN));
}

/* OTP's restart(): counts, then restarts by strategy, or gives up. */
static void
restart_by_strategy(struct tree *t, uint32_t i, uint32_t c)
{
	struct slot *s = edit(t, i);
	edit(t, c)->restarts++;
	s->cause = c;
	s->cause_ms = t->real_ms;
	if (is_pool(t, i) || row_of(t, i)->strategy == ONE_FOR_ONE) {
		one_start(t, i, c, THEN_STARTED);
		return;
	}
	edit(t, c)->child = CH_UNDEFINED;
	edit(t, c)->flags |= SF_DUE;
	s->op = OP_STOP;
	s->then = THEN_GROUP;
	s->cursor = s->last_child;
	s->bound = row_of(t, i)->strategy == REST_FOR_ONE ? c : SLOT_NONE;
	(void)sup_sweep_children(t, i);
}

static void
restart_counted(struct tree *t, uint32_t i, uint32_t c)
{
	if (window_add(t, i) < 0) {
		edit(t, i)->cause = c;
		edit(t, i)->cause_ms = t->real_ms;
		sup_give_up(t, i, c);
		return;
	}
	tell_value(t, EV_RESTARTING, c, window_count(t, i));
	uint64_t delay = backoff_next(t, c);
	if (delay > 0) {
		edit(t, c)->child = CH_RESTARTING;
		worker_backoff(t, c, delay);
		return;
	}
	restart_by_strategy(t, i, c);
}

static int
significant_left(const struct tree *t, uint32_t i)
{
	for (uint32_t c = look(t, i)->first; c != SLOT_NONE; c = look(t, c)->next)
		if ((look(t, c)->flags & SF_SIGNIFICANT) != 0 &&
		    look(t, c)->child != CH_UNDEFINED)
			return 1;
	return 0;
}

/* A significant child has ended by itself: OTP's do_auto_shutdown. */
static int
auto_shutdown_due(const struct tree *t, uint32_t i)
{
	uint8_t mode = row_of(t, i)->auto_shutdown;
	if (mode == AUTO_ANY_SIGNIFICANT)
		return 1;
	return mode == AUTO_ALL_SIGNIFICANT && !significant_left(t, i);
}

static void
handle_exit(struct tree *t, uint32_t i, uint32_t c)
{
	struct reason re = look(t, c)->pend_reason;
	uint8_t restart = row_of(t, c)->restart;
	int clean = re.type == RE_NORMAL || re.type == RE_SHUTDOWN;
	if (restart == PERMANENT || (restart == TRANSIENT && !clean)) {
		restart_counted(t, i, c);
		return;
	}
	int significant = (look(t, c)->flags & SF_SIGNIFICANT) != 0;
	child_retire(t, c);
	if (significant && auto_shutdown_due(t, i)) {
		tell(t, EV_AUTO_SHUTDOWN, i);
		sup_end_self(t, i, REASON(RE_SHUTDOWN));
	}
}

static void
handle_bounce(struct tree *t, uint32_t i, uint32_t c)
{
	int alive = child_has_life(t, c) || look(t, c)->phase == PH_DONE;
	if (alive && is_pool(t, i))
		edit(t, c)->flags |= SF_BOUNCE;
	if (alive)
		one_stop(t, i, c, THEN_BOUNCE);
	else if (!child_skipped(t, c)) {
		one_start(t, i, c, then_of(t, c));
	} else {
		edit(t, c)->child = CH_UNDEFINED;
		req_done(t, c, AN_NOT_RUNNING, REASON(RE_NONE));
	}
}

static void
handle_delayed(struct tree *t, uint32_t i, uint32_t c)
{
	if ((look(t, c)->flags & SF_NEVER_UP) == 0 || is_pool(t, i) ||
	    row_of(t, i)->strategy == ONE_FOR_ONE) {
		if (look(t, c)->flags & SF_NEVER_UP)
			one_start(t, i, c, THEN_STARTED);
		else
			restart_by_strategy(t, i, c);
		return;
	}
	/* a first start in order goes on (start_goes_on) where it was held up first */
	edit(t, c)->child = CH_UNDEFINED;
	edit(t, c)->flags |= SF_DUE;
	edit(t, i)->flags |= SF_PART;
}

static void
handle_child(struct tree *t, uint32_t i, uint32_t c)
{
	unsigned why = look(t, c)->pend;
	pend_drop(t, c);
	if ((why & PEND_REMOVE) != 0)
		one_stop(t, i, c, THEN_REMOVE);
	else if ((why & PEND_EXIT) != 0)
		handle_exit(t, i, c);
	else if ((why & PEND_BOUNCE) != 0)
		handle_bounce(t, i, c);
	else if ((why & PEND_RETRY) != 0)
		restart_counted(t, i, c);
	else if ((why & PEND_DELAYED) != 0)
		handle_delayed(t, i, c);
	else if (!child_skipped(t, c)) /* PEND_ADD */
		one_start(t, i, c, THEN_STARTED);
}

/* The child that held up a first start in order has come or was taken away: the later
 * ones are started.  0: there are none, or it is still waited for. */
static int
start_goes_on(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	uint32_t c = s->first;
	for (; c != SLOT_NONE; c = look(t, c)->next) {
		const struct slot *k = look(t, c);
		if (child_skipped(t, c) || k->child == CH_PID)
			continue;
		if (k->child == CH_RESTARTING && row_of(t, i)->strategy != ONE_FOR_ONE)
			return 0;
		if ((k->flags & SF_DUE) != 0)
			break;
	}
	s->flags &= ~(uint32_t)SF_PART;
	if (c == SLOT_NONE)
		return 0;
	s->op = OP_START;
	s->op_mode = MODE_GROUP;
	s->cursor = c;
	(void)sup_advance(t, i);
	return 1;
}

void
sup_next(struct tree *t, uint32_t i)
{
	if (look(t, i)->in_queue)
		return; /* the loop below us goes on */
	edit(t, i)->in_queue = 1;
	while (look(t, i)->op == OP_NONE && look(t, i)->phase == PH_SUP_UP) {
		uint32_t c = look(t, i)->pend_first;
		uint32_t before = c == SLOT_NONE ? UINT32_MAX : look(t, c)->pend_ticket;
		if (t->nreq > 0 && req_next(t, i, before))
			continue;
		if (c != SLOT_NONE)
			handle_child(t, i, c);
		else if ((look(t, i)->flags & SF_PART) == 0 || !start_goes_on(t, i))
			break;
	}
	edit(t, i)->in_queue = 0;
}
