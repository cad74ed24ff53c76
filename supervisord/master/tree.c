#include "master/tree.h"

#include <string.h>

#include "base/util.h"
#include "master/tree_int.h"

/* Stores of one transaction reach the mapped file in program order: only the compiler
 * could change that, since whoever reads them later sees what this process stored. */
#define ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* --- transactions ----------------------------------------------------------------- */

void
tree_begin(struct tree *t)
{
	struct state_head *h = &t->st->head;
	h->core_undo = h->core;
	ORDER();
	h->undo_core = 1;
	ORDER();
	h->core.nsteps++;
	t->nevents = 0;
}

struct slot *
edit(struct tree *t, uint32_t i)
{
	struct state_head *h = &t->st->head;
	struct slot *s = &t->st->slot[i];
	uint32_t step = (uint32_t)h->core.nsteps;
	if (s->step == step)
		return s;
	struct undo_entry *u = &t->st->undo[h->undo_n];
	u->index = i;
	u->slot = *s;
	ORDER();
	h->undo_n++;
	ORDER();
	s->step = step;
	s->seq++;
	return s;
}

void
tree_commit(struct tree *t)
{
	struct state_head *h = &t->st->head;
	ORDER();
	for (uint32_t k = 0; k < h->undo_n; k++)
		t->st->slot[t->st->undo[k].index].seq++;
	h->event_n += t->nevents;
	ORDER();
	h->undo_n = 0;
	ORDER();
	h->undo_core = 0;
	ORDER();
}

void
tree_roll_back(struct tree *t)
{
	struct state_head *h = &t->st->head;
	for (uint32_t k = MIN(h->undo_n, (uint32_t)SLOT_MAX); k > 0; k--) {
		const struct undo_entry *u = &t->st->undo[k - 1];
		if (u->index < SLOT_MAX)
			t->st->slot[u->index] = u->slot;
	}
	if (h->undo_core)
		h->core = h->core_undo;
	h->undo_n = 0;
	h->undo_core = 0;
}

/* --- actions, events, timers ------------------------------------------------------- */

void
act(struct tree *t, enum action_type type, uint32_t slot, uint64_t value)
{
	if (t->nact == ACTIONS_CAP)
		return;
	t->act[t->nact++] = (struct action){.type = type, .slot = slot, .value = value};
}

void
set_timer(struct tree *t, uint32_t i, uint64_t at_ms)
{
	if (look(t, i)->timer_ms == at_ms)
		return;
	edit(t, i)->timer_ms = at_ms;
	act(t, ACT_TIMER, i, 0);
}

void
set_watchdog(struct tree *t, uint32_t i, uint64_t at_ms)
{
	if (look(t, i)->watchdog_ms == at_ms)
		return;
	edit(t, i)->watchdog_ms = at_ms;
	act(t, ACT_TIMER, i, 0);
}

void
set_phase(struct tree *t, uint32_t i, enum phase phase)
{
	struct slot *s = edit(t, i);
	s->phase = (uint8_t)phase;
	s->since_ms = t->now_ms;
}

struct event *
tell(struct tree *t, enum event_type type, uint32_t slot)
{
	uint64_t n = t->st->head.event_n + ++t->nevents;
	struct event *ev = &t->st->event[n % EVENT_RING];
	const struct slot *s = look(t, slot);
	*ev = (struct event){.n = n,
	    .real_ms = t->real_ms,
	    .now_ms = t->now_ms,
	    .slot = slot,
	    .gen = s->gen,
	    .type = (uint8_t)type,
	    .pid = s->pid};
	slot_id(rows_of(t, slot), s, ev->id);
	return ev;
}

void
tell_reason(struct tree *t, enum event_type type, uint32_t slot, struct reason re)
{
	tell(t, type, slot)->reason = re;
}

void
tell_value(struct tree *t, enum event_type type, uint32_t slot, uint64_t value)
{
	tell(t, type, slot)->value = value;
}

uint32_t
tree_random(struct tree *t, uint32_t below)
{
	uint64_t x = t->st->head.core.rng;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	t->st->head.core.rng = x;
	return (uint32_t)((x >> 16) % below);
}

/* --- slots ------------------------------------------------------------------------ */

static uint32_t
slot_take(struct tree *t)
{
	struct state_core *core = &t->st->head.core;
	uint32_t i = core->free_slot;
	if (i != SLOT_NONE) {
		core->free_slot = look(t, i)->next;
		return i;
	}
	return core->slots_used < SLOT_MAX ? core->slots_used++ : (uint32_t)SLOT_NONE;
}

void
slot_append(struct tree *t, uint32_t parent, uint32_t i)
{
	struct slot *p = edit(t, parent), *s = edit(t, i);
	s->parent = parent;
	s->prev = p->last_child;
	s->next = SLOT_NONE;
	if (p->last_child == SLOT_NONE)
		p->first = i;
	else
		edit(t, p->last_child)->next = i;
	p->last_child = i;
	p->nchildren++;
}

void
slot_unlink(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i), *p = edit(t, s->parent);
	if (s->prev == SLOT_NONE)
		p->first = s->next;
	else
		edit(t, s->prev)->next = s->next;
	if (s->next == SLOT_NONE)
		p->last_child = s->prev;
	else
		edit(t, s->next)->prev = s->prev;
	p->nchildren--;
	s->prev = s->next = SLOT_NONE;
}

static void
slot_reset(struct slot *s, enum slot_kind kind, uint32_t row)
{
	uint32_t seq = s->seq, step = s->step, gen = s->gen;
	memset(s, 0, sizeof *s);
	s->seq = seq;
	s->step = step;
	s->gen = gen; /* goes on: a late word to the old owner is not for the new one */
	s->kind = (uint8_t)kind;
	s->row = row;
	s->parent = s->prev = s->next = SLOT_NONE;
	s->first = s->last_child = SLOT_NONE;
	s->pend_next = s->pend_first = s->pend_last = SLOT_NONE;
	s->cursor = s->bound = s->req = SLOT_NONE;
	s->window = s->template_row = s->cause = s->after_next = SLOT_NONE;
}

uint32_t
slot_new(struct tree *t, enum slot_kind kind, uint32_t row, uint32_t parent)
{
	uint32_t i = slot_take(t);
	if (i == SLOT_NONE)
		return SLOT_NONE;
	slot_reset(edit(t, i), kind, row);
	struct slot *s = edit(t, i);
	if (kind != SLOT_ROOT) {
		const struct row *r = row_of(t, i);
		if ((r->flags & ROWF_SIGNIFICANT) != 0)
			s->flags |= SF_SIGNIFICANT;
		if ((r->flags & ROWF_DISABLED) != 0)
			s->flags |= SF_DISABLED;
		slot_append(t, parent, i);
	}
	if (kind == SLOT_WORKER) {
		t->st->head.core.nworkers++;
		t->st->nargs[i] = 0;
		t->st->status[i][0] = '\0';
	} else {
		window_take(t, i);
	}
	act(t, ACT_ADDED, i, 0);
	return i;
}

void
slot_free(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	set_timer(t, i, 0);
	set_watchdog(t, i, 0);
	if (s->kind == SLOT_WORKER)
		t->st->head.core.nworkers--;
	else
		window_release(t, i);
	slot_unlink(t, i);
	if ((s->flags & SF_OLD_ROW) == 0 && t->slot_of_row[s->row] == i)
		t->slot_of_row[s->row] = SLOT_NONE;
	slot_reset(s, SLOT_FREE, 0);
	s->next = t->st->head.core.free_slot;
	t->st->head.core.free_slot = i;
	act(t, ACT_REMOVED, i, t->st->head.event_n + t->nevents);
}

/* --- the entry -------------------------------------------------------------------- */

void
tree_init(struct tree *t, uint64_t seed)
{
	struct state_core *core = &t->st->head.core;
	core->free_slot = SLOT_NONE;
	core->after_first = SLOT_NONE;
	core->rng = seed | 1;
	tree_index(t);
	tree_begin(t);
	uint32_t root = slot_new(t, SLOT_ROOT, 0, SLOT_NONE);
	set_phase(t, root, PH_SUP_UP);
	app_load_all(t);
	tree_commit(t);
}

void
tree_index(struct tree *t)
{
	for (uint32_t r = 0; r < t->rows->head->nrows; r++)
		t->slot_of_row[r] = SLOT_NONE;
	for (uint32_t i = 0; i < t->st->head.core.slots_used; i++) {
		const struct slot *s = look(t, i);
		if (s->kind == SLOT_FREE || s->kind == SLOT_ROOT ||
		    (s->flags & SF_OLD_ROW) != 0)
			continue;
		if (t->rows->row[s->row].kind != ROW_TEMPLATE)
			t->slot_of_row[s->row] = i;
	}
}

void
tree_step(struct tree *t, const struct input *in)
{
	tree_begin(t);
	if (in->type == IN_NODE_START)
		app_boot(t);
	else if (in->type == IN_NODE_STOP)
		node_stop(t, (int)in->value);
	else if (in->type == IN_REQUEST)
		req_take(t, in->req);
	else if (look(t, in->slot)->kind == SLOT_WORKER)
		worker_input(t, in);
	else if (in->type == IN_TIMER && look(t, in->slot)->kind != SLOT_FREE)
		sup_timer(t, in->slot);
	tree_commit(t);
}

void
tree_recover(struct tree *t)
{
	tree_roll_back(t);
	tree_index(t);
	t->nreq = 0;
	memset(t->req, 0, sizeof t->req);
	tree_begin(t);
	for (uint32_t i = 0; i < t->st->head.core.slots_used; i++) {
		const struct slot *s = look(t, i);
		if (s->kind == SLOT_FREE)
			continue;
		if (s->req != SLOT_NONE)
			edit(t, i)->req = SLOT_NONE;
		if (s->kind == SLOT_WORKER)
			worker_recover(t, i);
		else if (s->timer_ms != 0)
			act(t, ACT_TIMER, i, 0);
	}
	tree_commit(t);
}
