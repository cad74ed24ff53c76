#include "master/state_sane.h"

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

static const char *
slots_fault(const struct state *st, const struct rows *rows, const struct rows *old)
{
	for (uint32_t i = 0; i < st->head.core.slots_used; i++) {
		if (st->slot[i].kind == SLOT_FREE)
			continue;
		const char *why = slot_fault(&st->slot[i], st->head.core.slots_used);
		if (why == NULL)
			why = row_fault(st, i, rows, old);
		if (why != NULL)
			return why;
		if (st->nargs[i] > ARGS_MAX)
			return "arguments of an instance are too long";
	}
	return NULL;
}

static const char *
tree_fault(const struct state *st)
{
	for (uint32_t i = 0; i < st->head.core.slots_used; i++) {
		if (st->slot[i].kind == SLOT_FREE || st->slot[i].kind == SLOT_WORKER)
			continue;
		const char *why = children_fault(st, i, st->head.core.slots_used);
		if (why != NULL)
			return why;
	}
	return NULL;
}

static const char *
lists_fault(const struct state *st)
{
	uint32_t used = st->head.core.slots_used, n = 0;
	for (uint32_t i = st->head.core.free_slot; i != SLOT_NONE; i = st->slot[i].next)
		if (++n > used || i >= used || st->slot[i].kind != SLOT_FREE)
			return "the list of free slots is broken";
	n = 0;
	for (uint32_t i = st->head.core.after_first; i != SLOT_NONE;
	     i = st->slot[i].after_next)
		if (++n > used || i >= used || st->slot[i].phase != PH_AFTER)
			return "the list of waiting ones is broken";
	return NULL;
}

const char *
state_fault(const struct state *st, const struct rows *rows, const struct rows *old)
{
	uint32_t used = st->head.core.slots_used;
	if (used == 0 || used > SLOT_MAX || st->slot[ROOT].kind != SLOT_ROOT)
		return "it has no root";
	if (st->head.nenvs > ENVS_MAX)
		return "its counters are wrong";
	const char *why = slots_fault(st, rows, old);
	if (why == NULL)
		why = tree_fault(st);
	return why != NULL ? why : lists_fault(st);
}
