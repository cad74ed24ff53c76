/* One worker's life in its odd turns. */
#include "tests/unit/tree_help.h"

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
		boot();
		st.why = (struct reason){.type = RE_EXEC_FAILED,
		    .stage = cases[k].stage,
		    .code = cases[k].code};
		st.fails[1] = 8;
		dies(1, crash);
		stage_close(&st);
		flat(ONE_FOR_ONE, 1);
		row(APP)->intensity = 1;
		boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
		boot();
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
	boot();
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
	boot();
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
	boot();
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
