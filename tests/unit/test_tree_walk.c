/*
 * Everything there is, walked through: every input in every phase of a worker's life, and
 * every sequence of deaths and failing starts in small trees, whose outcome must be that
 * of a second, simple telling of OTP's rules (struct ref).
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "tests/sim/stage.h"

static struct stage st;

/* --- state x event ---------------------------------------------------------------------- */

enum { APP = 0, OTHER = 1, W = 2 };

/* A worker with all features in a supervisor with another. */
static void
worker_plan(void)
{
	stage_new(&st);
	st.plan.n = 0;
	struct row *app = &plan_add(&st.plan, ROW_APP, ROW_NONE)->row;
	app->intensity = 3;
	(void)plan_add(&st.plan, ROW_WORKER, APP);
	struct plan_node *w = plan_add(&st.plan, ROW_WORKER, APP);
	w->row.ready = READY_NOTIFY;
	w->row.watchdog_ms = 1000;
	w->row.start_ms = 2000;
	w->row.backoff_min_ms = 100;
	w->row.backoff_max_ms = 1000;
	w->npre = w->npost = 1;
}

/* Leads the worker into this phase; 0: no worker is ever in it. */
static int
lead_to(enum phase phase)
{
	worker_plan();
	struct plan_node *w = &st.plan.node[W];
	int oneshot = phase == PH_DONE;
	if (phase == PH_SPAWNING || phase == PH_STARTING || oneshot)
		w->npre = 0;
	if (oneshot)
		w->row.flags |= ROWF_ONESHOT;
	if (phase == PH_AFTER) {
		w->after[0] = OTHER;
		w->row.nafter = 1;
		st.plan.node[OTHER].row.flags |= ROWF_DISABLED;
	}
	stage_open(&st);
	st.hangs[W] = phase == PH_PRE || phase == PH_SPAWNING;
	if (phase == PH_DOWN)
		return 1;
	stage_boot(&st);
	uint32_t i = stage_slot(&st, W);
	if (phase == PH_PRE || phase == PH_SPAWNING || phase == PH_STARTING ||
	    phase == PH_AFTER)
		return 1;
	if (oneshot) {
		stage_dies(&st, i, (struct reason){.type = RE_NORMAL});
		return 1;
	}
	if (phase == PH_BACKOFF || phase == PH_SWEEP || phase == PH_POST)
		st.hangs[W] = 1;
	stage_input(&st, IN_READY, i, 0);
	st.deaf[W] = 1;
	if (phase == PH_STOPPING || phase == PH_KILLING) {
		(void)stage_ask(&st, VERB_STOP, i, 0, 0);
		if (phase == PH_KILLING) { /* and the kill has not been heard of yet */
			st.w->t.now_ms = world_slot(st.w, i)->timer_ms;
			world_step(st.w, &(struct input){.type = IN_TIMER, .slot = i});
			st.w->t.nact = 0;
		}
	} else if (phase == PH_SWEEP) {
		world_step(st.w, &(struct input){.type = IN_EXITED,
				     .slot = i,
				     .reason = {.type = RE_EXIT, .code = 3}});
		st.w->t.nact = 0;
	} else if (phase == PH_POST || phase == PH_BACKOFF) {
		stage_dies(&st, i, (struct reason){.type = RE_EXIT, .code = 3});
		if (phase == PH_BACKOFF)
			stage_dies(&st, i, (struct reason){.type = RE_NORMAL});
	}
	return phase < PH_SUP_STARTING;
}

static const struct reason ends[] = {{.type = RE_NORMAL}, {.type = RE_SHUTDOWN},
    {.type = RE_EXIT, .code = 1}, {.type = RE_SIGNAL, .code = SIGTERM},
    {.type = RE_SIGNAL, .code = SIGKILL},
    {.type = RE_EXEC_FAILED, .stage = ST_EXEC, .code = ENOENT},
    {.type = RE_EXEC_FAILED, .stage = ST_CLONE, .code = EAGAIN}, {.type = RE_UNKNOWN}};

/* One input, then what it brings about: nothing is out of order after either. */
static void
every_input_in_every_phase_is_defined(void **unused)
{
	(void)unused;
	for (int phase = PH_DOWN; phase < PH_SUP_STARTING; phase++)
		for (int type = IN_EXECED; type <= IN_MAINPID; type++)
			for (size_t k = 0; k < COUNT(ends) * 3; k++) {
				assert_true(lead_to((enum phase)phase));
				uint32_t i = stage_slot(&st, W);
				assert_int_equal(world_slot(st.w, i)->phase, phase);
				struct input in = {.type = (enum input_type)type,
				    .slot = i,
				    .reason = ends[k % COUNT(ends)],
				    .value = k < COUNT(ends) ? 0 : 5000,
				    .gen = k / COUNT(ends) < 2
					       ? 0
					       : world_slot(st.w, i)->gen + 1};
				world_step(st.w, &in);
				const char *why = tree_check(&st.w->t);
				if (why != NULL)
					fail_msg("phase %s input %d end %zu: %s",
					    phase_names[phase], type, k, why);
				if (in.gen != 0)
					assert_int_equal(
					    world_slot(st.w, i)->phase, phase);
				stage_wait(&st, 60000);
				stage_close(&st);
			}
}

/* --- every sequence in small trees ---------------------------------------------------------- */

enum { KIDS = 3, DEPTH = 5 };

struct ref {
	enum strategy strategy;
	enum restart_type restart;
	uint32_t intensity, restarts;
	int down, alive[KIDS], forgotten[KIDS];
	uint32_t fails[KIDS];
	char text[512];
};

static void
ref_say(struct ref *r, char what, uint32_t k)
{
	size_t len = strlen(r->text);
	(void)snprintf(r->text + len, sizeof r->text - len, "%s%c%u",
	    len > 0 ? " " : "", what, k + 1);
}

static void
ref_stop_from(struct ref *r, uint32_t first)
{
	for (uint32_t k = KIDS; k-- > first;) {
		if (!r->alive[k])
			continue;
		ref_say(r, 'x', k);
		r->alive[k] = 0;
		r->forgotten[k] = r->restart == TEMPORARY;
	}
}

static int
ref_start(struct ref *r, uint32_t k)
{
	if (r->fails[k] > 0) {
		r->fails[k]--;
		ref_say(r, 'f', k);
		return -1;
	}
	ref_say(r, 's', k);
	r->alive[k] = 1;
	return 0;
}

/* The child to try again, or KIDS. */
static uint32_t
ref_restart_once(struct ref *r, uint32_t k)
{
	if (r->strategy == ONE_FOR_ONE)
		return ref_start(r, k) < 0 ? k : (uint32_t)KIDS;
	uint32_t first = r->strategy == ONE_FOR_ALL ? 0 : k;
	ref_stop_from(r, first);
	for (uint32_t c = first; c < KIDS; c++)
		if (!r->forgotten[c] && ref_start(r, c) < 0)
			return c;
	return KIDS;
}

static void
ref_dies(struct ref *r, uint32_t k, int clean)
{
	if (r->down || !r->alive[k])
		return;
	r->alive[k] = 0;
	if (r->restart == TEMPORARY)
		r->forgotten[k] = 1;
	if (r->restart == TEMPORARY || (r->restart == TRANSIENT && clean))
		return;
	while (k < KIDS) {
		if (++r->restarts > r->intensity) {
			ref_stop_from(r, 0);
			r->down = 1;
			return;
		}
		k = ref_restart_once(r, k);
	}
}

/* 0-2 crash, 3-5 normal end, 6-8 the next start of it fails. */
static void
play(struct ref *r, uint32_t sequence)
{
	char where[64];
	for (uint32_t n = 0; n < DEPTH; n++, sequence /= 3 * KIDS) {
		uint32_t k = sequence % KIDS, what = sequence / KIDS % 3;
		if (what == 2) {
			r->fails[k]++;
			st.fails[k + 1]++;
			continue;
		}
		ref_dies(r, k, what == 1);
		uint32_t i = stage_slot(&st, k + 1);
		if (world_slot(st.w, i)->phase == PH_UP)
			stage_dies(&st, i,
			    (struct reason){
				.type = what == 1 ? RE_NORMAL : RE_EXIT, .code = 3});
	}
	(void)snprintf(where, sizeof where, "strategy %d restart %d", (int)r->strategy,
	    (int)r->restart);
	if (strcmp(r->text, stage_did(&st)) != 0)
		fail_msg("%s: expected %s", where, r->text);
	assert_int_equal(stage_at(&st, APP)->phase == PH_DOWN, r->down);
}

static void
every_sequence(enum strategy strategy, enum restart_type restart)
{
	uint32_t all = 1;
	for (uint32_t n = 0; n < DEPTH; n++)
		all *= 3 * KIDS;
	stage_new(&st);
	struct row *app = &plan_add(&st.plan, ROW_APP, ROW_NONE)->row;
	app->strategy = (uint8_t)strategy;
	app->intensity = 3;
	for (uint32_t k = 0; k < KIDS; k++)
		plan_add(&st.plan, ROW_WORKER, APP)->row.restart = (uint8_t)restart;
	stage_open(&st);
	for (uint32_t sequence = 0; sequence < all; sequence++) {
		struct ref r = {.strategy = strategy,
		    .restart = restart,
		    .intensity = 3,
		    .alive = {1, 1, 1}};
		world_reset(st.w, &st.rows[0].rows, 1);
		st.w->t.nact = 0;
		memset(st.fails, 0, sizeof st.fails);
		(void)stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0);
		(void)stage_did(&st);
		play(&r, sequence);
	}
	stage_close(&st);
}

static void
every_sequence_of_deaths_ends_as_in_otp(void **unused)
{
	(void)unused;
	for (int strategy = ONE_FOR_ONE; strategy <= REST_FOR_ONE; strategy++)
		for (int restart = PERMANENT; restart < RESTART_TYPE_MAX; restart++)
			every_sequence(
			    (enum strategy)strategy, (enum restart_type)restart);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_input_in_every_phase_is_defined),
	    cmocka_unit_test(every_sequence_of_deaths_ends_as_in_otp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
