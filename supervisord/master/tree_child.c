#include "master/tree_int.h"

#include "base/util.h"

/*
 * One child: started, stopped, counted among the others of its supervisor, and the word
 * it sends up when it has come or gone (up_started, up_failed, up_stopped, up_exited).
 */

int
is_pool(const struct tree *t, uint32_t i)
{
	return look(t, i)->kind != SLOT_ROOT &&
	       row_of(t, i)->strategy == SIMPLE_ONE_FOR_ONE;
}

int
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

/* A child's process is gone and will not be restarted now. */
void
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
void
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
		retry_never_up(t, c);
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
		retry_never_up(t, c);
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
		retry_never_up(t, c); /* the boot start had gone on without it */
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

/* What a start after a stop is, whoever wanted the two: a restart, so one that fails is
 * tried again.  A temporary child is never restarted. */
enum sup_then
then_of(const struct tree *t, uint32_t c)
{
	return row_of(t, c)->restart == TEMPORARY ? THEN_REQ : THEN_STARTED;
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
