#include "master/tree_int.h"

#include "base/util.h"

/*
 * Another configuration, in one transaction: every slot gets its row in the new block;
 * what differs is put into its supervisor's queue and comes about in its turn.
 *
 *   gone      stopped and freed (PEND_REMOVE)
 *   new       slot made, started in its place (PEND_ADD)
 *   another start command   stopped and started (PEND_BOUNCE)
 *   another policy          only the row changes: nobody notices
 */

/* Another number of instances in the file is another target; the flag says so below. */
static void
pool_follows(
    struct tree *t, uint32_t i, const struct rows *next, const uint32_t *old_row)
{
	const struct slot *s = look(t, i);
	if (s->kind == SLOT_WORKER || s->template_row == SLOT_NONE)
		return;
	uint32_t row = old_row[s->template_row];
	if (row == ROW_NONE)
		return;
	if (t->rows->row[s->template_row].instances != next->row[row].instances) {
		edit(t, i)->target = next->row[row].instances;
		edit(t, i)->flags |= SF_BOUNCE;
	}
	edit(t, i)->template_row = row;
}

static void
slot_follows(
    struct tree *t, uint32_t i, const struct rows *next, const uint32_t *old_row)
{
	struct slot *s = edit(t, i);
	const struct row *before = &t->rows->row[s->row];
	uint32_t row = old_row[s->row];
	pool_follows(t, i, next, old_row);
	if (row == ROW_NONE) {
		s->flags |= SF_REMOVE | SF_OLD_ROW;
		return;
	}
	const struct row *after = &next->row[row];
	s->row = row;
	s->flags &= ~(uint32_t)SF_SIGNIFICANT;
	if ((after->flags & ROWF_SIGNIFICANT) != 0)
		s->flags |= SF_SIGNIFICANT;
	if (s->kind == SLOT_WORKER && before->start_hash != after->start_hash &&
	    child_has_life(t, i))
		s->flags |= SF_BOUNCE; /* queued below, under the new rows */
}

/* A row that no slot has: 0, or -1 when there are no slots left. */
static int
row_arrives(struct tree *t, uint32_t r)
{
	static const uint8_t kinds[] = {
	    [ROW_APP] = SLOT_APP, [ROW_SUP] = SLOT_SUP, [ROW_WORKER] = SLOT_WORKER};
	static const uint32_t flags[] = {[ROW_APP] = SF_LOADED | SF_BOOT,
	    [ROW_SUP] = SF_BOOT,
	    [ROW_WORKER] = SF_NEVER_UP};
	const struct row *ro = &t->rows->row[r];
	uint32_t p = ro->kind == ROW_APP ? (uint32_t)ROOT : t->slot_of_row[ro->parent];
	if (p == SLOT_NONE)
		return 0;
	if (ro->kind == ROW_TEMPLATE) {
		if (look(t, p)->template_row == SLOT_NONE)
			edit(t, p)->target = ro->instances;
		edit(t, p)->template_row = r;
		return 0;
	}
	uint32_t k = slot_new(t, (enum slot_kind)kinds[ro->kind], r, p);
	if (k == SLOT_NONE)
		return -1;
	t->slot_of_row[r] = k;
	edit(t, k)->flags |= flags[ro->kind];
	tell(t, ro->kind == ROW_APP ? EV_APP_LOADED : EV_CHILD_ADDED, k);
	return 0;
}

static void
slots_arrive(struct tree *t)
{
	for (uint32_t r = 0; r < t->rows->head->nrows; r++) {
		if (t->slot_of_row[r] != SLOT_NONE ||
		    (t->rows->row[r].flags & ROWF_DYNAMIC) != 0)
			continue;
		if (row_arrives(t, r) < 0)
			return;
	}
}

/* What a start in order has not come to yet may soon stand before its cursor. */
static void
mark_to_come(struct tree *t, uint32_t i)
{
	const struct slot *s = look(t, i);
	if (s->kind == SLOT_FREE || s->kind == SLOT_WORKER || s->op != OP_START ||
	    s->cursor == SLOT_NONE)
		return;
	edit(t, i)->flags |= SF_PART;
	for (uint32_t c = look(t, s->cursor)->next; c != SLOT_NONE;
	     c = look(t, c)->next)
		if (look(t, c)->child == CH_UNDEFINED && !child_skipped(t, c))
			edit(t, c)->flags |= SF_DUE;
}

static int
is_of_file(const struct tree *t, uint32_t c)
{
	return (look(t, c)->flags & (SF_DYNAMIC | SF_REMOVE)) == 0;
}

static void
to_the_end(struct tree *t, uint32_t i, uint32_t c)
{
	slot_unlink(t, c);
	slot_append(t, i, c);
}

/* One supervisor's children: in the order of the file, the others behind them. */
void
children_sort(struct tree *t, uint32_t i)
{
	edit(t, i)->flags &= ~(uint32_t)SF_UNSORTED;
	for (uint32_t r = 0; r < t->rows->head->nrows; r++) {
		uint32_t c = t->slot_of_row[r];
		if (c != SLOT_NONE && look(t, c)->parent == i && is_of_file(t, c))
			to_the_end(t, i, c);
	}
	uint32_t last = look(t, i)->last_child;
	for (uint32_t c = look(t, i)->first, next; c != last; c = next) {
		next = look(t, c)->next;
		if (!is_of_file(t, c))
			to_the_end(t, i, c);
	}
}

/* Siblings stand in the order of the file, dynamic ones and those that leave behind
 * them; where a stop in order is on its way, as soon as it is through. */
static void
reorder(struct tree *t)
{
	for (uint32_t i = 1; i < t->st->head.core.slots_used; i++)
		mark_to_come(t, i);
	for (uint32_t r = 0; r < t->rows->head->nrows; r++) {
		uint32_t c = t->slot_of_row[r];
		if (c == SLOT_NONE || look(t, c)->next == SLOT_NONE)
			continue;
		uint32_t p = look(t, c)->parent;
		if (look(t, p)->op == OP_STOP)
			edit(t, p)->flags |= SF_UNSORTED;
		else
			to_the_end(t, p, c);
	}
	for (uint32_t c = 1; c < t->st->head.core.slots_used; c++) {
		const struct slot *s = look(t, c);
		if (s->kind != SLOT_FREE && s->number == 0 && !is_of_file(t, c) &&
		    look(t, s->parent)->op != OP_STOP)
			to_the_end(t, s->parent, c);
	}
}

/* Its supervisor waits for this very child, so that nothing queued would ever come. */
static int
is_waited_for(const struct tree *t, uint32_t i)
{
	const struct slot *p = look(t, look(t, i)->parent);
	return p->cursor == i && (p->op == OP_START || p->op == OP_ONE);
}

static void
stop_now(struct tree *t, uint32_t i)
{
	pend_drop(t, i);
	if (child_stop(t, i) != PR_WAIT)
		up_stopped(t, i);
}

static void
bounce_one(struct tree *t, uint32_t i)
{
	struct slot *p = edit(t, look(t, i)->parent);
	if (!is_waited_for(t, i)) {
		edit(t, i)->flags &= ~(uint32_t)SF_BOUNCE;
		pend_add(t, i, PEND_BOUNCE);
		return;
	}
	if (p->op == OP_ONE) {
		edit(t, i)->flags &= ~(uint32_t)SF_BOUNCE;
		p->then = THEN_BOUNCE;
	}
	stop_now(t, i);
}

static void
remove_one(struct tree *t, uint32_t i)
{
	uint32_t p = look(t, i)->parent;
	if (look(t, p)->kind != SLOT_ROOT && look(t, p)->phase == PH_DOWN) {
		subtree_free(t, i);
	} else if (look(t, p)->kind == SLOT_ROOT) {
		if (sup_stop(t, i) != PR_WAIT)
			up_stopped(t, i);
	} else if (is_waited_for(t, i)) {
		stop_now(t, i);
	} else {
		pend_add(t, i, PEND_REMOVE);
	}
}

static void
queue_changes(struct tree *t)
{
	uint32_t used = t->st->head.core.slots_used;
	for (uint32_t i = used; i-- > 1;) {
		const struct slot *s = look(t, i);
		if (s->kind == SLOT_FREE || (s->flags & SF_REMOVE) == 0)
			continue;
		if (look(t, s->parent)->flags & SF_REMOVE)
			continue; /* goes with it */
		remove_one(t, i);
	}
	for (uint32_t r = 0; r < t->rows->head->nrows; r++) {
		uint32_t i = t->slot_of_row[r];
		if (i == SLOT_NONE)
			continue;
		const struct slot *s = look(t, i);
		uint8_t parent_phase = look(t, s->parent)->phase;
		if (s->kind == SLOT_APP) {
			if ((s->flags & SF_BOOT) != 0 && s->phase == PH_DOWN &&
			    (t->rows->row[r].flags &
				(ROWF_LOADED_ONLY | ROWF_DISABLED)) == 0 &&
			    app_start(t, i, 1) == PR_OK)
				up_started(t, i);
		} else if ((s->flags & SF_BOUNCE) != 0 && s->kind == SLOT_WORKER) {
			bounce_one(t, i);
		} else if (s->starts == 0 && s->phase == PH_DOWN &&
			   (parent_phase == PH_SUP_UP ||
			       parent_phase == PH_SUP_STARTING)) {
			pend_add(t, i, PEND_ADD);
		}
	}
}

/* A start that was held up need not be with another strategy. */
static void
starts_go_on(struct tree *t)
{
	for (uint32_t i = 1; i < t->st->head.core.slots_used; i++)
		if (look(t, i)->kind != SLOT_FREE && (look(t, i)->flags & SF_PART) != 0)
			sup_next(t, i);
}

static void
pool_adjust(struct tree *t, uint32_t i)
{
	for (uint32_t c = look(t, i)->first, next; c != SLOT_NONE; c = next) {
		next = look(t, c)->next;
		if ((look(t, c)->flags & SF_BOUNCE) == 0)
			continue;
		edit(t, c)->flags &= ~(uint32_t)SF_BOUNCE;
		pend_add(t, c, PEND_BOUNCE);
	}
	if ((look(t, i)->flags & SF_BOUNCE) == 0)
		return;
	edit(t, i)->flags &= ~(uint32_t)SF_BOUNCE;
	pool_scale(t, i, look(t, i)->target);
}

static void
pools_adjust(struct tree *t)
{
	for (uint32_t i = 1; i < t->st->head.core.slots_used; i++) {
		const struct slot *s = look(t, i);
		int pool = (s->kind == SLOT_SUP || s->kind == SLOT_APP) &&
			   s->template_row != SLOT_NONE;
		if (pool && (s->flags & SF_REMOVE) == 0)
			pool_adjust(t, i);
	}
}

uint32_t
tree_leavers(const struct tree *t)
{
	uint32_t n = 0;
	for (uint32_t i = 1; i < t->st->head.core.slots_used; i++)
		n += look(t, i)->kind != SLOT_FREE &&
		     (look(t, i)->flags & SF_OLD_ROW) != 0;
	return n;
}

void
tree_reload(struct tree *t, const struct rows *next, const uint32_t *old_row)
{
	tree_begin(t);
	for (uint32_t i = 1; i < t->st->head.core.slots_used; i++)
		if (look(t, i)->kind != SLOT_FREE)
			slot_follows(t, i, next, old_row);
	req_follow(t, old_row);
	t->old = t->rows;
	t->rows = next;
	t->st->head.core.rows_seq++;
	tree_index(t);
	slots_arrive(t);
	reorder(t);
	pools_adjust(t);
	queue_changes(t);
	starts_go_on(t);
	after_wake(t);
	tell_value(t, EV_RELOADED, ROOT, next->head->nrows);
	tree_commit(t);
}
