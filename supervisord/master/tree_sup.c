#include "master/tree_int.h"

#include "base/util.h"

/*
 * Supervisors.  Each is serial: `op` is what it does now, `cursor` the child it waits
 * for; exits and requests that come meanwhile stand in its queue in order of arrival
 * (sup_next takes them when op is OP_NONE).  Only a stop pre-empts.  A
 * simple_one_for_one supervisor has no order among its instances, so they come and go
 * at the same time: its op is OP_STOP or OP_NONE, and `busy` counts those on the way.
 */

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
void
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
	/* a temporary one that fails is forgotten: nobody waits for it */
	int in_order =
	    row_of(t, i)->strategy != ONE_FOR_ONE && row_of(t, c)->restart != TEMPORARY;
	if ((look(t, c)->flags & SF_NEVER_UP) != 0) {
		retry_never_up(t, c);
	} else {
		edit(t, c)->child = CH_RESTARTING;
		pend_add(t, c, PEND_RETRY);
	}
	if (in_order)
		mark_held_up(t, i, c);
	s->cursor = in_order ? (uint32_t)SLOT_NONE : look(t, c)->next;
}

enum progress
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
enum progress
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
enum progress
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
void
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
enum progress
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

/* All children that live are told; the walk in reverse then finds them on their way out,
 * and those that are gone before their turn are retired as they go (up_stopped). */
static void
sup_tell_all(struct tree *t, uint32_t i)
{
	for (uint32_t c = look(t, i)->last_child; c != SLOT_NONE; c = look(t, c)->prev)
		if (child_has_life(t, c))
			(void)child_stop(t, c);
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
	if (r != NULL && (r->flags & ROWF_STOP_ANY) != 0)
		sup_tell_all(t, i);
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
