#include "master/tree_int.h"

#include <string.h>

#include "base/util.h"

/*
 * What operators and programs ask for.  A request is checked, then it waits in its
 * supervisor's queue, between the exits that came before and after it; the operator's
 * stop alone is carried out at once.  While it is under way its index stands in the
 * child's slot (`req`), and req_done answers it when the child has come or gone.
 */

static void
answer(struct tree *t, uint32_t ref, enum answer an, uint32_t slot, struct reason re)
{
	uint32_t before = t->nact;
	act(t, ACT_REPLY, slot, an);
	if (t->nact > before) {
		t->act[t->nact - 1].ref = ref;
		t->act[t->nact - 1].reason = re;
	}
}

static void
req_free(struct tree *t, struct pending_req *q)
{
	q->used = 0;
	t->nreq--;
}

static void
req_answer(struct tree *t, struct pending_req *q, enum answer an, uint32_t slot)
{
	answer(t, q->ref, an, slot, REASON(RE_NONE));
	req_free(t, q);
}

void
req_done(struct tree *t, uint32_t c, enum answer an, struct reason re)
{
	uint32_t k = look(t, c)->req;
	if (k == SLOT_NONE)
		return;
	edit(t, c)->req = SLOT_NONE;
	answer(t, t->req[k].ref, an, c, re);
	req_free(t, &t->req[k]);
}

/* The supervisor ends: those that waited in its queue are told. */
void
req_drop_sup(struct tree *t, uint32_t sup)
{
	for (uint32_t k = 0; t->nreq > 0 && k < REQ_MAX; k++)
		if (t->req[k].used && t->req[k].sup == sup) {
			answer(t, t->req[k].ref, AN_STOPPING, t->req[k].slot,
			    REASON(RE_NONE));
			req_free(t, &t->req[k]);
		}
}

/* The child goes for ever: its slot may soon be another's, for whom nothing was asked. */
void
req_drop_child(struct tree *t, uint32_t c)
{
	req_done(t, c, AN_UNKNOWN, REASON(RE_NOPROC));
	for (uint32_t k = 0; t->nreq > 0 && k < REQ_MAX; k++)
		if (t->req[k].used && t->req[k].sup != SLOT_NONE && t->req[k].slot == c)
			req_answer(t, &t->req[k], AN_UNKNOWN, SLOT_NONE);
}

/* Other rows are in force: a row that is still to be started has its new number. */
void
req_follow(struct tree *t, const uint32_t *old_row)
{
	for (uint32_t k = 0; t->nreq > 0 && k < REQ_MAX; k++) {
		struct pending_req *q = &t->req[k];
		if (!q->used || q->sup == SLOT_NONE || q->verb != VERB_START_CHILD)
			continue;
		q->row = old_row[q->row];
		if (q->row == ROW_NONE) {
			answer(t, q->ref, AN_STALE, SLOT_NONE, REASON(RE_NONE));
			req_free(t, q);
		}
	}
}

/* From now on the request is about this child and no longer waits. */
static void
req_under_way(struct tree *t, struct pending_req *q, uint32_t c)
{
	uint32_t k = (uint32_t)(q - t->req);
	if (look(t, c)->req != SLOT_NONE)
		req_done(
		    t, c, AN_BUSY, REASON(RE_NONE)); /* a newer one took its place */
	q->sup = SLOT_NONE;
	q->slot = c;
	edit(t, c)->req = k;
}

static int
is_pool_sup(const struct tree *t, uint32_t i)
{
	return row_of(t, i)->strategy == SIMPLE_ONE_FOR_ONE;
}

/* A restart that waits for its time is not running; one its supervisor works on is. */
static int
running(const struct tree *t, uint32_t c)
{
	const struct slot *s = look(t, c), *p = look(t, s->parent);
	int waits = s->phase == PH_BACKOFF || s->phase == PH_AFTER;
	int worked_on = p->op != OP_NONE && p->cursor == c;
	return child_has_life(t, c) &&
	       (worked_on || !waits || s->child != CH_RESTARTING);
}

/* --- start ------------------------------------------------------------------------ */

static void
do_start(struct tree *t, struct pending_req *q, uint32_t sup)
{
	uint32_t c = q->slot;
	struct slot *s = edit(t, c);
	int was_held = (s->flags & (SF_HELD | SF_FORGOTTEN)) != 0;
	s->flags &= ~(uint32_t)(SF_HELD | SF_FORGOTTEN);
	if (was_held)
		tell(t, EV_RELEASED, c);
	if (running(t, c)) {
		req_answer(t, q, AN_ALREADY, c);
		return;
	}
	pend_drop(t, c);
	if (s->phase == PH_BACKOFF || s->phase == PH_AFTER)
		(void)child_stop(t, c);
	s->backoff_ms = 0;
	s->child = is_pool_sup(t, sup) ? CH_RESTARTING : CH_UNDEFINED;
	req_under_way(t, q, c);
	one_start(t, sup, c, THEN_REQ);
}

/* OTP's start_child of a pool: a new instance with arguments. */
static void
do_start_instance(struct tree *t, struct pending_req *q, uint32_t sup)
{
	uint32_t c = sup_instance_new(t, sup);
	if (c == SLOT_NONE) {
		req_answer(t, q, AN_BUSY, SLOT_NONE);
		return;
	}
	memcpy(t->st->args[c], q->args, q->nargs);
	t->st->nargs[c] = (uint16_t)q->nargs;
	tell(t, EV_CHILD_ADDED, c);
	req_under_way(t, q, c);
	one_start(t, sup, c, THEN_REQ);
}

/* OTP's start_child with a specification: a row marked `dynamic`, or one that is
 * forgotten, which comes back in its old place. */
static void
do_start_spec(struct tree *t, struct pending_req *q, uint32_t sup)
{
	uint32_t c = t->slot_of_row[q->row];
	if (c != SLOT_NONE && (look(t, c)->flags & SF_FORGOTTEN) != 0) {
		q->slot = c;
		do_start(t, q, sup);
		return;
	}
	if (c != SLOT_NONE) {
		req_answer(t, q, AN_ALREADY, c);
		return;
	}
	const struct row *r = &t->rows->row[q->row];
	c = slot_new(t, r->kind == ROW_SUP ? SLOT_SUP : SLOT_WORKER, q->row, sup);
	if (c == SLOT_NONE) {
		req_answer(t, q, AN_BUSY, SLOT_NONE);
		return;
	}
	t->slot_of_row[q->row] = c;
	edit(t, c)->flags |= SF_DYNAMIC;
	if (r->kind == ROW_SUP)
		sup_build(t, c);
	else {
		memcpy(t->st->args[c], q->args, q->nargs);
		t->st->nargs[c] = (uint16_t)q->nargs;
	}
	tell(t, EV_CHILD_ADDED, c);
	req_under_way(t, q, c);
	one_start(t, sup, c, THEN_REQ);
}

static void
do_start_child(struct tree *t, struct pending_req *q, uint32_t sup)
{
	if (is_pool_sup(t, sup))
		do_start_instance(t, q, sup);
	else
		do_start_spec(t, q, sup);
}

/* --- stop ------------------------------------------------------------------------- */

static void
do_terminate(struct tree *t, struct pending_req *q, uint32_t sup)
{
	uint32_t c = q->slot;
	req_under_way(t, q, c);
	one_stop(t, sup, c, THEN_REQ);
}

/* The operator's stop: at once, and it holds until `start`. */
static void
do_stop_now(struct tree *t, struct pending_req *q)
{
	uint32_t c = q->slot;
	struct slot *s = edit(t, c);
	s->flags |= SF_HELD;
	s->flags &= ~(uint32_t)SF_BOUNCE;
	tell(t, EV_HELD, c);
	pend_drop(t, c);
	req_done(t, c, AN_BUSY, REASON(RE_NONE)); /* a restart that waited */
	if (!running(t, c)) {
		if (s->phase == PH_BACKOFF || s->phase == PH_AFTER)
			(void)child_stop(t, c);
		s->child = CH_UNDEFINED;
		s->flags &= ~(uint32_t)SF_DUE;
		req_answer(t, q, AN_OK, c);
		if (look(t, s->parent)->op == OP_NONE)
			sup_next(t, s->parent); /* those behind it need not wait */
		return;
	}
	req_under_way(t, q, c);
	if (child_stop(t, c) != PR_WAIT)
		up_stopped(t, c);
}

/* Stop and start; a supervisor that waits for this very child does it at once. */
static void
do_restart(struct tree *t, struct pending_req *q, uint32_t sup)
{
	uint32_t c = q->slot;
	const struct slot *p = look(t, sup);
	edit(t, c)->flags &= ~(uint32_t)SF_HELD;
	int waited_for = p->cursor == c && (p->op == OP_START || p->op == OP_ONE);
	if (!waited_for && !is_pool_sup(t, sup)) {
		req_under_way(t, q, c);
		pend_add(t, c, PEND_BOUNCE);
		return;
	}
	if (!running(t, c)) {
		do_start(t, q, sup);
		return;
	}
	req_under_way(t, q, c);
	if (p->op == OP_ONE)
		edit(t, sup)->then = THEN_BOUNCE;
	else
		edit(t, c)->flags |= SF_BOUNCE;
	if (child_stop(t, c) != PR_WAIT)
		up_stopped(t, c);
}

/* --- the rest of OTP's interface --------------------------------------------------- */

static void
do_restart_child(struct tree *t, struct pending_req *q, uint32_t sup)
{
	uint32_t c = q->slot;
	if (is_pool_sup(t, sup))
		req_answer(t, q, AN_POOL, c);
	else if (look(t, c)->child == CH_RESTARTING)
		req_answer(t, q, AN_RESTARTING, c);
	else if (look(t, c)->child == CH_PID)
		req_answer(t, q, AN_RUNNING, c);
	else
		do_start(t, q, sup);
}

static void
do_delete_child(struct tree *t, struct pending_req *q, uint32_t sup)
{
	uint32_t c = q->slot;
	if (is_pool_sup(t, sup)) {
		req_answer(t, q, AN_POOL, c);
	} else if (look(t, c)->child == CH_RESTARTING) {
		req_answer(t, q, AN_RESTARTING, c);
	} else if (look(t, c)->child == CH_PID) {
		req_answer(t, q, AN_RUNNING, c);
	} else if ((look(t, c)->flags & SF_DYNAMIC) != 0) {
		req_answer(t, q, AN_OK, c);
		subtree_free(t, c);
	} else { /* a static one comes back with its supervisor */
		edit(t, c)->flags |= SF_FORGOTTEN;
		req_answer(t, q, AN_OK, c);
	}
}

static void
req_run(struct tree *t, struct pending_req *q, uint32_t sup)
{
	switch ((enum verb)q->verb) {
	case VERB_START:
		do_start(t, q, sup);
		return;
	case VERB_START_CHILD:
		do_start_child(t, q, sup);
		return;
	case VERB_TERMINATE_CHILD:
		do_terminate(t, q, sup);
		return;
	case VERB_RESTART_CHILD:
		do_restart_child(t, q, sup);
		return;
	case VERB_DELETE_CHILD:
		do_delete_child(t, q, sup);
		return;
	case VERB_NONE:
	case VERB_STOP:
	case VERB_RESTART:
	case VERB_ENABLE:
	case VERB_DISABLE:
	case VERB_SIGNAL:
	case VERB_SCALE:
	case VERB_APP_LOAD:
	case VERB_APP_UNLOAD:
	case VERB_APP_START:
	case VERB_APP_STOP:
	case VERB_APP_SETENV:
	case VERB_RELOAD:
	case VERB_SHUTDOWN:
	case VERB_REEXEC:
	case VERB_LOG_REOPEN:
	case VERB_MAX:
		break;
	}
	req_answer(t, q, AN_UNSUPPORTED, q->slot);
}

/* The first request in this supervisor's queue, if it came before the ticket. */
int
req_next(struct tree *t, uint32_t sup, uint32_t before_ticket)
{
	struct pending_req *first = NULL;
	for (uint32_t k = 0; k < REQ_MAX; k++) {
		struct pending_req *q = &t->req[k];
		if (q->used && q->sup == sup && q->ticket < before_ticket &&
		    (first == NULL || q->ticket < first->ticket))
			first = q;
	}
	if (first == NULL)
		return 0;
	uint32_t c = first->slot;
	int known =
	    c == SLOT_NONE ||
	    ((look(t, c)->flags & SF_REMOVE) == 0 &&
		(first->verb == VERB_START || (look(t, c)->flags & SF_FORGOTTEN) == 0));
	first->sup = SLOT_NONE;
	if (!known)
		req_answer(t, first, AN_UNKNOWN, SLOT_NONE); /* it went meanwhile */
	else
		req_run(t, first, sup);
	return 1;
}

/* --- applications ------------------------------------------------------------------ */

static void
app_request_start(struct tree *t, struct pending_req *q, uint64_t type)
{
	uint32_t i = t->slot_of_row[q->row];
	if (i == SLOT_NONE)
		i = app_load(t, q->row);
	if (i == SLOT_NONE) {
		req_answer(t, q, AN_BUSY, SLOT_NONE);
	} else if (look(t, i)->phase != PH_DOWN) {
		req_answer(t, q, AN_ALREADY, i);
	} else {
		edit(t, i)->start_type = (uint32_t)type;
		req_under_way(t, q, i);
		if (app_start(t, i, 0) == PR_OK)
			up_started(t, i);
	}
}

/* Stopped and, in up_stopped, started again. */
static void
app_request_restart(struct tree *t, struct pending_req *q)
{
	uint32_t i = q->slot;
	q->row = look(t, i)->row;
	if (look(t, i)->phase == PH_DOWN) {
		app_request_start(t, q, 0);
		return;
	}
	edit(t, i)->flags |= SF_BOUNCE;
	req_under_way(t, q, i);
	if (sup_stop(t, i) != PR_WAIT)
		up_stopped(t, i);
}

static void
app_request(struct tree *t, struct pending_req *q, uint64_t value)
{
	uint32_t i = t->slot_of_row[q->row];
	int is_running = i != SLOT_NONE && look(t, i)->phase != PH_DOWN;
	if (q->verb == VERB_APP_START) {
		app_request_start(t, q, value);
	} else if (q->verb == VERB_APP_LOAD) {
		enum answer an = AN_ALREADY;
		if (i == SLOT_NONE) {
			i = app_load(t, q->row);
			an = i == SLOT_NONE ? AN_BUSY : AN_OK;
		}
		req_answer(t, q, an, i);
	} else if (i == SLOT_NONE) {
		req_answer(t, q, AN_NOT_RUNNING, SLOT_NONE);
	} else if (q->verb == VERB_APP_UNLOAD && is_running) {
		req_answer(t, q, AN_RUNNING, i);
	} else if (q->verb == VERB_APP_UNLOAD) {
		tell(t, EV_APP_UNLOADED, i);
		req_answer(t, q, AN_OK, i);
		subtree_free(t, i);
	} else if (!is_running) {
		req_answer(t, q, AN_NOT_RUNNING, i);
	} else {
		req_under_way(t, q, i);
		if (sup_stop(t, i) != PR_WAIT)
			up_stopped(t, i);
	}
}

/* --- the entry -------------------------------------------------------------------- */

static struct pending_req *
req_new(struct tree *t, const struct msg_request *m)
{
	for (uint32_t k = 0; k < REQ_MAX; k++) {
		struct pending_req *q = &t->req[k];
		if (q->used)
			continue;
		q->used = 1;
		q->ref = m->m.ref;
		q->verb = m->verb;
		q->slot = m->m.slot;
		q->row = m->row;
		q->sup = SLOT_NONE;
		q->ticket = ++t->st->head.core.ticket;
		q->nargs = MIN(m->text_len, (uint32_t)ARGS_MAX);
		memcpy(q->args, m->text, q->nargs);
		t->nreq++;
		return q;
	}
	answer(t, m->m.ref, AN_BUSY, m->m.slot, REASON(RE_NONE));
	return NULL;
}

static int
slot_known(const struct tree *t, uint32_t i)
{
	return i != ROOT && i < t->st->head.core.slots_used &&
	       look(t, i)->kind != SLOT_FREE;
}

static int
verb_is_app(uint32_t verb)
{
	return verb == VERB_APP_LOAD || verb == VERB_APP_UNLOAD ||
	       verb == VERB_APP_START || verb == VERB_APP_STOP;
}

/* What of the message is wrong, or AN_OK. */
static enum answer
req_check(const struct tree *t, const struct msg_request *m)
{
	int needs_row = verb_is_app(m->verb) || m->verb == VERB_START_CHILD;
	if (m->rows_seq != t->st->head.core.rows_seq)
		return AN_STALE;
	if (t->st->head.core.stopping)
		return AN_STOPPING;
	if (needs_row && m->row >= t->rows->head->nrows)
		return AN_UNKNOWN;
	if (verb_is_app(m->verb))
		return t->rows->row[m->row].kind == ROW_APP ? AN_OK : AN_UNKNOWN;
	if (!slot_known(t, m->m.slot))
		return AN_UNKNOWN;
	const struct slot *s = look(t, m->m.slot);
	if ((s->flags & SF_REMOVE) != 0)
		return AN_UNKNOWN; /* it is on its way out */
	if (s->kind == SLOT_WORKER && m->m.gen != 0 && m->m.gen != s->gen)
		return AN_UNKNOWN;
	if (m->verb == VERB_START_CHILD) {
		if (s->kind == SLOT_WORKER)
			return AN_UNSUPPORTED;
		if (t->rows->row[m->row].parent != s->row)
			return AN_UNKNOWN;
	}
	return AN_OK;
}

static void
req_flag(struct tree *t, struct pending_req *q)
{
	if (q->verb == VERB_DISABLE)
		edit(t, q->slot)->flags |= SF_DISABLED;
	else
		edit(t, q->slot)->flags &= ~(uint32_t)SF_DISABLED;
	req_answer(t, q, AN_OK, q->slot);
}

static void
req_scale(struct tree *t, struct pending_req *q, uint64_t value)
{
	uint32_t i = q->slot;
	if (look(t, i)->kind == SLOT_WORKER || !is_pool_sup(t, i)) {
		req_answer(t, q, AN_NOT_POOL, i);
	} else if (value > SLOT_MAX - 1 - t->st->head.core.nworkers) {
		req_answer(t, q, AN_BUSY, i);
	} else {
		pool_scale(t, i, (uint32_t)value);
		req_answer(t, q, AN_OK, i);
	}
}

/* A request about one child of a supervisor, or of a supervisor about its children. */
static void
req_enqueue(struct tree *t, struct pending_req *q)
{
	uint32_t sup = q->verb == VERB_START_CHILD ? q->slot : look(t, q->slot)->parent;
	if (q->verb == VERB_START_CHILD)
		q->slot = SLOT_NONE;
	if (q->verb == VERB_STOP) {
		do_stop_now(t, q);
		return;
	}
	uint8_t ph = look(t, sup)->phase;
	if (ph != PH_SUP_UP && ph != PH_SUP_STARTING) {
		req_answer(t, q, AN_NOT_RUNNING, sup);
		return;
	}
	if (q->verb == VERB_RESTART) {
		do_restart(t, q, sup);
		return;
	}
	q->sup = sup;
	sup_next(t, sup);
}

void
req_take(struct tree *t, const struct msg_request *m)
{
	enum answer an = req_check(t, m);
	if (an != AN_OK) {
		answer(t, m->m.ref, an, m->m.slot, REASON(RE_NONE));
		return;
	}
	struct pending_req *q = req_new(t, m);
	if (q == NULL)
		return;
	if (verb_is_app(q->verb)) {
		app_request(t, q, m->m.value);
		return;
	}
	int is_app = look(t, q->slot)->kind == SLOT_APP;
	if (is_app && (q->verb == VERB_START || q->verb == VERB_STOP)) {
		q->row = look(t, q->slot)->row;
		q->verb = q->verb == VERB_START ? VERB_APP_START : VERB_APP_STOP;
		app_request(t, q, 0);
	} else if (q->verb == VERB_ENABLE || q->verb == VERB_DISABLE) {
		req_flag(t, q);
	} else if (q->verb == VERB_SCALE) {
		req_scale(t, q, m->m.value);
	} else if (is_app && q->verb == VERB_RESTART) {
		app_request_restart(t, q);
	} else if (is_app && q->verb != VERB_START_CHILD) {
		req_answer(t, q, AN_UNSUPPORTED, q->slot);
	} else {
		req_enqueue(t, q);
	}
}
