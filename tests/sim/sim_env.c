#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/util.h"
#include "tests/sim/sim.h"

void
env_reset(struct sim *s)
{
	memset(s->proc, 0, s->nslots * sizeof s->proc[0]);
	memset(s->ref_open, 0, sizeof s->ref_open);
	s->in_head = s->in_tail = s->nopen = 0;
	s->ended = 0;
}

void
env_feed(struct sim *s, const struct input *in)
{
	if (s->in_tail - s->in_head == SIM_INPUTS)
		sim_fail(s, "too many inputs wait", in->slot);
	s->inq[s->in_tail++ % SIM_INPUTS] = *in;
}

static void
feed_reason(struct sim *s, enum input_type type, uint32_t slot, struct reason re)
{
	uint32_t gen = world_slot(s->w, slot)->gen;
	env_feed(
	    s, &(struct input){.type = type, .slot = slot, .gen = gen, .reason = re});
}

static void
do_spawn(struct sim *s, const struct action *a)
{
	static const int32_t errors[] = {EAGAIN, ENOMEM, EMFILE, EACCES};
	struct proc *p = &s->proc[a->slot];
	struct slot *t = world_slot(s->w, a->slot);
	if (p->state != P_NONE)
		sim_fail(s, "a second process in a slot", a->slot);
	if (sim_one_in(s, 40)) {
		feed_reason(s, IN_SPAWN_FAILED, a->slot,
		    (struct reason){.type = RE_EXEC_FAILED,
			.stage = ST_CLONE,
			.code = errors[sim_below(s, 4)]});
		return;
	}
	*p = (struct proc){
	    .state = P_BORN, .what = (enum spawn_what)a->value, .gen = t->gen};
	world_spawned(s->w, a->slot);
}

static void
do_signal(struct sim *s, const struct action *a)
{
	struct proc *p = &s->proc[a->slot];
	if (world_slot(s->w, a->slot)->pid == 0)
		feed_reason(
		    s, IN_EXITED, a->slot, (struct reason){.type = RE_SHUTDOWN});
	if (a->type == ACT_SIGNAL)
		p->signalled = 1;
	else
		p->killed = 1;
}

static void
do_reply(struct sim *s, const struct action *a)
{
	if (a->ref >= SIM_REFS || !s->ref_open[a->ref])
		sim_fail(s, "a request is answered that nobody waits for", a->slot);
	s->ref_open[a->ref] = 0;
	s->nopen--;
}

static void
do_end(struct sim *s)
{
	for (uint32_t i = 0; i < s->nslots; i++)
		if (s->proc[i].state != P_NONE)
			sim_fail(s, "the node ends and a process lives", i);
	s->ended = 1;
}

static void
perform(struct sim *s, const struct action *a)
{
	model_action(s, a);
	switch ((enum action_type)a->type) {
	case ACT_SPAWN:
		do_spawn(s, a);
		return;
	case ACT_SIGNAL:
	case ACT_KILL_TREE:
		do_signal(s, a);
		return;
	case ACT_SWEEP:
		s->proc[a->slot].sweeping = 1;
		return;
	case ACT_ADDED:
	case ACT_REMOVED:
		if (s->proc[a->slot].state != P_NONE)
			sim_fail(s, "a slot forgot its process", a->slot);
		s->proc[a->slot] = (struct proc){0};
		memset(&s->opinion[a->slot], 0, sizeof s->opinion[0]);
		return;
	case ACT_REPLY:
		do_reply(s, a);
		return;
	case ACT_NODE_END:
		do_end(s);
		return;
	case ACT_TIMER:
	case ACT_UP:
	case ACT_NODE_UP:
	case ACTION_MAX:
		return;
	}
}

/* Carries out the actions before `upto`; the rest is dropped by who calls. */
void
env_perform(struct sim *s, uint32_t upto)
{
	struct tree *t = &s->w->t;
	for (uint32_t k = 0; k < upto; k++)
		perform(s, &t->act[k]);
	t->nact = 0;
}

static struct reason
some_end(struct sim *s, const struct proc *p)
{
	uint32_t dice = sim_below(s, 10);
	if (p->killed)
		return (struct reason){.type = RE_SIGNAL, .code = SIGKILL};
	if (p->signalled && dice < 5)
		return (struct reason){.type = RE_SIGNAL, .code = SIGTERM};
	if (dice < 3)
		return (struct reason){.type = RE_NORMAL};
	if (dice < 4)
		return (struct reason){.type = RE_EXIT, .code = 7};
	if (dice < 5)
		return (struct reason){.type = RE_UNKNOWN};
	return (struct reason){.type = RE_EXIT, .code = 3};
}

static void
ends(struct sim *s, uint32_t slot, struct input *in)
{
	struct proc *p = &s->proc[slot];
	in->type = IN_EXITED;
	in->reason = some_end(s, p);
	if (p->what != SPAWN_MAIN && !p->killed && sim_below(s, 4) > 0)
		in->reason = (struct reason){.type = RE_NORMAL};
	if (p->state == P_EXEC_FAILED)
		in->reason = (struct reason){.type = RE_EXIT, .code = 127};
	p->state = P_NONE;
	p->signalled = p->killed = 0;
}

/* What a running program says. */
static void
says(struct sim *s, struct input *in)
{
	static const enum input_type types[] = {IN_READY, IN_READY, IN_PING, IN_EXTEND,
	    IN_WATCHDOG_MS, IN_SAID, IN_MAINPID};

	in->type = types[sim_below(s, COUNT(types))];
	if (in->type == IN_EXTEND)
		in->value = sim_below(s, 10000);
	else if (in->type == IN_WATCHDOG_MS)
		in->value = sim_one_in(s, 3) ? 0 : 100 + sim_below(s, 900);
	else if (in->type == IN_SAID)
		in->value = sim_one_in(s, 2) ? FACT_RELOADING : FACT_STOPPING;
	else if (in->type == IN_MAINPID)
		in->value = (uint64_t)(++s->w->next_pid);
}

/* 1: the process of this slot does something, or what is left of it is gone. */
int
env_slot_event(struct sim *s, uint32_t slot, struct input *in)
{
	struct proc *p = &s->proc[slot];
	*in = (struct input){.slot = slot, .gen = p->gen};
	if (p->sweeping) {
		p->sweeping = 0;
		in->type = IN_SWEPT;
		in->gen = 0;
		return 1;
	}
	if (p->state == P_NONE)
		return 0;
	if (p->state == P_BORN && !p->killed && sim_below(s, 10) > 0) {
		p->state = sim_one_in(s, 20) ? P_EXEC_FAILED : P_RUNS;
		in->type = p->state == P_RUNS ? IN_EXECED : IN_SPAWN_FAILED;
		in->reason = (struct reason){
		    .type = RE_EXEC_FAILED, .stage = ST_EXEC, .code = ENOENT};
		return 1;
	}
	if (p->state == P_RUNS && !p->killed && sim_below(s, 3) > 0) {
		says(s, in);
		return 1;
	}
	if (p->state == P_RUNS && p->what == SPAWN_MAIN && !p->killed &&
	    !p->signalled && !s->bored && sim_below(s, 4) > 0)
		return 0; /* lives on */
	ends(s, slot, in);
	return 1;
}

void
env_request(struct sim *s, struct msg_request *m)
{
	struct world *w = s->w;
	uint32_t used = w->t.st->head.core.slots_used;
	m->verb = VERB_START + sim_below(s, VERB_APP_STOP);
	m->row = sim_below(s, w->t.rows->head->nrows);
	m->rows_seq = w->t.st->head.core.rows_seq - (uint32_t)sim_one_in(s, 50);
	m->text_len = sim_one_in(s, 2) ? 2 : 0;
	m->text[0] = 'x';
	m->text[1] = '\0';
	m->m.slot = sim_below(s, used + 1);
	m->m.value = sim_below(s, 6);
	m->m.gen = 0;
	if (m->verb == VERB_APP_START)
		m->m.value = sim_below(s, 4);
	if (m->verb == VERB_START_CHILD && sim_below(s, 8) > 0 &&
	    w->t.rows->row[m->row].parent != ROW_NONE)
		m->m.slot = w->t.slot_of_row[w->t.rows->row[m->row].parent];
	if (m->m.slot < used) {
		if (sim_one_in(s, 2))
			m->m.gen = world_slot(w, m->m.slot)->gen;
		s->opinion[m->m.slot].may_be_down = 1;
	}
	do
		s->next_ref = (s->next_ref + 1) % SIM_REFS;
	while (s->ref_open[s->next_ref]);
	m->m.ref = s->next_ref;
	s->ref_open[s->next_ref] = 1;
	s->nopen++;
}

/* Exits are known by the keeper, and what a process does is seen by looking at it; all
 * else the new master asks for itself. */
static int
comes_again(const struct sim *s, const struct input *in)
{
	return in->type == IN_NODE_START ||
	       ((in->type == IN_EXITED || in->type == IN_EXECED ||
		    in->type == IN_READY || in->type == IN_SPAWN_FAILED) &&
		   world_slot(s->w, in->slot)->pid != 0);
}

void
env_feed_again(struct sim *s, const struct input *in)
{
	if (comes_again(s, in))
		env_feed(s, in);
}

/* Processes live on, messages are lost, and with them who waited for answers. */
void
env_master_died(struct sim *s)
{
	memset(s->ref_open, 0, sizeof s->ref_open);
	s->nopen = 0;
	for (uint32_t n = s->in_tail - s->in_head; n > 0; n--) {
		struct input in = s->inq[s->in_head++ % SIM_INPUTS];
		env_feed_again(s, &in);
	}
	for (uint32_t i = 0; i < s->nslots; i++)
		s->proc[i].sweeping = 0;
}
