/*
 * sim SEED EVENTS: plays with the pure core under a virtual clock until it has taken
 * EVENTS steps.  A violation is printed with the seed of its round; `sim -v SEED EVENTS`
 * prints each step.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

enum { ROUND_EVENTS = 4000, CRASH_IN = 300, CUT_IN = 300 };

static int verbose;
static uint64_t round_seed;

/* --- a step that is cut off at its nth change ------------------------------------------ */

static jmp_buf cut_off;
static uint32_t cut_after; /* 0: not at all */

struct slot *__real_edit(struct tree *t, uint32_t i);
struct slot *__wrap_edit(struct tree *t, uint32_t i);

struct slot *
__wrap_edit(struct tree *t, uint32_t i)
{
	struct slot *s = __real_edit(t, i);
	if (cut_after > 0 && --cut_after == 0)
		longjmp(cut_off, 1);
	return s;
}

static struct slot before[SIM_SLOTS];
static struct state_core before_core;

static void
see_tree(const struct sim *s, const char *why)
{
	const struct state *st = s->w->t.st;
	(void)printf("%lu ms: %s\n", (unsigned long)s->w->t.now_ms, why);
	for (uint32_t i = 0; i < st->head.core.slots_used; i++) {
		const struct slot *c = &st->slot[i];
		char id[ROW_ID_MAX] = "old";
		if (c->kind == SLOT_FREE)
			continue;
		if ((c->flags & SF_OLD_ROW) == 0)
			slot_id(s->w->t.rows, c, id);
		(void)printf(
		    "    %2u<%u %-10s %-12s %-10s pid %d gen %u flags %x op %u "
		    "then %u cursor %d pend %x timer %lu proc %d\n",
		    i, c->parent & 0xffff, id, phase_names[c->phase],
		    child_state_names[c->child], c->pid, c->gen, c->flags, c->op,
		    c->then, (int)c->cursor, c->pend, (unsigned long)c->timer_ms,
		    (int)s->proc[i].state);
	}
}

void
sim_fail(const struct sim *s, const char *what, uint32_t slot)
{
	if (verbose)
		see_tree(s, "at the end");
	char id[ROW_ID_MAX] = "root";
	if (world_slot(s->w, slot)->kind != SLOT_FREE)
		slot_id(s->w->t.rows, world_slot(s->w, slot), id);
	(void)printf("sim: %s: slot %u (%s), event %lu\n"
		     "sim: see it again with: sim -v %lu %d\n",
	    what, slot, id, (unsigned long)s->nevents, (unsigned long)round_seed,
	    ROUND_EVENTS);
	(void)fflush(stdout);
	exit(1);
}

static void
see_input(const struct sim *s, const struct input *in)
{
	static const char *const names[] = {"node_start", "node_stop", "execed",
	    "spawn_failed", "exited", "swept", "ready", "timer", "ping", "extend",
	    "watchdog_ms", "said", "mainpid", "request"};
	_Static_assert(COUNT(names) == IN_MAX, "a name for each input");
	(void)printf("%lu: %s slot %u gen %u reason %u", (unsigned long)s->nevents,
	    names[in->type], in->slot, in->gen, in->reason.type);
	if (in->type == IN_REQUEST)
		(void)printf(" verb %u slot %u row %u value %lu", in->req->verb,
		    in->req->m.slot, in->req->row, (unsigned long)in->req->m.value);
	(void)printf("\n");
}

/* --- crashes --------------------------------------------------------------------------- */

static void
recover(struct sim *s)
{
	struct tree *t = &s->w->t;
	env_master_died(s);
	t->nact = 0;
	tree_recover(t);
	s->crashes++;
	if (verbose)
		see_tree(s, "the master died");
}

static void
remember(struct sim *s)
{
	const struct state *st = s->w->t.st;
	memcpy(before, st->slot, st->head.core.slots_used * sizeof before[0]);
	before_core = st->head.core;
}

static void
compare(struct sim *s)
{
	const struct state *st = s->w->t.st;
	if (memcmp(&before_core, &st->head.core, sizeof before_core) != 0)
		sim_fail(s, "the head was not undone", 0);
	for (uint32_t i = 0; i < before_core.slots_used; i++)
		if (memcmp(&before[i], &st->slot[i], sizeof before[0]) != 0)
			sim_fail(s, "a slot was not undone", i);
}

/* The master dies in the middle of this step: as if it had never begun. */
static int
step_cut(struct sim *s, const struct input *in)
{
	remember(s);
	cut_after = 1 + sim_below(s, 6);
	if (setjmp(cut_off) == 0) {
		world_step(s->w, in);
		cut_after = 0;
		return 0;
	}
	s->cuts++;
	tree_roll_back(&s->w->t);
	compare(s);
	s->seen_event = s->w->t.st->head.event_n;
	recover(s);
	return 1;
}

/* --- one step ---------------------------------------------------------------------------- */

static void
step(struct sim *s, const struct input *in)
{
	s->nevents++;
	if (verbose)
		see_input(s, in);
	if (in->type != IN_REQUEST && sim_one_in(s, CUT_IN)) {
		if (step_cut(s, in))
			env_feed_again(s, in);
	} else {
		world_step(s->w, in);
	}
	struct tree *t = &s->w->t;
	if (t->st->head.core.slots_used >= SIM_SLOTS)
		sim_fail(s, "too many slots", 0);
	if (sim_one_in(s, CRASH_IN)) {
		model_check(s);
		env_perform(s, sim_below(s, t->nact + 1));
		if (s->ended)
			return;
		recover(s);
	}
	if (sim_below(s, 8) > 0 || t->nact > 500)
		env_perform(s, t->nact);
	model_check(s);
	if (verbose)
		see_tree(s, "then");
}

static uint64_t
next_timer(const struct sim *s)
{
	uint64_t at = UINT64_MAX;
	for (uint32_t i = 1; i < s->w->t.st->head.core.slots_used; i++) {
		const struct slot *c = world_slot(s->w, i);
		if (c->timer_ms != 0)
			at = MIN(at, c->timer_ms);
		if (c->watchdog_ms != 0)
			at = MIN(at, c->watchdog_ms);
	}
	return at;
}

static void
pass_time(struct sim *s)
{
	uint64_t at = next_timer(s), *now = &s->w->t.now_ms;
	if (at != UINT64_MAX && (s->bored || sim_one_in(s, 3)))
		*now = MAX(at, *now);
	else
		*now += sim_below(s, 40);
	s->w->t.real_ms = 1000000 + *now;
}

static void
reload(struct sim *s)
{
	uint32_t old_row[PLAN_MAX];
	struct tree *t = &s->w->t;
	if (tree_leavers(t) > 0 || t->nact > 0 || s->in_head != s->in_tail)
		return;
	uint32_t other = 1 - s->now_rows;
	plan_rows_drop(&s->rows[other]);
	sim_plan_change(&s->plan, &s->seed);
	plan_build(&s->plan, &s->rows[other]);
	sim_plan_match(&s->rows[s->now_rows].rows, &s->rows[other].rows, old_row);
	if (verbose)
		see_tree(s, "reload");
	model_reload(s);
	tree_reload(t, &s->rows[other].rows, old_row);
	s->now_rows = other;
	s->reloads++;
	env_perform(s, t->nact);
	model_check(s);
	if (verbose)
		see_tree(s, "reloaded");
}

/* A word about a life that is over, or nonsense that a hostile worker may say. */
static void
stray(struct sim *s, struct input *in, uint32_t slot)
{
	uint32_t gen = world_slot(s->w, slot)->gen;
	*in = (struct input){.type = (enum input_type)(
				 IN_EXECED + sim_below(s, IN_MAINPID - IN_EXECED + 1)),
	    .slot = slot,
	    .gen = gen > 1 ? gen - 1 : UINT32_MAX,
	    .value = 77};
	if (in->type == IN_TIMER)
		in->gen = 0;
}

static void
request(struct sim *s)
{
	static struct msg_request m;
	if (s->nopen >= SIM_REFS / 2)
		return;
	env_request(s, &m);
	step(s, &(struct input){.type = IN_REQUEST, .req = &m});
}

/* The first from this slot on whose timer is due or whose process does something. */
static int
someone_acts(struct sim *s, uint32_t first)
{
	uint32_t used = s->w->t.st->head.core.slots_used, slot = first;
	uint64_t now = s->w->t.now_ms;
	struct input in;
	for (uint32_t n = 0; n < used; n++, slot = slot + 1 < used ? slot + 1 : 0) {
		const struct slot *c = world_slot(s->w, slot);
		int due = (c->timer_ms != 0 && c->timer_ms <= now) ||
			  (c->watchdog_ms != 0 && c->watchdog_ms <= now);
		if (due && c->kind != SLOT_FREE)
			in = (struct input){.type = IN_TIMER, .slot = slot};
		else if (!env_slot_event(s, slot, &in))
			continue;
		step(s, &in);
		return 1;
	}
	return 0;
}

/* Takes the next step, or lets time pass. */
static void
turn(struct sim *s)
{
	struct input in;
	if (s->in_head != s->in_tail) {
		in = s->inq[s->in_head++ % SIM_INPUTS];
		step(s, &in);
		return;
	}
	uint32_t used = s->w->t.st->head.core.slots_used;
	uint32_t slot = sim_below(s, used), dice = sim_below(s, 1000);
	if (dice < 15) {
		request(s);
	} else if (dice < 17) {
		reload(s);
	} else if (dice < 20) {
		stray(s, &in, slot);
		step(s, &in);
	} else if (dice == 20 && sim_one_in(s, 20)) {
		step(s, &(struct input){.type = IN_NODE_STOP});
	} else if (s->w->t.nact > 0) {
		env_perform(s, s->w->t.nact);
	} else if (dice > 900 || !someone_acts(s, slot)) {
		if (!s->bored || next_timer(s) != UINT64_MAX)
			pass_time(s);
		else if (dice > 100)
			request(s);
		else
			s->ended = 1; /* all is down: another game */
		s->bored = dice <= 900;
	} else {
		s->bored = 0;
	}
}

static void
play(struct sim *s, uint64_t seed)
{
	s->seed = round_seed = seed;
	sim_plan_make(&s->plan, &s->seed);
	s->now_rows = 0;
	plan_build(&s->plan, &s->rows[0]);
	uint64_t end = s->nevents + ROUND_EVENTS;
	while (s->nevents < end) {
		const struct rows *rows = &s->rows[s->now_rows].rows;
		env_reset(s);
		world_reset(s->w, rows, s->seed);
		s->w->t.nact = 0;
		model_reset(s);
		step(s, &(struct input){.type = IN_NODE_START});
		while (!s->ended && s->nevents < end)
			turn(s);
	}
	plan_rows_drop(&s->rows[0]);
	plan_rows_drop(&s->rows[1]);
}

int
main(int argc, char **argv)
{
	static struct sim s;
	verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	argc -= verbose;
	argv += verbose;
	if (argc != 3) {
		(void)fprintf(stderr, "usage: sim [-v] SEED EVENTS\n");
		return 2;
	}
	uint64_t seed = strtoull(argv[1], NULL, 10), want = strtoull(argv[2], NULL, 10);
	struct timespec a, b;
	s.w = world_new();
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	while (s.nevents < want)
		play(&s, seed++);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	double took =
	    (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	(void)printf(
	    "sim: %lu events, %lu masters died, %lu steps were cut, %lu reloads, "
	    "%lu gave up; %.2f million events a second\n",
	    (unsigned long)s.nevents, (unsigned long)s.crashes, (unsigned long)s.cuts,
	    (unsigned long)s.reloads, (unsigned long)s.gave_up,
	    (double)s.nevents / took / 1e6);
	world_free(&s.w);
	return 0;
}
