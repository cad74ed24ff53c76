#include "master/tree_int.h"

/*
 * Applications: the children of the root.  The root restarts nothing; what an
 * application's end means is its start type.  At boot every application starts as soon
 * as those it needs are up, so that one that never comes up holds up only those.
 */

/* Makes the slots of all children of this slot's row, in order. */
void
sup_build(struct tree *t, uint32_t i)
{
	/* rows of children stand behind their parent's; one pass finds them */
	uint32_t row = look(t, i)->row;
	for (uint32_t r = row + 1; r < t->rows->head->nrows; r++) {
		const struct row *ro = &t->rows->row[r];
		if (ro->kind == ROW_APP)
			continue;
		uint32_t p = t->slot_of_row[ro->parent];
		if (p == SLOT_NONE || t->slot_of_row[r] != SLOT_NONE)
			continue;
		if (ro->kind == ROW_TEMPLATE) {
			edit(t, p)->template_row = r;
			edit(t, p)->target = ro->instances;
			continue;
		}
		if ((ro->flags & ROWF_DYNAMIC) != 0)
			continue;
		uint32_t k =
		    slot_new(t, ro->kind == ROW_SUP ? SLOT_SUP : SLOT_WORKER, r, p);
		if (k == SLOT_NONE)
			return;
		t->slot_of_row[r] = k;
	}
}

static uint32_t
app_slot(struct tree *t, uint32_t row)
{
	uint32_t i = slot_new(t, SLOT_APP, row, ROOT);
	if (i == SLOT_NONE)
		return SLOT_NONE;
	t->slot_of_row[row] = i;
	edit(t, i)->flags |= SF_LOADED;
	return i;
}

uint32_t
app_load(struct tree *t, uint32_t row)
{
	uint32_t i = app_slot(t, row);
	if (i == SLOT_NONE)
		return SLOT_NONE;
	sup_build(t, i);
	tell(t, EV_APP_LOADED, i);
	return i;
}

/* One pass over the rows for all applications together: boot is O(rows). */
void
app_load_all(struct tree *t)
{
	uint32_t first = SLOT_NONE;
	for (uint32_t r = 0; r < t->rows->head->nrows; r++)
		if (t->rows->row[r].kind == ROW_APP) {
			uint32_t i = app_slot(t, r);
			if (first == SLOT_NONE)
				first = i;
		}
	if (first != SLOT_NONE)
		sup_build(t, first);
}

void
app_boot(struct tree *t)
{
	for (uint32_t i = look(t, ROOT)->first, next; i != SLOT_NONE; i = next) {
		next = look(t, i)->next;
		if ((row_of(t, i)->flags & (ROWF_LOADED_ONLY | ROWF_DISABLED)) != 0)
			continue;
		if (look(t, i)->phase == PH_DOWN && app_start(t, i, 1) == PR_OK)
			up_started(t, i);
	}
	app_check_node_up(t);
}

/* Those it needs first; it waits for them in PH_AFTER. */
static void
app_start_needed(struct tree *t, uint32_t i)
{
	const struct row *r = row_of(t, i);
	for (uint32_t k = 0; k < r->nafter; k++) {
		uint32_t row = t->rows->word[r->after + k];
		uint32_t need = t->slot_of_row[row];
		if (need == SLOT_NONE)
			need = app_load(t, row);
		if (need == SLOT_NONE || look(t, need)->phase != PH_DOWN)
			continue;
		if (app_start(t, need, 1) == PR_OK)
			up_started(t, need);
	}
}

enum progress
app_start(struct tree *t, uint32_t i, int boot)
{
	edit(t, i)->flags &= ~(uint32_t)SF_HELD;
	if (t->st->head.core.stopping) { /* a reload or a restart came too late */
		set_phase(t, i, PH_DOWN);
		req_done(t, i, AN_STOPPING, REASON(RE_NONE));
		return PR_WAIT;
	}
	if (after_blocked(t, i))
		app_start_needed(t, i);
	if (after_blocked(t, i)) {
		after_wait(t, i);
		return PR_WAIT;
	}
	return sup_start(t, i, boot);
}

void
app_up(struct tree *t, uint32_t i)
{
	uint64_t lifespan = row_of(t, i)->lifespan_ms;
	if (look(t, i)->phase == PH_SUP_UP && lifespan != MS_INFINITY)
		set_timer(t, i, t->now_ms + lifespan);
	app_check_node_up(t);
}

/* The node is up when every application that was to start has been up once, or failed. */
void
app_check_node_up(struct tree *t)
{
	struct state_core *core = &t->st->head.core;
	if (core->node_up || core->stopping)
		return;
	for (uint32_t i = look(t, ROOT)->first; i != SLOT_NONE; i = look(t, i)->next) {
		uint8_t ph = look(t, i)->phase;
		if (ph == PH_SUP_STARTING || ph == PH_AFTER)
			return;
	}
	core->node_up = 1;
	act(t, ACT_NODE_UP, ROOT, 0);
}

/* The exit status that tells why an application has ended. */
static int
status_of(const struct tree *t, uint32_t i, struct reason re)
{
	while (look(t, i)->kind != SLOT_WORKER && re.type == RE_SHUTDOWN &&
	       look(t, i)->cause != SLOT_NONE) {
		i = look(t, i)->cause;
		re = look(t, i)->last;
	}
	if (re.type == RE_EXIT)
		return re.code;
	if (re.type == RE_SIGNAL)
		return 128 + re.code;
	if (re.type == RE_EXEC_FAILED)
		return 127;
	return re.type == RE_NORMAL || re.type == RE_SHUTDOWN ? 0 : 1;
}

void
app_ended(struct tree *t, uint32_t i, struct reason re)
{
	struct slot *s = edit(t, i);
	uint32_t type = s->start_type != 0 ? s->start_type - 1 : row_of(t, i)->restart;
	int by_request = s->req != SLOT_NONE; /* a failed start is only answered */
	s->child = CH_UNDEFINED;
	tell_reason(t, EV_APP_ENDED, i, re);
	req_done(t, i, AN_FAILED, re);
	if (look(t, ROOT)->op == OP_STOP) {
		up_stopped(t, i);
		return;
	}
	int ends_node =
	    type == PERMANENT || (type == TRANSIENT && re.type != RE_NORMAL);
	if (ends_node && !by_request)
		node_stop(t, status_of(t, i, re));
	else
		app_check_node_up(t);
}

void
node_stop(struct tree *t, int status)
{
	struct state_core *core = &t->st->head.core;
	if (core->stopping)
		return;
	core->stopping = 1;
	core->exit_status = status;
	tell_value(t, EV_NODE_STOPPING, ROOT, (uint64_t)(unsigned)status);
	sup_end_self(t, ROOT, REASON(RE_SHUTDOWN));
}

void
node_stopped(struct tree *t)
{
	tell(t, EV_NODE_STOPPED, ROOT);
	act(t, ACT_NODE_END, ROOT, (uint64_t)(unsigned)t->st->head.core.exit_status);
}
