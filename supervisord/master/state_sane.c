#include "master/state_sane.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Indices are in bounds, enums are in range, lists are whole and end. */

static int
bad_index(uint32_t i, uint32_t used)
{
	return i != SLOT_NONE && i >= used;
}

static const char *
slot_fault(const struct slot *s, uint32_t used)
{
	if (s->kind >= SLOT_KIND_MAX || s->phase >= PHASE_MAX ||
	    s->child >= CHILD_STATE_MAX || s->op >= OP_MAX || s->then >= THEN_MAX)
		return "a slot has an impossible kind or phase";
	if (s->end.type >= REASON_MAX || s->last.type >= REASON_MAX ||
	    s->pend_reason.type >= REASON_MAX || s->end.stage >= STAGE_MAX ||
	    s->last.stage >= STAGE_MAX || s->pend_reason.stage >= STAGE_MAX)
		return "a slot has an impossible reason";
	if (bad_index(s->parent, used) || bad_index(s->prev, used) ||
	    bad_index(s->next, used) || bad_index(s->first, used) ||
	    bad_index(s->last_child, used) || bad_index(s->cursor, used) ||
	    bad_index(s->bound, used) || bad_index(s->pend_next, used) ||
	    bad_index(s->pend_first, used) || bad_index(s->pend_last, used) ||
	    bad_index(s->cause, used) || bad_index(s->after_next, used))
		return "a slot points out of the tree";
	if (s->win_head > INTENSITY_MAX || s->win_n > INTENSITY_MAX + 1 ||
	    (s->window != SLOT_NONE && s->window >= SUPS_MAX))
		return "a restart window is out of bounds";
	return NULL;
}

/* Each row index is one of the block it is said to be in, and of the right kind. */
static const char *
row_fault(
    const struct state *st, uint32_t i, const struct rows *rows, const struct rows *old)
{
	const struct slot *s = &st->slot[i];
	const struct rows *r = (s->flags & SF_OLD_ROW) != 0 ? old : rows;
	if (s->kind == SLOT_ROOT)
		return i == ROOT ? NULL : "there are two roots";
	if (r == NULL || s->row >= r->head->nrows)
		return "a slot has no row";
	uint8_t kind = r->row[s->row].kind;
	int worker = kind == ROW_WORKER || kind == ROW_TEMPLATE;
	if ((s->kind == SLOT_APP && kind != ROW_APP) ||
	    (s->kind == SLOT_SUP && kind != ROW_SUP) ||
	    (s->kind == SLOT_WORKER && !worker))
		return "a slot's row is of another kind";
	if (s->template_row != SLOT_NONE && s->template_row >= r->head->nrows)
		return "a pool's template is no row";
	if (s->kind == SLOT_WORKER || s->window != SLOT_NONE)
		return NULL;
	return "a supervisor has no restart window";
}

static const char *
children_fault(const struct state *st, uint32_t i, uint32_t used)
{
	const struct slot *s = &st->slot[i];
	uint32_t n = 0, prev = SLOT_NONE;
	for (uint32_t c = s->first; c != SLOT_NONE; c = st->slot[c].next) {
		if (++n > used || st->slot[c].parent != i || st->slot[c].prev != prev ||
		    st->slot[c].kind == SLOT_FREE)
			return "a list of children is broken";
		prev = c;
	}
	if (prev != s->last_child || n != s->nchildren)
		return "a list of children is broken";
	n = 0;
	prev = SLOT_NONE;
	for (uint32_t c = s->pend_first; c != SLOT_NONE; c = st->slot[c].pend_next) {
		if (++n > used || st->slot[c].parent != i || st->slot[c].pend == 0)
			return "a supervisor's queue is broken";
		prev = c;
	}
	return prev == s->pend_last ? NULL : "a supervisor's queue is broken";
}

/* Texts end where they are said to end. */
static const char *
text_fault(const struct state *st, uint32_t i)
{
	uint32_t n = st->nargs[i];
	if (n > ARGS_MAX || (n > 0 && st->args[i][n - 1] != '\0'))
		return "arguments of an instance have no end";
	return NULL;
}

/* Up from each point there is the root, through points that may stand there. */
static const char *
place_fault(const struct state *st, uint32_t i)
{
	const struct slot *s = &st->slot[i];
	if (i == ROOT)
		return s->parent == SLOT_NONE ? NULL : "the root has a parent";
	if (s->parent == SLOT_NONE)
		return "a slot has no parent";
	uint8_t above = st->slot[s->parent].kind;
	if (above == SLOT_FREE || above == SLOT_WORKER ||
	    (s->kind == SLOT_APP) != (above == SLOT_ROOT))
		return "a slot has a parent of the wrong kind";
	int of_worker = s->phase < PH_SUP_STARTING;
	int of_both = s->phase == PH_DOWN || s->phase == PH_AFTER;
	if (!of_both && of_worker != (s->kind == SLOT_WORKER))
		return "a slot is in a phase of another kind";
	uint32_t up = s->parent, n = 0;
	while (up != ROOT && up < SLOT_MAX && n++ < st->head.core.slots_used)
		up = st->slot[up].parent;
	return up == ROOT ? NULL : "a part of the tree hangs in the air";
}

/* Whoever waits for the end of a process that there never was waits for ever. */
static const char *
pid_fault(const struct slot *s)
{
	int none = s->phase == PH_DOWN || s->phase == PH_BACKOFF ||
		   s->phase == PH_AFTER || s->phase == PH_DONE || s->phase == PH_SWEEP;
	int one = s->phase == PH_STARTING || s->phase == PH_UP;
	if (s->kind != SLOT_WORKER)
		return NULL;
	if (s->pid < 0 || (none && s->pid != 0) || (one && s->pid == 0))
		return "a worker has an impossible process";
	return NULL;
}

static int
order_of_pids(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static const char *
pids_fault(const struct state *st)
{
	static int32_t pids[SLOT_MAX];
	size_t n = 0;
	for (uint32_t i = 0; i < st->head.core.slots_used; i++)
		if (st->slot[i].kind == SLOT_WORKER && st->slot[i].pid > 0)
			pids[n++] = st->slot[i].pid;
	qsort(pids, n, sizeof pids[0], order_of_pids);
	for (size_t k = 1; k < n; k++)
		if (pids[k] == pids[k - 1])
			return "two workers have one process";
	return NULL;
}

/* What a supervisor is at work on is a child of its own. */
static const char *
work_fault(const struct state *st, uint32_t i)
{
	const struct slot *s = &st->slot[i];
	const uint32_t at[] = {s->cursor, s->bound};
	if (s->kind == SLOT_WORKER || s->op == OP_NONE)
		return NULL;
	for (unsigned k = 0; k < COUNT(at); k++)
		if (at[k] != SLOT_NONE &&
		    (st->slot[at[k]].kind == SLOT_FREE || st->slot[at[k]].parent != i))
			return "a supervisor works on a child of another";
	return NULL;
}

static const char *
slots_fault(const struct state *st, const struct rows *rows, const struct rows *old)
{
	for (uint32_t i = 0; i < st->head.core.slots_used; i++) {
		if (st->slot[i].kind == SLOT_FREE)
			continue;
		const char *why = slot_fault(&st->slot[i], st->head.core.slots_used);
		if (why == NULL)
			why = row_fault(st, i, rows, old);
		if (why == NULL)
			why = text_fault(st, i);
		if (why == NULL)
			why = pid_fault(&st->slot[i]);
		if (why != NULL)
			return why;
	}
	return NULL;
}

/* Every slot in use is in one list of children, every waiting one in one queue. */
static const char *
tree_fault(const struct state *st)
{
	uint32_t used = st->head.core.slots_used, nslots = 0, nchildren = 0;
	for (uint32_t i = 0; i < used; i++) {
		const struct slot *s = &st->slot[i];
		if (s->kind == SLOT_FREE)
			continue;
		nslots++;
		const char *why = place_fault(st, i);
		if (why == NULL && s->kind != SLOT_WORKER)
			why = children_fault(st, i, used);
		if (why == NULL)
			why = work_fault(st, i);
		if (why != NULL)
			return why;
		nchildren += s->kind == SLOT_WORKER ? 0 : s->nchildren;
	}
	return nchildren + 1 == nslots ? NULL : "a child is in no list";
}

static const char *
lists_fault(const struct state *st)
{
	uint32_t used = st->head.core.slots_used, n = 0;
	uint32_t queued = 0, waiting = 0, pending = 0;
	for (uint32_t i = 0; i < used; i++) {
		const struct slot *s = &st->slot[i];
		if (s->kind == SLOT_FREE)
			continue;
		waiting += s->phase == PH_AFTER;
		pending += s->pend != 0;
		for (uint32_t c = s->pend_first;
		     s->kind != SLOT_WORKER && c != SLOT_NONE;
		     c = st->slot[c].pend_next)
			queued++;
	}
	for (uint32_t i = st->head.core.free_slot; i != SLOT_NONE; i = st->slot[i].next)
		if (++n > used || i >= used || st->slot[i].kind != SLOT_FREE)
			return "the list of free slots is broken";
	n = 0;
	for (uint32_t i = st->head.core.after_first; i != SLOT_NONE;
	     i = st->slot[i].after_next)
		if (++n > used || i >= used || st->slot[i].phase != PH_AFTER)
			return "the list of waiting ones is broken";
	if (n != waiting)
		return "one that waits is in no list";
	return queued == pending ? NULL : "one that is to be seen to is in no queue";
}

static const char *
head_fault(const struct state *st)
{
	uint32_t used = st->head.core.slots_used;
	if (used == 0 || used > SLOT_MAX || st->slot[ROOT].kind != SLOT_ROOT)
		return "it has no root";
	if (st->head.nenvs > ENVS_MAX)
		return "its counters are wrong";
	for (uint32_t k = 0; k < st->head.nenvs; k++)
		if (memchr(st->head.env[k].text, '\0', ENV_TEXT) == NULL)
			return "a variable has no end";
	return NULL;
}

const char *
state_fault(const struct state *st, const struct rows *rows, const struct rows *old)
{
	const char *why = head_fault(st);
	if (why == NULL)
		why = slots_fault(st, rows, old);
	if (why == NULL)
		why = tree_fault(st);
	if (why == NULL)
		why = pids_fault(st);
	return why != NULL ? why : lists_fault(st);
}
