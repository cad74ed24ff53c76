/*
 * Runs a case through the pure core.  Actions are answered in the order they were given,
 * each at once and completely, as stub processes of Erlang do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "case.h"

enum { QUEUE_MAX = 4096, SLOTS_MAX = 256 };

struct run {
	struct world *w;
	const struct ocase *c;
	uint32_t fails[PLAN_MAX];
	uint32_t starts[PLAN_MAX], stops[PLAN_MAX];
	struct action queue[QUEUE_MAX];
	uint32_t head, tail;
	uint32_t answer; /* of the request under way; ANSWER_MAX: none yet */
	int pre_empted;
	uint8_t busy[SLOTS_MAX];
};

static char trace[TRACE_MAX];
static size_t trace_len;

static void
say(const char *text)
{
	size_t n = strlen(text);
	if (trace_len + n + 1 >= sizeof trace)
		abort();
	memcpy(trace + trace_len, text, n + 1);
	trace_len += n;
}

static struct key
key_of(const struct run *r, uint32_t slot)
{
	const struct slot *s = world_slot(r->w, slot);
	struct key k = {.row = s->row};
	if (s->number != 0)
		k.tag = (uint32_t)strtoul(r->w->t.st->args[slot], NULL, 10);
	return k;
}

static void
say_key(const char *what, struct key k)
{
	char buf[48];
	if (k.tag == NO_TAG)
		(void)snprintf(buf, sizeof buf, "%s%u ", what, k.row);
	else
		(void)snprintf(buf, sizeof buf, "%s%u.%u ", what, k.row, k.tag);
	say(buf);
}

static uint32_t
slot_of_key(const struct run *r, struct key k)
{
	if (k.tag == NO_TAG)
		return r->w->t.slot_of_row[k.row];
	uint32_t pool = r->w->t.slot_of_row[r->c->plan.node[k.row].row.parent];
	if (pool == SLOT_NONE)
		return SLOT_NONE;
	for (uint32_t c = world_slot(r->w, pool)->first; c != SLOT_NONE;
	     c = world_slot(r->w, c)->next)
		if (key_of(r, c).tag == k.tag)
			return c;
	return SLOT_NONE;
}

/* Here a parent's stop does not wait until a restart below it is through, and cuts it
 * short; in OTP the restart comes to its end first.  Such a case is not compared. */
static void
see_busy(struct run *r)
{
	for (uint32_t i = 0; i < r->w->t.st->head.core.slots_used; i++) {
		const struct slot *s = world_slot(r->w, i);
		if (i == SLOTS_MAX)
			abort();
		if (r->busy[i] && s->phase == PH_SUP_STOPPING &&
		    s->flags & SF_STOP_ASKED)
			r->pre_empted = 1;
		r->busy[i] = s->op != OP_NONE && s->phase != PH_SUP_STOPPING;
	}
}

static void
step(struct run *r, const struct input *in)
{
	struct tree *t = &r->w->t;
	world_step(r->w, in);
	see_busy(r);
	const char *why = tree_check(t);
	if (why != NULL) {
		say("CHECK: ");
		say(why);
		say(" ");
	}
	for (uint32_t k = 0; k < t->nact; k++) {
		if (t->act[k].type == ACT_REPLY)
			r->answer = (uint32_t)t->act[k].value;
		if (t->act[k].type > ACT_SWEEP)
			continue;
		if (r->tail - r->head == QUEUE_MAX)
			abort();
		r->queue[r->tail++ % QUEUE_MAX] = t->act[k];
	}
	t->nact = 0;
}

static void
step_slot(struct run *r, enum input_type type, uint32_t slot, struct reason re)
{
	step(r, &(struct input){.type = type, .slot = slot, .reason = re});
}

static struct reason
reason_of(enum why why)
{
	if (why == WHY_CRASH)
		return (struct reason){.type = RE_EXIT, .code = 3};
	return (struct reason){.type = why == WHY_NORMAL ? RE_NORMAL : RE_SHUTDOWN};
}

static int
lives(const struct run *r, uint32_t slot)
{
	return slot != SLOT_NONE && world_slot(r->w, slot)->kind == SLOT_WORKER &&
	       world_slot(r->w, slot)->phase == PH_UP;
}

static void
die(struct run *r, const struct victim *v)
{
	uint32_t slot = slot_of_key(r, v->key);
	if (lives(r, slot))
		step_slot(r, IN_EXITED, slot, reason_of(v->why));
}

static void
run_hooks(struct run *r, int at_stop, uint32_t row)
{
	uint32_t nth = at_stop ? ++r->stops[row] : ++r->starts[row];
	for (uint32_t k = 0; k < r->c->nhooks; k++) {
		const struct hook *h = &r->c->hook[k];
		if (h->at_stop == at_stop && h->row == row && h->nth == nth)
			die(r, &h->victim);
	}
}

static void
perform(struct run *r, const struct action *a)
{
	uint32_t i = a->slot;
	struct key k = key_of(r, i);
	if (a->type == ACT_SPAWN && r->fails[k.row] > 0) {
		r->fails[k.row]--;
		say_key("f", k);
		step_slot(r, IN_SPAWN_FAILED, i,
		    (struct reason){
			.type = RE_EXEC_FAILED, .stage = ST_EXEC, .code = ENOENT});
	} else if (a->type == ACT_SPAWN) {
		say_key("s", k);
		world_spawned(r->w, i);
		run_hooks(r, 0, k.row);
		step_slot(r, IN_EXECED, i, (struct reason){0});
	} else if (a->type == ACT_SIGNAL) {
		run_hooks(r, 1, k.row);
		say_key("x", k);
		step_slot(r, IN_EXITED, i,
		    (struct reason){.type = RE_SIGNAL, .code = (int32_t)a->value});
	} else if (a->type == ACT_KILL_TREE) {
		say_key("x", k);
		step_slot(
		    r, IN_EXITED, i, (struct reason){.type = RE_SIGNAL, .code = 9});
	} else if (a->type == ACT_SWEEP) {
		step_slot(r, IN_SWEPT, i, (struct reason){0});
	}
}

static void
settle(struct run *r)
{
	while (r->head != r->tail) {
		struct action a = r->queue[r->head++ % QUEUE_MAX];
		perform(r, &a);
	}
}

static const char *
answer_word(uint32_t an)
{
	switch ((enum answer)an) {
	case AN_OK:
		return "ok";
	case AN_FAILED:
		return "failed";
	case AN_UNKNOWN:
		return "not_found";
	case AN_ALREADY:
		return "already";
	case AN_RUNNING:
		return "running";
	case AN_POOL:
		return "simple_one_for_one";
	default:
		return "other";
	}
}

static const char *
ask(struct run *r, enum verb verb, uint32_t slot, uint32_t row, uint32_t tag)
{
	struct msg_request m = {.verb = verb, .row = row};
	m.m.slot = slot;
	m.m.ref = 1;
	if (tag != NO_TAG)
		m.text_len = (uint32_t)snprintf(m.text, sizeof m.text, "%u", tag) + 1;
	r->answer = ANSWER_MAX;
	step(r, &(struct input){.type = IN_REQUEST, .req = &m});
	settle(r);
	return answer_word(r->answer);
}

/* Requests go to a supervisor that lives, as a call would. */
static const char *
request(struct run *r, const struct script *e)
{
	static const uint32_t verbs[] = {
	    [DO_TERMINATE] = VERB_TERMINATE_CHILD,
	    [DO_RESTART] = VERB_RESTART_CHILD,
	    [DO_DELETE] = VERB_DELETE_CHILD,
	};
	const struct row *row = &r->c->plan.node[e->key.row].row;
	uint32_t sup = r->w->t.slot_of_row[row->parent];
	if (sup == SLOT_NONE || world_slot(r->w, sup)->phase != PH_SUP_UP)
		return "-";
	uint32_t static_slot = e->key.tag == NO_TAG && !(row->flags & ROWF_DYNAMIC)
				   ? slot_of_key(r, e->key)
				   : (uint32_t)SLOT_NONE;
	if (e->type == DO_START_CHILD && static_slot != SLOT_NONE &&
	    world_slot(r->w, static_slot)->flags & SF_FORGOTTEN)
		return "-"; /* OTP puts it behind the others, here it has its place */
	if (e->type == DO_START_CHILD)
		return ask(r, VERB_START_CHILD, sup, e->key.row, e->key.tag);
	uint32_t c = slot_of_key(r, e->key);
	if (c == SLOT_NONE)
		return "not_found";
	return ask(r, (enum verb)verbs[e->type], c, ROW_NONE, NO_TAG);
}

static void
run_event(struct run *r, const struct script *e)
{
	const char *token = "";
	if (e->type == DO_FAIL)
		r->fails[e->key.row] += e->count;
	else if (e->type == DO_DIE)
		for (uint32_t k = 0; k < e->nvictims; k++)
			die(r, &e->victim[k]);
	else
		token = request(r, e);
	settle(r);
	say("| ");
	say(token);
	say(*token != '\0' ? " " : "");
}

static void
say_living(const struct run *r)
{
	say("up ");
	for (uint32_t k = 0; k < r->c->plan.n; k++) {
		if (r->c->plan.node[k].row.kind == ROW_TEMPLATE)
			continue;
		uint32_t i = r->w->t.slot_of_row[k];
		if (i != SLOT_NONE && (world_slot(r->w, i)->phase == PH_UP ||
					  world_slot(r->w, i)->phase == PH_SUP_UP))
			say_key("", (struct key){.row = k});
	}
	say("| ");
}

const char *
case_run(struct world *w, const struct ocase *c)
{
	static struct run r;
	struct plan_rows rows;
	memset(&r, 0, sizeof r);
	r.w = w;
	r.c = c;
	memcpy(r.fails, c->fails, sizeof r.fails);
	trace_len = 0;
	trace[0] = '\0';
	plan_build(&c->plan, &rows);
	world_reset(w, &rows.rows, 1);
	w->t.nact = 0;
	(void)ask(&r, VERB_APP_START, SLOT_NONE, 0, NO_TAG);
	say("| ");
	for (uint32_t k = 0; k < c->nevents; k++)
		run_event(&r, &c->event[k]);
	say_living(&r);
	(void)ask(&r, VERB_APP_STOP, SLOT_NONE, 0, NO_TAG);
	plan_rows_drop(&rows);
	return r.pre_empted ? "pre-empted" : trace;
}
