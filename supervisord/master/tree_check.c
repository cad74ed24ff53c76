#include "master/tree_int.h"

/*
 * What always holds between two steps.  The simulation calls tree_check after each.
 */

static const char *
check_worker(const struct tree *t, uint32_t i)
{
	const struct slot *s = look(t, i);
	int process_phase = s->phase == PH_STARTING || s->phase == PH_UP;
	if (process_phase && s->pid == 0)
		return "a worker is up without a process";
	if ((s->phase == PH_DOWN || s->phase == PH_BACKOFF || s->phase == PH_AFTER ||
		s->phase == PH_DONE || s->phase == PH_SWEEP) &&
	    s->pid != 0)
		return "a worker that is down has a process";
	if (s->phase == PH_BACKOFF && s->timer_ms == 0)
		return "a worker waits for ever for its backoff";
	if (s->phase >= PH_SUP_STARTING)
		return "a worker is in a supervisor's phase";
	if ((s->flags & SF_WAITING) != 0 && s->timer_ms == 0)
		return "a worker waits for ever for resources";
	return 0;
}

static const char *
check_idle(const struct tree *t, uint32_t i)
{
	const struct slot *s = look(t, i);
	if (s->phase != PH_SUP_UP || s->op != OP_NONE)
		return 0;
	if (s->pend_first != SLOT_NONE)
		return "an idle supervisor has something in its queue";
	return 0;
}

/* No child is forgotten: what is down and wanted has a timer, a queue or a reason. */
static const char *
check_child(const struct tree *t, uint32_t i, uint32_t c)
{
	const struct slot *s = look(t, i), *k = look(t, c);
	if (s->phase == PH_DOWN && k->phase != PH_DOWN)
		return "a supervisor is down and its child is not";
	if (s->phase != PH_SUP_UP || s->op != OP_NONE || s->kind == SLOT_ROOT)
		return 0;
	if (k->child == CH_RESTARTING && k->timer_ms == 0 && k->phase == PH_DOWN)
		return "a child that is to be restarted was forgotten";
	if (k->child == CH_PID && k->phase == PH_DOWN)
		return "a dead child counts as alive";
	return 0;
}

static const char *
check_sup(const struct tree *t, uint32_t i)
{
	const struct slot *s = look(t, i);
	uint32_t n = 0, prev = SLOT_NONE;
	for (uint32_t c = s->first; c != SLOT_NONE; c = look(t, c)->next) {
		if (look(t, c)->parent != i || look(t, c)->prev != prev)
			return "the list of children is broken";
		const char *why = check_child(t, i, c);
		if (why != 0)
			return why;
		prev = c;
		n++;
	}
	if (n != s->nchildren || s->last_child != prev)
		return "the number of children is wrong";
	return check_idle(t, i);
}

/* Those in PH_AFTER and the list of them are the same. */
static const char *
check_after(const struct tree *t)
{
	uint32_t waiting = 0, listed = 0;
	for (uint32_t i = 0; i < t->st->head.core.slots_used; i++)
		waiting +=
		    look(t, i)->kind != SLOT_FREE && look(t, i)->phase == PH_AFTER;
	for (uint32_t i = t->st->head.core.after_first; i != SLOT_NONE;
	     i = look(t, i)->after_next)
		if (look(t, i)->phase != PH_AFTER || ++listed > waiting)
			return "the list of the waiting is broken";
	return listed == waiting ? 0 : "one that waits for others was forgotten";
}

const char *
tree_check(const struct tree *t)
{
	if (t->st->head.undo_n != 0)
		return "a step did not commit";
	for (uint32_t i = 0; i < t->st->head.core.slots_used; i++) {
		const struct slot *s = look(t, i);
		if (s->kind == SLOT_FREE)
			continue;
		const char *why =
		    s->kind == SLOT_WORKER ? check_worker(t, i) : check_sup(t, i);
		if (why != 0)
			return why;
		if ((s->seq & 1) != 0)
			return "a slot was left open for writing";
	}
	return check_after(t);
}
