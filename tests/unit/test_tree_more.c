/* Applications, one worker's life in its odd turns, reloads, recovery, and what the
 * invariants say of a broken tree. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "master/tree_int.h"
#include "tests/sim/stage.h"

static struct stage st;
static const struct reason normal = {.type = RE_NORMAL};
static const struct reason crash = {.type = RE_EXIT, .code = 3};

enum { APP = 0 };

static struct row *
add(enum row_kind kind, uint32_t parent)
{
	return &plan_add(&st.plan, kind, parent)->row;
}

static struct row *
row(uint32_t k)
{
	return &st.plan.node[k].row;
}

static void
flat(enum strategy strategy, uint32_t n)
{
	stage_new(&st);
	struct row *app = add(ROW_APP, ROW_NONE);
	app->strategy = (uint8_t)strategy;
	app->intensity = 3;
	for (uint32_t k = 0; k < n; k++)
		(void)add(ROW_WORKER, APP);
}

static void
up(void)
{
	stage_open(&st);
	stage_boot(&st);
	(void)stage_did(&st);
}

static void
dies(uint32_t k, struct reason re)
{
	stage_dies(&st, stage_slot(&st, k), re);
}

static uint32_t
app(enum verb verb, uint32_t k, uint64_t value)
{
	return stage_ask(&st, verb, SLOT_NONE, k, value);
}

static int
down(void **unused)
{
	(void)unused;
	if (st.w != NULL)
		stage_close(&st);
	return 0;
}

#define DID(words)   assert_string_equal(stage_did(&st), words)
#define IS(an, what) assert_int_equal(what, an)

/* --- applications ------------------------------------------------------------------------ */

/* What the end of its only worker does to the node. */
static void
ends(enum restart_type type, enum restart_type worker, struct reason re, int status)
{
	flat(ONE_FOR_ONE, 1);
	row(APP)->restart = (uint8_t)type;
	row(APP)->intensity = 0;
	row(APP)->auto_shutdown = AUTO_ANY_SIGNIFICANT;
	row(1)->restart = (uint8_t)worker;
	row(1)->flags = worker == PERMANENT ? 0 : ROWF_SIGNIFICANT;
	up();
	dies(1, re);
	assert_int_equal(stage_at(&st, APP)->phase, PH_DOWN);
	assert_int_equal(st.ended, status >= 0);
	if (status >= 0)
		assert_int_equal(st.status, status);
	stage_close(&st);
}

static void
the_end_of_an_application_means_its_start_type(void **unused)
{
	(void)unused;
	static const struct reason segv = {.type = RE_SIGNAL, .code = SIGSEGV};
	static const struct reason noexec = {
	    .type = RE_EXEC_FAILED, .stage = ST_EXEC, .code = ENOENT};
	ends(TEMPORARY, PERMANENT, crash, -1);
	ends(PERMANENT, PERMANENT, crash, 3);
	ends(PERMANENT, PERMANENT, segv, 128 + SIGSEGV);
	ends(PERMANENT, PERMANENT, noexec, 127);
	ends(PERMANENT, PERMANENT, (struct reason){.type = RE_OOM}, 1);
	ends(PERMANENT, TRANSIENT, normal, 0);
	ends(TRANSIENT, PERMANENT, crash, 3);
}

static void
a_lifespan_ends_with_normal(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(APP)->restart = TRANSIENT;
	row(APP)->lifespan_ms = 3000;
	up();
	stage_input(&st, IN_TIMER, stage_slot(&st, APP), 0); /* too early */
	stage_wait(&st, 2999);
	DID("");
	stage_wait(&st, 1);
	DID("x1");
	assert_int_equal(stage_at(&st, APP)->last.type, RE_NORMAL);
	assert_int_equal(st.ended, 0);
	stage_input(&st, IN_TIMER, stage_slot(&st, APP), 0);
}

static void
a_lifespan_does_not_hurry_an_end(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2);
	row(APP)->lifespan_ms = 3000;
	row(APP)->intensity = 0;
	st.deaf[2] = 1;
	up();
	stage_wait(&st, 2900);
	dies(1, crash);
	stage_wait(&st, 4999);
	DID("x2");
	stage_wait(&st, 1);
	DID("k2");
}

static void
needed_applications_start_first(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(1)->ready = READY_NOTIFY;
	(void)add(ROW_APP, ROW_NONE);
	(void)add(ROW_WORKER, 2);
	(void)add(ROW_APP, ROW_NONE);
	row(2)->nafter = 1;
	st.plan.node[2].after[0] = APP;
	stage_open(&st);
	stage_boot(&st);
	stage_boot(&st); /* nothing twice */
	DID("s1");
	assert_int_equal(st.node_up, 0);
	stage_input(&st, IN_READY, stage_slot(&st, 1), 0);
	DID("s3");
	assert_int_equal(st.node_up, 1);
	IS(AN_OK, app(VERB_APP_STOP, 2, 0));
	IS(AN_OK, app(VERB_APP_STOP, APP, 0));
	IS(AN_OK, app(VERB_APP_UNLOAD, APP, 0));
	DID("x3 x1");
	(void)app(VERB_APP_START, 2, 0);
	DID("s1"); /* loaded and started for the one that needs it */
	IS(AN_OK, app(VERB_APP_STOP, 2, 0));
	stage_input(&st, IN_READY, stage_slot(&st, 1), 0);
	DID("");
	IS(AN_OK, app(VERB_APP_STOP, APP, 0));
	IS(AN_OK, app(VERB_APP_UNLOAD, APP, 0));
	struct state_core *core = &st.w->t.st->head.core;
	uint32_t used = core->slots_used, list = core->free_slot;
	core->slots_used = SLOT_MAX;
	core->free_slot = SLOT_NONE;
	IS(ANSWER_MAX, app(VERB_APP_START, 2, 0)); /* no room: it waits for ever */
	IS(AN_OK, app(VERB_APP_STOP, 2, 0));
	core->slots_used = used;
	core->free_slot = list;
}

static void
applications_are_loaded_started_stopped_and_unloaded(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(APP)->flags = ROWF_LOADED_ONLY;
	up();
	IS(AN_ALREADY, app(VERB_APP_LOAD, APP, 0));
	IS(AN_NOT_RUNNING, app(VERB_APP_STOP, APP, 0));
	IS(AN_OK, app(VERB_APP_UNLOAD, APP, 0));
	IS(AN_NOT_RUNNING, app(VERB_APP_UNLOAD, APP, 0));
	IS(AN_OK, app(VERB_APP_LOAD, APP, 0));
	IS(AN_OK, app(VERB_APP_START, APP, 1 + PERMANENT));
	IS(AN_ALREADY, app(VERB_APP_START, APP, 0));
	IS(AN_RUNNING, app(VERB_APP_UNLOAD, APP, 0));
	DID("s1");
	uint32_t i = stage_slot(&st, APP);
	IS(AN_OK, stage_ask(&st, VERB_RESTART, i, ROW_NONE, 0));
	DID("x1 s1");
	IS(AN_OK, stage_ask(&st, VERB_STOP, i, ROW_NONE, 0));
	IS(AN_OK, stage_ask(&st, VERB_RESTART, i, ROW_NONE, 0));
	DID("x1 s1");
	IS(AN_OK, stage_ask(&st, VERB_STOP, i, ROW_NONE, 0));
	IS(AN_OK, stage_ask(&st, VERB_START, i, ROW_NONE, 0));
	assert_int_equal(st.ended, 0); /* a stop is no end of a permanent one */
}

static void
a_permanent_one_that_does_not_start_is_only_answered(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(APP)->flags = ROWF_LOADED_ONLY;
	up();
	st.fails[1] = 1;
	IS(AN_FAILED, app(VERB_APP_START, APP, 1 + PERMANENT));
	assert_int_equal(st.ended, 0);
}

static void
a_node_is_not_up_while_an_application_waits(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(1)->ready = READY_NOTIFY;
	(void)add(ROW_APP, ROW_NONE);
	row(2)->nafter = 1;
	st.plan.node[2].after[0] = APP;
	add(ROW_APP, ROW_NONE)->flags = ROWF_LOADED_ONLY;
	up();
	IS(AN_OK, app(VERB_APP_STOP, APP, 0));
	IS(AN_OK, app(VERB_APP_START, 3, 0));
	assert_int_equal(st.node_up, 0);
	(void)app(VERB_APP_START, APP, 0);
	stage_input(&st, IN_READY, stage_slot(&st, 1), 0);
	assert_int_equal(st.node_up, 1);
}

static void
an_empty_node_is_up_at_once(void **unused)
{
	(void)unused;
	stage_new(&st);
	up();
	assert_int_equal(st.node_up, 1);
	stage_input(&st, IN_NODE_STOP, ROOT, 7);
	assert_int_equal(st.ended, 1);
	assert_int_equal(st.status, 7);
}

static void
a_node_that_is_stopped_before_its_boot_is_never_up(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	stage_open(&st);
	stage_input(&st, IN_NODE_STOP, ROOT, 0);
	stage_boot(&st);
	assert_int_equal(st.node_up, 0);
	DID("");
}

static void
a_node_stops_once_and_starts_nothing_more(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	st.deaf[1] = 1;
	(void)add(ROW_APP, ROW_NONE);
	(void)add(ROW_WORKER, 2);
	up();
	(void)stage_ask(&st, VERB_RESTART, stage_slot(&st, APP), ROW_NONE, 0);
	DID("x1");
	stage_input(&st, IN_NODE_STOP, ROOT, 1);
	stage_input(&st, IN_NODE_STOP, ROOT, 2);
	IS(AN_STOPPING, app(VERB_APP_START, 2, 0));
	(void)add(ROW_APP, ROW_NONE);
	(void)add(ROW_WORKER, 4);
	stage_reload(&st);
	stage_wait(&st, 5000);
	DID("x3 k1");
	assert_int_equal(st.ended, 1);
	assert_int_equal(st.status, 1);
	assert_int_equal(st.w->t.nreq, 0);
}

/* --- one worker ---------------------------------------------------------------------------- */

static void
a_machine_without_resources_is_no_failure(void **unused)
{
	(void)unused;

	static const struct {
		uint8_t stage;
		int code, resources;
	} cases[] = {{ST_CLONE, EAGAIN, 1}, {ST_CLONE, ENOMEM, 1}, {ST_FDS, EMFILE, 1},
	    {ST_FDS, ENFILE, 1}, {ST_CGROUP, ENOSPC, 1}, {ST_EXEC, ENOSPC, 0},
	    {ST_EXEC, EACCES, 0}};

	for (size_t k = 0; k < COUNT(cases); k++) {
		flat(ONE_FOR_ONE, 1);
		row(APP)->intensity = 0;
		up();
		st.why = (struct reason){.type = RE_EXEC_FAILED,
		    .stage = cases[k].stage,
		    .code = cases[k].code};
		st.fails[1] = 8;
		dies(1, crash);
		stage_close(&st);
		flat(ONE_FOR_ONE, 1);
		row(APP)->intensity = 1;
		up();
		st.why = (struct reason){.type = RE_EXEC_FAILED,
		    .stage = cases[k].stage,
		    .code = cases[k].code};
		st.fails[1] = 8;
		dies(1, crash);
		stage_wait(&st, 4000);
		assert_int_equal(stage_at(&st, 1)->phase == PH_UP, cases[k].resources);
		stage_close(&st);
	}
}

static void
tries_become_rarer_up_to_a_limit(void **unused)
{
	(void)unused;
	static const uint32_t want[] = {50, 100, 200, 400, 500, 500, 500};
	flat(ONE_FOR_ONE, 1);
	up();
	st.why =
	    (struct reason){.type = RE_EXEC_FAILED, .stage = ST_CLONE, .code = EAGAIN};
	st.fails[1] = 100;
	dies(1, crash);
	for (size_t k = 0; k < COUNT(want); k++) {
		assert_int_equal(stage_at(&st, 1)->timer_ms - st.w->t.now_ms, want[k]);
		stage_wait(&st, want[k]);
	}
	stage_close(&st);
	static const uint32_t first[] = {1, 2, 4, 8, 16, 30, 30, 30};
	flat(ONE_FOR_ONE, 1);
	st.fails[1] = 100;
	up();
	for (size_t k = 0; k < COUNT(first); k++) {
		assert_int_equal(
		    stage_at(&st, 1)->timer_ms - st.w->t.now_ms, first[k] * 1000);
		stage_wait(&st, first[k] * 1000);
	}
}

static void
pre_start_runs_before_and_post_stop_behind(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	st.plan.node[1].npre = st.plan.node[1].npost = 1;
	stage_open(&st);
	stage_boot(&st);
	DID("p1 s1");
	dies(1, crash);
	DID("q1 p1 s1");
	(void)stage_ask(&st, VERB_STOP, stage_slot(&st, 1), ROW_NONE, 0);
	DID("x1 q1");
}

static void
back_within_a_second_after_resources_return(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	st.why =
	    (struct reason){.type = RE_EXEC_FAILED, .stage = ST_CLONE, .code = EAGAIN};
	st.fails[1] = 100000;
	dies(1, crash);
	stage_wait(&st, 3600 * 1000);
	st.fails[1] = 0;
	stage_wait(&st, 1000);
	assert_int_equal(stage_at(&st, 1)->phase, PH_UP);
	assert_int_equal(window_count(&st.w->t, stage_slot(&st, APP)), 0);
	st.fails[1] = 1;
	dies(1, crash);
	IS(AN_OK, stage_ask(&st, VERB_STOP, stage_slot(&st, 1), ROW_NONE, 0));
	stage_wait(&st, 10000);
	assert_int_equal(stage_at(&st, 1)->phase, PH_DOWN);
}

static void
a_stop_overtakes_the_word_of_a_failed_birth(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	uint32_t i = stage_slot(&st, 1);
	st.hangs[1] = st.deaf[1] = 1;
	dies(1, crash);
	(void)stage_ask(&st, VERB_STOP, i, ROW_NONE, 0);
	struct input in = {.type = IN_SPAWN_FAILED,
	    .slot = i,
	    .reason = {.type = RE_EXEC_FAILED, .stage = ST_FDS, .code = EMFILE}};
	world_step(st.w, &in);
	dies(1, (struct reason){.type = RE_EXIT, .code = 127});
	assert_int_equal(world_slot(st.w, i)->phase, PH_DOWN);
	assert_int_equal(world_slot(st.w, i)->last.type, RE_EXEC_FAILED);
}

static void
a_birth_that_fails_for_want_of_resources_is_tried_again(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(APP)->intensity = 1;
	up();
	st.hangs[1] = 1;
	dies(1, crash);
	struct input in = {.type = IN_SPAWN_FAILED,
	    .slot = stage_slot(&st, 1),
	    .reason = {.type = RE_EXEC_FAILED, .stage = ST_FDS, .code = EMFILE}};
	world_step(st.w, &in);
	st.hangs[1] = 0;
	dies(1, (struct reason){.type = RE_EXIT, .code = 127});
	stage_wait(&st, 50);
	DID("s1 s1");
	assert_int_equal(stage_at(&st, 1)->phase, PH_UP);
}

static void
a_timer_without_a_meaning_is_put_away(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	stage_at(&st, 1)->timer_ms = 1;
	stage_input(&st, IN_TIMER, stage_slot(&st, 1), 0);
	assert_int_equal(stage_at(&st, 1)->timer_ms, 0);
	DID("");
}

static void
a_stop_overtakes_a_clone_that_fails(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	uint32_t i = stage_slot(&st, 1);
	struct input in = {.type = IN_EXITED, .slot = i, .reason = crash};
	world_step(st.w, &in);
	in.type = IN_SWEPT;
	world_step(st.w, &in);
	struct msg_request m = {.verb = VERB_STOP};
	m.m.slot = i;
	world_request(st.w, &m);
	in.type = IN_SPAWN_FAILED;
	in.reason =
	    (struct reason){.type = RE_EXEC_FAILED, .stage = ST_CLONE, .code = EAGAIN};
	world_step(st.w, &in);
	assert_int_equal(world_slot(st.w, i)->phase, PH_DOWN);
	assert_int_equal(st.w->t.nreq, 0);
	st.w->t.nact = 0;
}

static void
odd_exit_codes_are_no_success(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	memset(row(1)->success, 0xff, sizeof row(1)->success);
	row(1)->restart = TRANSIENT;
	row(APP)->intensity = 5;
	up();
	dies(1, (struct reason){.type = RE_EXIT, .code = 256});
	dies(1, (struct reason){.type = RE_EXIT, .code = -1});
	DID("s1 s1");
	dies(1, (struct reason){.type = RE_EXIT, .code = 255});
	DID("");
}

static void
a_phase_nobody_knows_harms_nobody(void **unused)
{
	(void)unused;
	for (int type = IN_EXECED; type < IN_MAX + 2; type++) {
		flat(ONE_FOR_ONE, 1);
		up();
		struct slot *s = stage_at(&st, 1);
		s->phase = 99;
		s->timer_ms = 1;
		world_step(
		    st.w, &(struct input){
			      .type = (enum input_type)type, .slot = 2, .gen = 0});
		if (type == IN_REQUEST - 1)
			(void)worker_stop(&st.w->t, 2);
		stage_close(&st);
		if (type == IN_MAINPID)
			type++; /* a request without a message is no input */
	}
}

static void
timers_follow_the_worker(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(1)->watchdog_ms = 100;
	up();
	uint32_t i = stage_slot(&st, 1);
	stage_wait(&st, 90);
	stage_input(&st, IN_PING, i, 0);
	stage_wait(&st, 90);
	DID("");
	stage_input(&st, IN_WATCHDOG_MS, i, 1000);
	stage_wait(&st, 999);
	DID("");
	stage_wait(&st, 1);
	DID("x1 s1");
	assert_int_equal(world_slot(st.w, i)->last.type, RE_WATCHDOG);
	stage_input(&st, IN_WATCHDOG_MS, i, 0);
	stage_wait(&st, 100000);
	DID("");
}

static void
a_start_that_takes_too_long_is_killed(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(1)->ready = READY_NOTIFY;
	row(1)->start_ms = 1000;
	st.plan.node[1].npost = 1;
	up();
	uint32_t i = stage_slot(&st, 1);
	stage_wait(&st, 500);
	stage_input(&st, IN_EXTEND, i, 2000);
	stage_wait(&st, 1999);
	DID("");
	stage_wait(&st, 1);
	DID("k1 q1");
	assert_int_equal(world_slot(st.w, i)->last.type, RE_START_TIMEOUT);
}

static void
backoff_doubles_and_is_forgotten_after_a_healthy_run(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(APP)->intensity = INTENSITY_INFINITY;
	row(1)->backoff_min_ms = 100;
	row(1)->backoff_max_ms = 400;
	up();
	static const uint32_t want[] = {100, 200, 400, 400};
	for (size_t k = 0; k < COUNT(want); k++) {
		dies(1, crash);
		const struct slot *s = stage_at(&st, 1);
		uint64_t delay = s->timer_ms - st.w->t.now_ms;
		assert_int_equal(s->backoff_ms, want[k]);
		assert_in_range(delay, want[k] * 4 / 5, want[k] * 6 / 5);
		stage_wait(&st, 480);
	}
	stage_wait(&st, 400);
	dies(1, crash);
	assert_int_equal(stage_at(&st, 1)->backoff_ms, 100);
}

/* --- reloads ---------------------------------------------------------------------------------- */

static void
a_reload_touches_only_what_differs(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 3);
	up();
	row(1)->backoff_min_ms = row(1)->backoff_max_ms = 5;
	stage_reload(&st);
	DID("");
	st.plan.node[2].version++;
	stage_reload(&st);
	DID("x2 s2");
	(void)add(ROW_WORKER, APP);
	stage_reload(&st);
	DID("s4");
	st.plan.n--;
	stage_reload(&st);
	DID("x4");
	assert_int_equal(tree_leavers(&st.w->t), 0);
}

static void
siblings_stand_in_the_order_of_the_file(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 3);
	up();
	struct plan_node first = st.plan.node[1];
	st.plan.node[1] = st.plan.node[3];
	st.plan.node[3] = first;
	struct msg_request m = {
	    .verb = VERB_STOP, .rows_seq = st.w->t.st->head.core.rows_seq};
	m.m.slot = stage_slot(&st, 1);
	stage_reload(&st);
	world_request(st.w, &m); /* it means the rows before */
	IS(AN_STALE, st.w->t.act[st.w->t.nact - 1].value);
	st.w->t.nact = 0;
	DID("");
	IS(AN_OK, app(VERB_APP_STOP, APP, 0));
	assert_int_equal(stage_at(&st, 1)->next, stage_slot(&st, 2));
	assert_int_equal(stage_at(&st, 2)->next, stage_slot(&st, 3));
}

static void
a_reload_during_a_stop_keeps_its_order(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 3);
	st.deaf[3] = 1;
	up();
	(void)app(VERB_APP_STOP, APP, 0);
	DID("x3");
	struct plan_node last = st.plan.node[3];
	st.deaf[2] = 1; /* now the deaf one is row 2; the one before it leaves */
	st.plan.node[2] = last;
	st.plan.n = 3;
	uint32_t leaver = stage_slot(&st, 2);
	stage_reload(&st);
	DID("");
	assert_int_equal(world_slot(st.w, leaver)->phase, PH_UP);
	stage_wait(&st, 20000);
	assert_int_equal(stage_at(&st, APP)->phase, PH_DOWN);
	assert_int_equal(world_slot(st.w, leaver)->kind, SLOT_FREE);
	assert_string_equal(stage_did(&st), "k2 x2 k2 x1");
}

static void
a_new_command_that_fails_is_tried_again(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	st.plan.node[1].version++;
	st.fails[1] = 2;
	stage_reload(&st);
	DID("x1 f1 f1 s1");
}

static void
a_reload_mends_a_start_that_would_never_end(void **unused)
{
	(void)unused;
	flat(REST_FOR_ONE, 2);
	row(1)->ready = READY_NOTIFY;
	stage_open(&st);
	stage_boot(&st);
	DID("s1");
	row(1)->ready = READY_NONE;
	st.plan.node[1].version++;
	stage_reload(&st);
	DID("x1 s1 s2");
}

static void
a_reload_mends_a_restart_that_would_never_end(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2);
	row(1)->ready = READY_NOTIFY;
	stage_open(&st);
	stage_boot(&st);
	stage_input(&st, IN_READY, stage_slot(&st, 1), 0);
	dies(1, crash);
	DID("s1 s2 s1");
	row(1)->ready = READY_NONE;
	st.plan.node[1].version++;
	stage_reload(&st);
	DID("x1 s1");
	dies(1, crash);
	DID("s1");
}

static void
a_reload_leaves_a_restart_of_a_supervisor_alone(void **unused)
{
	(void)unused;
	flat(REST_FOR_ONE, 0);
	(void)add(ROW_SUP, APP);
	add(ROW_WORKER, 1)->ready = READY_NOTIFY;
	stage_open(&st);
	stage_boot(&st);
	st.deaf[2] = 1;
	(void)stage_ask(&st, VERB_RESTART, stage_slot(&st, 1), ROW_NONE, 0);
	stage_reload(&st);
	stage_wait(&st, 5000);
	DID("s2 x2 k2 s2");
	stage_input(&st, IN_READY, stage_slot(&st, 2), 0);
	assert_int_equal(stage_at(&st, APP)->phase, PH_SUP_UP);
	IS(AN_OK, st.answer);
}

static void
an_old_number_of_instances_follows_the_file(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 0);
	add(ROW_SUP, APP)->strategy = SIMPLE_ONE_FOR_ONE;
	add(ROW_TEMPLATE, 1)->instances = 2;
	up();
	row(2)->instances = 3;
	stage_reload(&st);
	DID("s2.3");
	st.plan.node[2].version++;
	stage_reload(&st);
	DID("x2.1 x2.2 x2.3 s2.1 s2.2 s2.3");
}

static void
a_reload_without_a_free_slot_takes_nothing_away(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	struct state_core *core = &st.w->t.st->head.core;
	uint32_t used = core->slots_used;
	core->slots_used = SLOT_MAX;
	(void)add(ROW_APP, ROW_NONE);
	stage_reload(&st);
	st.plan.n--;
	(void)add(ROW_WORKER, APP);
	stage_reload(&st);
	core->slots_used = used;
	DID("");
	assert_int_equal(stage_at(&st, 1)->phase, PH_UP);
}

static void
a_queued_start_child_follows_its_row(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	add(ROW_WORKER, APP)->flags = ROWF_DYNAMIC;
	add(ROW_WORKER, APP)->flags = ROWF_DYNAMIC;
	up();
	uint32_t i = stage_slot(&st, APP);
	st.deaf[1] = 1;
	(void)stage_ask(&st, VERB_TERMINATE_CHILD, stage_slot(&st, 1), ROW_NONE, 0);
	(void)stage_ask(&st, VERB_START_CHILD, i, 2, 0);
	(void)stage_ask(&st, VERB_START_CHILD, i, 3, 0);
	st.plan.node[2] = st.plan.node[3]; /* the first goes, the other is row 2 now */
	st.plan.n--;
	st.answers = 0;
	stage_reload(&st);
	assert_int_equal(st.answers, 1);
	IS(AN_STALE, st.answer);
	stage_wait(&st, 5000);
	DID("x1 k1 s2");
}

static void
nothing_starts_what_leaves(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	add(ROW_SUP, APP)->strategy = SIMPLE_ONE_FOR_ONE;
	add(ROW_TEMPLATE, 2)->instances = 1;
	up();
	uint32_t p = stage_slot(&st, 2);
	st.deaf[1] = 1;
	(void)stage_ask(&st, VERB_TERMINATE_CHILD, stage_slot(&st, 1), ROW_NONE, 0);
	(void)stage_ask(&st, VERB_TERMINATE_CHILD, p, ROW_NONE, 0);
	(void)stage_ask(&st, VERB_RESTART_CHILD, p, ROW_NONE, 0);
	st.plan.n = 2;
	stage_reload(&st);
	assert_int_equal(world_slot(st.w, p)->kind, SLOT_SUP); /* it waits its turn */
	st.answers = 0;
	IS(AN_UNKNOWN, stage_ask(&st, VERB_STOP, p, ROW_NONE, 0));
	assert_int_equal(st.answers, 1);
	stage_wait(&st, 10000);
	assert_int_equal(tree_leavers(&st.w->t), 0);
}

static void
a_pool_that_leaves_gets_no_new_instances(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	add(ROW_SUP, APP)->intensity = 3;
	struct row *p = add(ROW_SUP, 2);
	p->strategy = SIMPLE_ONE_FOR_ONE;
	p->intensity = 0;
	add(ROW_TEMPLATE, 3)->instances = 1;
	up();
	uint32_t i = stage_slot(&st, 3), c = world_slot(st.w, i)->first;
	st.deaf[1] = 1;
	(void)stage_ask(&st, VERB_TERMINATE_CHILD, stage_slot(&st, 1), ROW_NONE, 0);
	st.plan.n = 2;
	stage_reload(&st);
	stage_dies(&st, c, crash); /* while the application is busy with another */
	DID("x1");
	assert_int_equal(world_slot(st.w, i)->nchildren, 0);
	stage_wait(&st, 5000);
	assert_int_equal(tree_leavers(&st.w->t), 0);
}

static void
one_that_waits_and_leaves_is_not_started(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 3);
	st.plan.node[2].after[0] = 3;
	row(2)->nafter = 1;
	row(3)->flags |= ROWF_DISABLED;
	up();
	st.deaf[1] = 1;
	(void)stage_ask(&st, VERB_TERMINATE_CHILD, stage_slot(&st, 1), ROW_NONE, 0);
	st.plan.node[2] = st.plan.node[3];
	st.plan.n--;
	stage_reload(&st);
	stage_wait(&st, 5000);
	DID("x1 k1");
	assert_int_equal(tree_leavers(&st.w->t), 0);
}

static void
one_that_waits_is_waited_for_in_another_strategy(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 4);
	st.plan.node[2].after[0] = 3;
	row(2)->nafter = 1;
	row(3)->flags |= ROWF_DISABLED;
	st.fails[1] = 1;
	up();
	row(APP)->strategy = REST_FOR_ONE;
	stage_reload(&st);
	stage_wait(&st, 1000);
	DID("s1");
	assert_int_equal(stage_at(&st, 2)->phase, PH_AFTER);
	(void)stage_ask(&st, VERB_STOP, stage_slot(&st, 2), ROW_NONE, 0);
	IS(AN_OK, stage_ask(&st, VERB_START, stage_slot(&st, 3), ROW_NONE, 0));
	DID("s3");
}

/* --- windows ------------------------------------------------------------------------------------ */

static void
every_supervisor_has_a_window_while_there_are_some(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(APP)->intensity = 0;
	stage_open(&st);
	struct state_core *core = &st.w->t.st->head.core;
	IS(AN_OK, app(VERB_APP_UNLOAD, APP, 0));
	core->window_map[0] = UINT64_MAX; /* the second word has one */
	IS(AN_OK, app(VERB_APP_LOAD, APP, 0));
	assert_int_equal(stage_at(&st, APP)->window, 64);
	IS(AN_OK, app(VERB_APP_UNLOAD, APP, 0));
	memset(core->window_map, 0xff, sizeof core->window_map);
	IS(AN_OK, app(VERB_APP_LOAD, APP, 0));
	assert_int_equal(stage_at(&st, APP)->window, SLOT_NONE);
	IS(AN_OK, app(VERB_APP_START, APP, 0));
	dies(1, crash);
	DID("s1 s1"); /* nobody counts */
	assert_int_equal(window_count(&st.w->t, stage_slot(&st, APP)), 0);
	IS(AN_OK, app(VERB_APP_STOP, APP, 0));
	IS(AN_OK, app(VERB_APP_UNLOAD, APP, 0));
}

static void
a_window_that_goes_takes_no_other_along(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 0);
	(void)add(ROW_APP, ROW_NONE);
	(void)add(ROW_APP, ROW_NONE);
	stage_open(&st);
	IS(AN_OK, app(VERB_APP_UNLOAD, 1, 0));
	IS(AN_OK, app(VERB_APP_UNLOAD, 2, 0));
	IS(AN_OK, app(VERB_APP_LOAD, 2, 0));
	IS(AN_OK, app(VERB_APP_LOAD, 1, 0));
	uint32_t a = stage_at(&st, 0)->window, b = stage_at(&st, 1)->window,
		 c = stage_at(&st, 2)->window;
	assert_true(a != b && b != c && a != c);
	assert_true(a < 4 && b < 4 && c < 4); /* with the root's: four in all */
}

static void
a_supervisor_comes_back_at_once(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 0);
	struct row *s = add(ROW_SUP, APP);
	s->intensity = 0;
	s->backoff_min_ms = s->backoff_max_ms = 1000; /* means nothing here */
	(void)add(ROW_WORKER, 1);
	up();
	dies(2, crash);
	DID("s2");
}

/* --- recovery ------------------------------------------------------------------------------------- */

static void
a_hostile_undo_log_is_bounded(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	struct state *s = st.w->t.st;
	s->head.undo_n = UINT32_MAX;
	s->head.undo_core = 0;
	for (uint32_t k = 0; k < SLOT_MAX; k++)
		s->undo[k].index = UINT32_MAX;
	tree_recover(&st.w->t);
	assert_null(tree_check(&st.w->t));
}

static void
more_actions_than_fit_are_dropped_not_written_elsewhere(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	struct tree *t = &st.w->t;
	t->nact = ACTIONS_CAP;
	t->act[ACTIONS_CAP - 1] = (struct action){.type = ACT_SWEEP, .ref = 5};
	struct msg_request m = {.verb = VERB_STOP};
	world_request(st.w, &m);
	assert_int_equal(t->nact, ACTIONS_CAP);
	assert_int_equal(t->act[ACTIONS_CAP - 1].ref, 5);
	t->nact = 0;
}

/* --- what the invariants say --------------------------------------------------------------------- */

enum { R = 0, A = 1, W1 = 2, W2 = 3 };

#define BREAKS(what, sentence)                                       \
	do {                                                         \
		struct slot *s = st.w->t.st->slot;                   \
		struct state_head *h = &st.w->t.st->head;            \
		static struct slot kept[8];                          \
		struct state_core core = h->core;                    \
		memcpy(kept, s, sizeof kept);                        \
		what;                                                \
		assert_string_equal(tree_check(&st.w->t), sentence); \
		memcpy(s, kept, sizeof kept);                        \
		h->core = core;                                      \
		h->undo_n = 0;                                       \
		assert_null(tree_check(&st.w->t));                   \
	} while (0)

static void
every_broken_invariant_is_named(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2);
	up();
	BREAKS(h->undo_n = 1, "a step did not commit");
	BREAKS(s[W1].pid = 0, "a worker is up without a process");
	static const uint8_t without[] = {
	    PH_DOWN, PH_BACKOFF, PH_AFTER, PH_DONE, PH_SWEEP};
	for (size_t k = 0; k < COUNT(without); k++)
		BREAKS((s[W1].phase = without[k], s[W1].child = CH_UNDEFINED),
		    "a worker that is down has a process");
	BREAKS((s[W1].phase = PH_BACKOFF, s[W1].pid = 0),
	    "a worker waits for ever for its backoff");
	BREAKS(s[W1].phase = PH_SUP_UP, "a worker is in a supervisor's phase");
	BREAKS(s[W1].flags |= SF_WAITING, "a worker waits for ever for resources");
	BREAKS(s[A].pend_first = W1, "an idle supervisor has something in its queue");
	BREAKS(s[A].phase = PH_DOWN, "a supervisor is down and its child is not");
	BREAKS((s[W1].phase = PH_DOWN, s[W1].pid = 0, s[W1].child = CH_RESTARTING),
	    "a child that is to be restarted was forgotten");
	BREAKS((s[W1].phase = PH_DOWN, s[W1].pid = 0), "a dead child counts as alive");
	BREAKS(s[W2].prev = SLOT_NONE, "the list of children is broken");
	BREAKS(s[W2].parent = R, "the list of children is broken");
	BREAKS(s[A].nchildren = 5, "the number of children is wrong");
	BREAKS(s[A].last_child = W1, "the number of children is wrong");
	BREAKS(s[W1].seq |= 1, "a slot was left open for writing");
	BREAKS((s[W1].phase = PH_AFTER, s[W1].pid = 0),
	    "one that waits for others was forgotten");
	BREAKS(h->core.after_first = W1, "the list of the waiting is broken");
	BREAKS((s[W1].phase = PH_AFTER, s[W1].pid = 0, s[W1].after_next = W1,
		   h->core.after_first = W1),
	    "the list of the waiting is broken");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, down)
	    T(the_end_of_an_application_means_its_start_type),
	    T(a_lifespan_ends_with_normal),
	    T(a_lifespan_does_not_hurry_an_end),
	    T(needed_applications_start_first),
	    T(applications_are_loaded_started_stopped_and_unloaded),
	    T(a_permanent_one_that_does_not_start_is_only_answered),
	    T(a_node_is_not_up_while_an_application_waits),
	    T(an_empty_node_is_up_at_once),
	    T(a_node_that_is_stopped_before_its_boot_is_never_up),
	    T(a_node_stops_once_and_starts_nothing_more),
	    T(a_machine_without_resources_is_no_failure),
	    T(tries_become_rarer_up_to_a_limit),
	    T(pre_start_runs_before_and_post_stop_behind),
	    T(back_within_a_second_after_resources_return),
	    T(a_stop_overtakes_the_word_of_a_failed_birth),
	    T(a_birth_that_fails_for_want_of_resources_is_tried_again),
	    T(a_timer_without_a_meaning_is_put_away),
	    T(a_stop_overtakes_a_clone_that_fails),
	    T(odd_exit_codes_are_no_success),
	    T(a_phase_nobody_knows_harms_nobody),
	    T(timers_follow_the_worker),
	    T(a_start_that_takes_too_long_is_killed),
	    T(backoff_doubles_and_is_forgotten_after_a_healthy_run),
	    T(a_reload_touches_only_what_differs),
	    T(siblings_stand_in_the_order_of_the_file),
	    T(a_reload_during_a_stop_keeps_its_order),
	    T(a_new_command_that_fails_is_tried_again),
	    T(a_reload_mends_a_start_that_would_never_end),
	    T(a_reload_mends_a_restart_that_would_never_end),
	    T(a_reload_leaves_a_restart_of_a_supervisor_alone),
	    T(an_old_number_of_instances_follows_the_file),
	    T(a_reload_without_a_free_slot_takes_nothing_away),
	    T(a_queued_start_child_follows_its_row),
	    T(nothing_starts_what_leaves),
	    T(a_pool_that_leaves_gets_no_new_instances),
	    T(one_that_waits_and_leaves_is_not_started),
	    T(one_that_waits_is_waited_for_in_another_strategy),
	    T(every_supervisor_has_a_window_while_there_are_some),
	    T(a_window_that_goes_takes_no_other_along),
	    T(a_supervisor_comes_back_at_once),
	    T(a_hostile_undo_log_is_bounded),
	    T(more_actions_than_fit_are_dropped_not_written_elsewhere),
	    T(every_broken_invariant_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
