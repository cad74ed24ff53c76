#include "master/tree_int.h"

/*
 * `after =` of workers and supervisors, and the applications an application needs:
 * a child in PH_AFTER waits until all of them are up.  The waiting ones form one list;
 * it is walked when something comes up, and is empty in a node at rest.
 */

static int
row_is_up(const struct tree *t, uint32_t row)
{
	uint32_t i = t->slot_of_row[row];
	if (i == SLOT_NONE)
		return 0;
	uint8_t ph = look(t, i)->phase;
	return ph == PH_UP || ph == PH_DONE || ph == PH_SUP_UP;
}

int
after_blocked(const struct tree *t, uint32_t i)
{
	const struct row *r = row_of(t, i);
	if ((look(t, i)->flags & SF_OLD_ROW) != 0)
		return 0;
	for (uint32_t k = 0; k < r->nafter; k++)
		if (!row_is_up(t, t->rows->word[r->after + k]))
			return 1;
	return 0;
}

void
after_wait(struct tree *t, uint32_t i)
{
	struct state_core *core = &t->st->head.core;
	set_phase(t, i, PH_AFTER);
	edit(t, i)->after_next = core->after_first;
	core->after_first = i;
}

void
after_forget(struct tree *t, uint32_t i)
{
	struct state_core *core = &t->st->head.core;
	uint32_t prev = SLOT_NONE, k = core->after_first;
	while (k != SLOT_NONE && k != i) { /* GCOVR_EXCL_BR_LINE: it is in the list */
		prev = k;
		k = look(t, k)->after_next;
	}
	if (k == SLOT_NONE) /* GCOVR_EXCL_BR_LINE: tree_check sees to it */
		return;	    /* GCOVR_EXCL_LINE */
	if (prev == SLOT_NONE)
		core->after_first = look(t, i)->after_next;
	else
		edit(t, prev)->after_next = look(t, i)->after_next;
	edit(t, i)->after_next = SLOT_NONE;
}

/* The one to go next: it is taken off the list before it starts, since its start may
 * wake others. */
static uint32_t
after_pick(struct tree *t)
{
	uint32_t i = t->st->head.core.after_first;
	/* one that leaves is not started any more */
	while (i != SLOT_NONE &&
	       ((look(t, i)->flags & SF_OLD_ROW) != 0 || after_blocked(t, i)))
		i = look(t, i)->after_next;
	return i;
}

static void
after_release(struct tree *t, uint32_t i)
{
	const struct slot *s = look(t, i);
	if (s->kind == SLOT_APP) {
		enum progress pr = app_start(t, i, 1);
		if (pr == PR_OK)
			up_started(t, i);
	} else if (s->child == CH_RESTARTING && look(t, s->parent)->cursor != i) {
		set_phase(t, i, PH_DOWN);
		pend_add(t, i, PEND_DELAYED);
	} else if (s->kind == SLOT_SUP) {
		if (sup_start(t, i, (s->flags & SF_BOOT) != 0) == PR_OK)
			up_started(t, i);
	} else {
		worker_launch(t, i);
	}
}

void
after_wake(struct tree *t)
{
	for (;;) {
		uint32_t i = after_pick(t);
		if (i == SLOT_NONE)
			return;
		after_forget(t, i);
		after_release(t, i);
	}
}
