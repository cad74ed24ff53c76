#include "master/tree_int.h"

#include "base/util.h"

/*
 * Supervisors.  Each is serial: `op` is what it does now, `cursor` the child it waits
 * for; exits and requests that come meanwhile stand in its queue in order of arrival
 * (sup_next takes them when op is OP_NONE).  Only a stop pre-empts.  A
 * simple_one_for_one supervisor has no order among its instances, so they come and go
 * at the same time: its op is OP_STOP or OP_NONE, and `busy` counts those on the way.
 */

enum { NEVER_UP_MIN_MS = 1000, NEVER_UP_MAX_MS = 30000 };

static int
is_pool(const struct tree *t, uint32_t i)
{
	return look(t, i)->kind != SLOT_ROOT &&
	       row_of(t, i)->strategy == SIMPLE_ONE_FOR_ONE;
}

static int
is_sup(const struct tree *t, uint32_t c)
{
	return look(t, c)->kind != SLOT_WORKER;
}

int
child_has_life(const struct tree *t, uint32_t c)
{
	return look(t, c)->phase != PH_DOWN && look(t, c)->phase != PH_DONE;
}

/* Children that a start passes over. */
int
child_skipped(const struct tree *t, uint32_t c)
{
	uint32_t flags = look(t, c)->flags;
	if ((flags & (SF_HELD | SF_FORGOTTEN | SF_REMOVE)) != 0)
		return 1;
	/* a disabled one that lived comes back with its group */
	return (flags & (SF_DISABLED | SF_DUE)) == SF_DISABLED;
}

enum progress
child_stop(struct tree *t, uint32_t c)
{
	return is_sup(t, c) ? sup_stop(t, c) : worker_stop(t, c);
}

/* --- the queue -------------------------------------------------------------------- */

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
static void
pend_forget(struct tree *t, uint32_t c, unsigned why)
{
	struct slot *s = edit(t, c);
	if ((s->pend & ~why) == 0)
		pend_drop(t, c);
	else
		s->pend &= (uint8_t)~why;
}

enum progress
child_start(struct tree *t, uint32_t c)
{
	struct slot *s = edit(t, c);
	s->flags &= ~(uint32_t)SF_DUE;
	if (s->phase == PH_BACKOFF || s->phase == PH_AFTER)
		(void)child_stop(t, c);
	pend_forget(t, c, PEND_RETRY | PEND_DELAYED | PEND_ADD); /* now it comes */
	if (!is_sup(t, c))
		return worker_start(t, c);
	if (after_blocked(t, c)) {
		after_wait(t, c);
		return PR_WAIT;
	}
	return sup_start(t, c, (look(t, c)->flags & SF_BOOT) != 0);
}

/* --- children come and go --------------------------------------------------------- */

/* A child's process is gone and will not be restarted now. */
static void
child_gone(struct tree *t, uint32_t c)
{
	struct slot *s = edit(t, c);
	pend_drop(t, c);
	s->child = CH_UNDEFINED;
	if (s->kind != SLOT_APP && row_of(t, c)->restart == TEMPORARY)
		s->flags |= SF_FORGOTTEN;
	s->flags &= ~(uint32_t)SF_DUE;
	s->backoff_ms = 0;
}

/* OTP forgets a temporary child and instances; static ones stay to be seen. */
static void
child_retire(struct tree *t, uint32_t c)
{
	child_gone(t, c);
	struct slot *s = edit(t, c);
	s->flags &= ~(uint32_t)SF_BOUNCE;
	req_done(t, c, AN_STOPPING, REASON(RE_NONE)); /* nobody else will answer */
	const struct slot *p = look(t, s->parent);
	if (p->op == OP_STOP && p->then == THEN_GROUP)
		s->flags |= SF_DUE;
	int forgotten = (s->flags & SF_FORGOTTEN) != 0 && (s->flags & SF_DYNAMIC) != 0;
	if (forgotten || is_pool(t, s->parent) || (s->flags & SF_REMOVE) != 0)
		subtree_free(t, c);
}

void
subtree_free(struct tree *t, uint32_t i)
{
	while (is_sup(t, i) && look(t, i)->first != SLOT_NONE)
		subtree_free(t, look(t, i)->last_child);
	tell(t, EV_CHILD_REMOVED, i);
	pend_drop(t, i);
	req_drop_child(t, i);
	slot_free(t, i);
}

uint32_t
sup_instance_new(struct tree *t, uint32_t i)
{
	uint32_t n = 1;
	uint32_t c = look(t, i)->first;
	if ((look(t, i)->flags & SF_OLD_ROW) != 0)
		return SLOT_NONE; /* it leaves, and its template with it */
	/* kept in order of number: the first gap is the lowest free one */
	for (; c != SLOT_NONE && look(t, c)->number == n; c = look(t, c)->next)
		n++;
	uint32_t k = slot_new(t, SLOT_WORKER, look(t, i)->template_row, i);
	if (k == SLOT_NONE)
		return SLOT_NONE;
	edit(t, k)->number = n;
	edit(t, k)->flags |= SF_DYNAMIC;
	if (c == SLOT_NONE)
		return k;
	slot_unlink(t, k); /* before c, so that the order stays */
	struct slot *s = edit(t, k), *after = edit(t, c), *p = edit(t, i);
	s->next = c;
	s->prev = after->prev;
	if (after->prev == SLOT_NONE)
		p->first = k;
	else
		edit(t, after->prev)->next = k;
	after->prev = k;
	p->nchildren++;
	return k;
}

/* --- start ------------------------------------------------------------------------ */

static void
retry_never_up(struct tree *t, uint32_t i, uint32_t c)
{
	struct slot *s = edit(t, c);
	uint32_t delay = s->backoff_ms == 0 ? NEVER_UP_MIN_MS : s->backoff_ms * 2;
	delay = MIN(delay, (uint32_t)NEVER_UP_MAX_MS);
	if (s->backoff_ms == 0) /* a failed first start counts, but ends nobody */
		(void)window_add(t, i);
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

static enum progress sup_advance(struct tree *t, uint32_t i);
static enum progress sup_sweep_children(struct tree *t, uint32_t i);

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

/* The later ones come when this one has come, or was taken away (start_goes_on). */
static void
mark_held_up(struct tree *t, uint32_t i, uint32_t c)
{
	edit(t, i)->flags |= SF_PART;
	for (uint32_t k = look(t, c)->next; k != SLOT_NONE; k = look(t, k)->next)
		if (look(t, k)->child == CH_UNDEFINED && !child_skipped(t, k))
			edit(t, k)->flags |= SF_DUE;
}

/* A child of a start in order did not come up: the supervisor goes on, or ends (look at
 * its phase and op afterwards). */
static void
start_failed(struct tree *t, uint32_t i, uint32_t c, struct reason re)
{
	struct slot *s = edit(t, i);
	req_done(t, c, AN_FAILED, re);
	if (s->op_mode == MODE_INIT && (s->flags & SF_BOOT) == 0) {
		child_gone(t, c);
		s->end = re;
		s->op = OP_STOP;
		s->then = THEN_END;
		s->cursor = s->last_child;
		s->bound = SLOT_NONE;
		(void)sup_sweep_children(t, i);
		return;
	}
	int in_order = row_of(t, i)->strategy != ONE_FOR_ONE;
	if ((look(t, c)->flags & SF_NEVER_UP) != 0) {
		retry_never_up(t, i, c);
	} else {
		edit(t, c)->child = CH_RESTARTING;
		pend_add(t, c, PEND_RETRY);
	}
	if (in_order)
		mark_held_up(t, i, c);
	s->cursor = in_order ? (uint32_t)SLOT_NONE : look(t, c)->next;
}

static enum progress
sup_is_up(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	s->op = OP_NONE;
	s->cursor = SLOT_NONE;
	if (s->phase != PH_SUP_STARTING) {
		sup_next(t, i);
		return PR_WAIT; /* nobody above waits */
	}
	s->flags &= ~(uint32_t)(SF_BOOT | SF_NEVER_UP);
	s->flags |= SF_WAS_UP;
	s->up_ms = t->now_ms;
	set_phase(t, i, PH_SUP_UP);
	tell(t, EV_READY, i);
	sup_next(t,
	    i); /* what came in meanwhile; an end of it stands in the parent's queue */
	return PR_OK;
}

/*
 * A boot start in order of one_for_one does not wait for a child that waits for others,
 * nor, where nothing is said of readiness, for exec: its siblings do not depend on it,
 * and what comes of it is told by up_started or up_failed.
 */
static int
may_pass(const struct tree *t, uint32_t i, uint32_t c)
{
	if ((look(t, i)->flags & SF_BOOT) == 0 || row_of(t, i)->strategy != ONE_FOR_ONE)
		return 0;
	if (look(t, c)->phase == PH_AFTER)
		return 1;
	return look(t, c)->phase == PH_SPAWNING && row_of(t, c)->ready == READY_NONE &&
	       (row_of(t, c)->flags & ROWF_ONESHOT) == 0;
}

/* Starts children from the cursor on.  PR_OK: the supervisor is up now. */
static enum progress
sup_advance(struct tree *t, uint32_t i)
{
	while (look(t, i)->op == OP_START && look(t, i)->cursor != SLOT_NONE) {
		uint32_t c = look(t, i)->cursor;
		if (child_skipped(t, c) || look(t, c)->child == CH_PID) {
			req_done(t, c, AN_NOT_RUNNING, REASON(RE_NONE));
			edit(t, i)->cursor = look(t, c)->next;
			continue;
		}
		if (child_start(t, c) == PR_OK) {
			edit(t, c)->child = CH_PID;
			edit(t, i)->cursor = look(t, c)->next;
			req_done(t, c, AN_OK, REASON(RE_NONE));
			after_wake(t);
		} else if (may_pass(t, i, c)) {
			edit(t, c)->child = CH_RESTARTING;
			edit(t, i)->cursor = look(t, c)->next;
		} else {
			return PR_WAIT;
		}
	}
	return look(t, i)->op == OP_START ? sup_is_up(t, i) : PR_WAIT;
}

static void
pool_start(struct tree *t, uint32_t i)
{
	while (look(t, i)->nchildren < look(t, i)->target)
		if (sup_instance_new(t, i) == SLOT_NONE)
			break;
	for (uint32_t c = look(t, i)->first; c != SLOT_NONE; c = look(t, c)->next) {
		edit(t, c)->flags |= SF_NEVER_UP;
		edit(t, i)->busy++;
		(void)worker_start(t, c);
	}
}

/* Marks what a first start forgives; dynamic children do not survive a restart. */
static void
sup_prepare(struct tree *t, uint32_t i, int boot)
{
	for (uint32_t c = look(t, i)->first; c != SLOT_NONE; c = look(t, c)->next) {
		struct slot *s = edit(t, c);
		s->flags &= ~(uint32_t)(SF_FORGOTTEN | SF_NEVER_UP | SF_BOOT | SF_DUE);
		s->backoff_ms = 0;
		if (boot)
			s->flags |= s->kind == SLOT_WORKER ? (uint32_t)SF_NEVER_UP
							   : (uint32_t)(SF_BOOT);
	}
}

enum progress
sup_start(struct tree *t, uint32_t i, int boot)
{
	struct slot *s = edit(t, i);
	s->flags &=
	    ~(uint32_t)(SF_STOP_ASKED | SF_FAILED | SF_BOOT | SF_WAS_UP | SF_PART);
	if (boot)
		s->flags |= SF_BOOT;
	s->end = REASON(RE_NONE);
	s->starts++;
	s->gen++;
	window_clear(t, i);
	set_phase(t, i, PH_SUP_STARTING);
	set_timer(t, i, 0);
	tell(t, EV_STARTING, i);
	s->op = OP_START;
	s->op_mode = MODE_INIT;
	if (is_pool(t, i)) {
		pool_start(t, i);
		s->cursor = SLOT_NONE;
		if (s->busy > 0)
			return PR_WAIT;
		return sup_is_up(t, i);
	}
	sup_prepare(t, i, boot);
	s->cursor = s->first;
	return sup_advance(t, i);
}

/* --- stop ------------------------------------------------------------------------- */

/* Who waited in the queue of a supervisor that ends is told. */
static void
queue_drop(struct tree *t, uint32_t i)
{
	req_drop_sup(t, i);
	while (look(t, i)->pend_first != SLOT_NONE) {
		uint32_t c = look(t, i)->pend_first;
		if ((look(t, c)->pend & PEND_BOUNCE) != 0)
			req_done(t, c, AN_STOPPING, REASON(RE_NONE));
		pend_drop(t, c);
	}
}

/* Where a group begins now that its children stand in another order. */
static uint32_t
first_due(const struct tree *t, uint32_t i)
{
	uint32_t c = look(t, i)->first;
	/* GCOVR_EXCL_BR_START: the one whose end was the cause is due */
	while (c != SLOT_NONE && (look(t, c)->flags & SF_DUE) == 0)
		c = look(t, c)->next;
	/* GCOVR_EXCL_BR_STOP */
	return c;
}

/* All children are gone: what its stop was for. */
static enum progress
sup_stopped_all(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	enum sup_then then = (enum sup_then)s->then;
	if ((s->flags & SF_UNSORTED) != 0) {
		children_sort(t, i);
		s->bound = s->bound == SLOT_NONE ? s->bound : first_due(t, i);
	}
	if (then == THEN_GROUP) {
		s->op = OP_START;
		s->op_mode = MODE_GROUP;
		s->cursor = s->bound != SLOT_NONE ? s->bound : s->first;
		s->bound = SLOT_NONE;
		return sup_advance(t, i);
	}
	for (uint32_t c = s->first, next; c != SLOT_NONE; c = next) {
		next = look(t, c)->next;
		req_done(t, c, AN_STOPPING, REASON(RE_NONE));
		if ((look(t, c)->flags & (SF_DYNAMIC | SF_REMOVE)) != 0)
			subtree_free(t, c);
	}
	queue_drop(t, i);
	s->op = OP_NONE;
	s->then = THEN_NOTHING;
	s->cursor = SLOT_NONE;
	set_phase(t, i, PH_DOWN);
	set_timer(t, i, 0);
	s->last = s->end;
	s->last_ms = t->real_ms;
	return PR_OK;
}

/* Tells the parent, unless it waits for the value of sup_stop itself. */
static void
sup_report_end(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	int asked = (s->flags & SF_STOP_ASKED) != 0;
	int was_up = (s->flags & SF_WAS_UP) != 0;
	s->flags &= ~(uint32_t)SF_STOP_ASKED;
	tell_reason(t, EV_STOPPED, i, s->last);
	if (s->kind == SLOT_ROOT)
		node_stopped(t);
	else if (asked)
		up_stopped(t, i);
	else if (was_up)
		up_exited(t, i, s->last);
	else
		up_failed(t, i, s->last);
}

/* The children of a pool all at once. */
static void
pool_sweep(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	s->busy = 0;
	for (uint32_t c = s->last_child, prev; c != SLOT_NONE; c = prev) {
		prev = look(t, c)->prev;
		pend_drop(t, c);
		if (child_stop(t, c) == PR_WAIT)
			s->busy++;
		else
			subtree_free(t, c);
	}
	s->cursor = SLOT_NONE;
}

/* Stops children from the cursor back to the bound.  PR_OK or what follows it. */
static enum progress
sup_sweep_children(struct tree *t, uint32_t i)
{
	if (is_pool(t, i)) {
		pool_sweep(t, i);
		return look(t, i)->busy > 0 ? PR_WAIT : sup_stopped_all(t, i);
	}
	while (look(t, i)->cursor != SLOT_NONE) {
		uint32_t c = look(t, i)->cursor, prev = look(t, c)->prev;
		int last = c == look(t, i)->bound;
		int lived = look(t, c)->child != CH_UNDEFINED || child_has_life(t, c) ||
			    look(t, c)->phase == PH_DONE;
		if (lived && child_stop(t, c) == PR_WAIT)
			return PR_WAIT;
		edit(t, i)->cursor = last ? SLOT_NONE : prev;
		if (lived)
			child_retire(t, c);
	}
	return sup_stopped_all(t, i);
}

static void
sup_begin_end(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	const struct row *r = s->kind == SLOT_ROOT ? NULL : row_of(t, i);
	queue_drop(t, i);
	if (s->phase != PH_SUP_STOPPING) {
		tell(t, EV_STOPPING, i);
		set_phase(t, i, PH_SUP_STOPPING);
		act(t, ACT_UP, i, 0);
		set_timer(t, i, 0); /* its lifespan counts no more */
	}
	if (r != NULL && r->stop_ms != MS_INFINITY && s->timer_ms == 0 &&
	    (s->flags & SF_STOP_ASKED) != 0)
		set_timer(t, i, t->now_ms + r->stop_ms);
	s->op = OP_STOP;
	s->then = THEN_END;
	s->cursor = s->last_child;
	s->bound = SLOT_NONE;
}

enum progress
sup_stop(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	if (s->phase == PH_DOWN || s->phase == PH_AFTER) {
		if (s->phase == PH_AFTER)
			after_forget(t, i);
		set_phase(t, i, PH_DOWN);
		set_timer(t, i, 0);
		return PR_OK;
	}
	s->flags |= SF_STOP_ASKED;
	if (s->end.type == RE_NONE)
		s->end = REASON(RE_SHUTDOWN);
	sup_begin_end(t, i);
	enum progress pr = sup_sweep_children(t, i);
	if (pr == PR_OK) {
		s->flags &= ~(uint32_t)SF_STOP_ASKED;
		tell_reason(t, EV_STOPPED, i, s->last);
	}
	return pr;
}

/* It ends of its own accord: intensity, auto_shutdown, lifespan. */
void
sup_end_self(struct tree *t, uint32_t i, struct reason re)
{
	edit(t, i)->end = re;
	sup_begin_end(t, i);
	if (sup_sweep_children(t, i) == PR_OK)
		sup_report_end(t, i);
}

/* brutal_kill of everything below; first nobody below starts anything any more. */
void
sup_kill(struct tree *t, uint32_t i)
{
	for (uint32_t c = look(t, i)->last_child, prev; c != SLOT_NONE; c = prev) {
		prev = look(t, c)->prev;
		if (!child_has_life(t, c))
			continue;
		if (!is_sup(t, c))
			worker_kill(t, c);
		else if (sup_stop(t, c) == PR_WAIT)
			sup_kill(t, c);
		else
			up_stopped(t, c);
	}
}

void
sup_timer(struct tree *t, uint32_t i)
{
	const struct slot *s = look(t, i);
	if (s->timer_ms == 0 || s->timer_ms > t->now_ms)
		return;
	set_timer(t, i, 0);
	if (s->phase == PH_SUP_STOPPING) {
		tell(t, EV_KILLING, i);
		sup_kill(t, i);
	} else {
		sup_end_self(t, i, REASON(RE_NORMAL)); /* its lifespan is over */
	}
}

/* --- one child -------------------------------------------------------------------- */

static void
one_done(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	s->op = OP_NONE;
	s->cursor = SLOT_NONE;
	sup_next(t, i);
}

/* Starts one child outside of a start in order. */
void
one_start(struct tree *t, uint32_t i, uint32_t c, enum sup_then then)
{
	struct slot *s = edit(t, i);
	if (is_pool(t, i)) {
		(void)worker_start(t, c);
		return;
	}
	s->op = OP_ONE;
	s->then = (uint8_t)then;
	s->cursor = c;
	if (child_start(t, c) == PR_OK)
		up_started(t, c);
}

void
one_stop(struct tree *t, uint32_t i, uint32_t c, enum sup_then then)
{
	struct slot *s = edit(t, i);
	if (!is_pool(t, i)) {
		s->op = OP_ONE;
		s->then = (uint8_t)then;
		s->cursor = c;
	}
	if (child_stop(t, c) != PR_WAIT)
		up_stopped(t, c);
}

/* One of the instances of a pool's start is up, or is known to need more time. */
static void
pool_arrived(struct tree *t, uint32_t i)
{
	if (--edit(t, i)->busy > 0)
		return;
	(void)sup_is_up(t, i);
	up_started(t, i);
}

void
up_started(struct tree *t, uint32_t c)
{
	uint32_t i = look(t, c)->parent;
	struct slot *p = edit(t, i);
	if (p->kind == SLOT_ROOT && look(t, c)->phase == PH_DOWN)
		return; /* what came in during its start has ended it */
	int first = look(t, c)->child == CH_UNDEFINED;
	edit(t, c)->child = CH_PID;
	req_done(t, c, AN_OK, REASON(RE_NONE));
	if (is_sup(t, c))
		after_wake(t);
	if (p->kind == SLOT_ROOT) {
		app_up(t, c);
		return;
	}
	if (is_pool(t, i)) {
		if (p->op == OP_START && first)
			pool_arrived(t, i);
		return;
	}
	if (p->op == OP_START && p->cursor == c) {
		p->cursor = look(t, c)->next;
		if (sup_advance(t, i) == PR_OK)
			up_started(t, i);
	} else if (p->op == OP_ONE && p->cursor == c) {
		one_done(t, i);
	}
}

/* A pool's instance did not start: like a restart that failed. */
static void
pool_failed(struct tree *t, uint32_t i, uint32_t c)
{
	int first = look(t, c)->child == CH_UNDEFINED;
	if ((look(t, c)->flags & SF_NEVER_UP) != 0) {
		retry_never_up(t, i, c);
		if (look(t, i)->op == OP_START && first)
			pool_arrived(t, i);
	} else {
		edit(t, c)->child = CH_RESTARTING;
		pend_add(t, c, PEND_RETRY);
	}
}

static void
one_failed(struct tree *t, uint32_t i, uint32_t c)
{
	if ((look(t, c)->flags & SF_NEVER_UP) != 0)
		retry_never_up(t, i, c);
	else {
		edit(t, c)->child = CH_RESTARTING;
		pend_add(t, c, PEND_RETRY);
	}
	one_done(t, i);
}

void
up_failed(struct tree *t, uint32_t c, struct reason re)
{
	uint32_t i = look(t, c)->parent;
	struct slot *p = edit(t, i);
	int api = p->op == OP_ONE && p->cursor == c && p->then == THEN_REQ;
	if (p->kind == SLOT_ROOT) {
		app_ended(t, c, re);
		return;
	}
	if (p->op == OP_STOP) { /* it went down while its group was being stopped */
		up_stopped(t, c);
		return;
	}
	req_done(t, c, AN_FAILED, re);
	if (is_pool(t, i)) {
		if (look(t, c)->child == CH_UNDEFINED &&
		    (look(t, c)->flags & SF_NEVER_UP) == 0) { /* by start_child */
			subtree_free(t, c);
			return;
		}
		pool_failed(t, i, c);
	} else if (p->cursor != c) {
		retry_never_up(t, i, c); /* the boot start had gone on without it */
	} else if (api) {
		child_gone(t, c);
		if ((look(t, c)->flags & SF_DYNAMIC) != 0 && look(t, c)->up_ms == 0)
			subtree_free(t, c);
		one_done(t, i);
	} else if (p->op == OP_ONE) {
		one_failed(t, i, c);
	} else {
		start_failed(t, i, c, re);
		if (look(t, i)->phase == PH_DOWN)
			sup_report_end(t, i);
		else if (sup_advance(t, i) == PR_OK)
			up_started(t, i);
	}
}

static void
pool_stopped(struct tree *t, uint32_t i, uint32_t c)
{
	struct slot *p = edit(t, i), *s = edit(t, c);
	if (p->op == OP_STOP) {
		subtree_free(t, c);
		if (--p->busy == 0) {
			(void)sup_stopped_all(t, i);
			sup_report_end(t, i);
		}
		return;
	}
	int first = s->child == CH_UNDEFINED;
	if ((s->flags & SF_BOUNCE) != 0) {
		s->flags &= ~(uint32_t)SF_BOUNCE;
		s->restarts++;
		(void)worker_start(t, c);
		return;
	}
	if ((s->flags & SF_HELD) != 0)
		child_gone(t, c);
	else
		subtree_free(t, c);
	if (p->op == OP_START && first)
		pool_arrived(t, i);
}

/* It was stopped while its supervisor waited for it in a start in order. */
static void
start_passed_over(struct tree *t, uint32_t i, uint32_t c)
{
	struct slot *s = edit(t, c);
	if ((s->flags & SF_BOUNCE) != 0 && !child_skipped(t, c)) {
		s->flags &= ~(uint32_t)SF_BOUNCE;
		s->child = CH_UNDEFINED;
	} else {
		edit(t, i)->cursor = s->next;
		child_retire(t, c);
	}
	if (sup_advance(t, i) == PR_OK)
		up_started(t, i);
}

/* A start that somebody asked for is answered when it fails; one that another
 * configuration brought about is tried again like a restart. */
static enum sup_then
then_of(const struct tree *t, uint32_t c)
{
	return look(t, c)->req != SLOT_NONE ? THEN_REQ : THEN_STARTED;
}

static void
one_stopped(struct tree *t, uint32_t i, uint32_t c)
{
	if (look(t, i)->then == THEN_BOUNCE) {
		child_gone(t, c);
		edit(t, c)->flags &= ~(uint32_t)SF_FORGOTTEN;
		edit(t, c)->restarts++;
		one_start(t, i, c, then_of(t, c));
		return;
	}
	child_retire(t, c);
	one_done(t, i);
}

static void
app_stopped(struct tree *t, uint32_t c)
{
	struct slot *s = edit(t, c);
	child_gone(t, c);
	if ((s->flags & SF_REMOVE) != 0) {
		subtree_free(t, c);
	} else if ((s->flags & SF_BOUNCE) != 0) {
		s->flags &= ~(uint32_t)SF_BOUNCE;
		if (app_start(t, c, 1) == PR_OK)
			up_started(t, c);
	}
}

void
up_stopped(struct tree *t, uint32_t c)
{
	uint32_t i = look(t, c)->parent;
	struct slot *p = edit(t, i);
	int mine = p->cursor == c;
	if ((look(t, c)->flags & SF_BOUNCE) == 0 &&
	    !(p->op == OP_ONE && mine && p->then == THEN_BOUNCE))
		req_done(t, c, AN_OK, REASON(RE_NONE));
	if (p->kind != SLOT_ROOT && is_pool(t, i)) {
		pool_stopped(t, i, c);
	} else if (p->op == OP_STOP && mine) {
		p->cursor = look(t, c)->prev; /* the bound itself is down before */
		child_retire(t, c);
		if (sup_sweep_children(t, i) == PR_OK)
			sup_report_end(t, i);
	} else if (p->kind == SLOT_ROOT) {
		app_stopped(t, c);
	} else if (p->op == OP_ONE && mine) {
		one_stopped(t, i, c);
	} else if (p->op == OP_START && mine) {
		start_passed_over(t, i, c);
	} else {
		child_retire(t, c);
		if (look(t, i)->op == OP_NONE)
			sup_next(t, i);
	}
}

void
up_exited(struct tree *t, uint32_t c, struct reason re)
{
	if (look(t, look(t, c)->parent)->kind == SLOT_ROOT) {
		app_ended(t, c, re);
		return;
	}
	edit(t, c)->pend_reason = re;
	pend_add(t, c, PEND_EXIT);
}

/* --- what stands in the queue ------------------------------------------------------ */

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

void
pool_scale(struct tree *t, uint32_t i, uint32_t target)
{
	struct slot *s = edit(t, i);
	s->target = target;
	tell_value(t, EV_SCALED, i, target);
	if (s->phase != PH_SUP_UP && s->phase != PH_SUP_STARTING)
		return;
	while (s->nchildren < target) {
		uint32_t c = sup_instance_new(t, i);
		if (c == SLOT_NONE)
			return;
		tell(t, EV_CHILD_ADDED, c);
		edit(t, c)->flags |= SF_NEVER_UP;
		if (s->op == OP_START)
			s->busy++;
		(void)worker_start(t, c);
	}
	uint32_t keep = 0;
	for (uint32_t c = s->first; c != SLOT_NONE; c = look(t, c)->next)
		keep += (look(t, c)->flags & SF_REMOVE) == 0;
	for (uint32_t c = s->last_child, prev; c != SLOT_NONE && keep > target;
	     c = prev) {
		prev = look(t, c)->prev;
		if ((look(t, c)->flags & SF_REMOVE) != 0)
			continue;
		edit(t, c)->flags |= SF_REMOVE;
		keep--;
		pend_drop(t, c);
		one_stop(t, i, c, THEN_REMOVE);
	}
}
