/* What operators and programs ask for, and what comes of it. */
#include "tests/unit/tree_help.h"

/* Row 1: a pool, row 2: its template. */
static void
pool(uint32_t instances)
{
	flat(ONE_FOR_ONE, 0);
	struct row *p = add(ROW_SUP, APP);
	p->strategy = SIMPLE_ONE_FOR_ONE;
	p->intensity = 3;
	add(ROW_TEMPLATE, 1)->instances = instances;
}

static void
up(void)
{
	stage_open(&st);
	assert_int_equal(stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0), AN_OK);
	(void)stage_did(&st);
}

static uint32_t
instance(uint32_t number)
{
	uint32_t c = world_slot(st.w, stage_slot(&st, 1))->first;
	while (c != SLOT_NONE && world_slot(st.w, c)->number != number)
		c = world_slot(st.w, c)->next;
	return c;
}

/* --- stop, start, restart ------------------------------------------------------------- */

static void
what_the_operator_stops_stays_down_until_start(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 3);
	up();
	IS(AN_OK, ask(VERB_STOP, 2));
	DID("x2");
	stage_dies(&st, stage_slot(&st, 1), crash);
	DID("x3 s1 s3");
	IS(AN_OK, ask(VERB_STOP, 2));
	IS(AN_OK, ask(VERB_START, 2));
	DID("s2");
	IS(AN_ALREADY, ask(VERB_START, 2));
}

static void
terminate_child_does_not_hold(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 3);
	up();
	IS(AN_OK, ask(VERB_TERMINATE_CHILD, 2));
	stage_dies(&st, stage_slot(&st, 1), crash);
	DID("x2 x3 s1 s2 s3");
}

static void
restart_stops_and_starts_and_does_not_count(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2);
	up();
	for (int k = 0; k < 10; k++)
		IS(AN_OK, ask(VERB_RESTART, 1));
	assert_int_equal(window_count(&st.w->t, stage_slot(&st, APP)), 0);
	assert_int_equal(stage_at(&st, 1)->restarts, 10);
	IS(AN_OK, ask(VERB_STOP, 1));
	IS(AN_OK, ask(VERB_RESTART, 1));
	assert_int_equal(stage_at(&st, 1)->phase, PH_UP);
}

static void
restart_during_a_restart_makes_no_second_process(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	st.hangs[1] = 1;
	stage_dies(&st, stage_slot(&st, 1), crash);
	DID("s1");
	st.hangs[1] = 0;
	IS(AN_OK, ask(VERB_RESTART, 1));
	DID("x1 s1");
}

static void
restart_of_what_a_start_in_order_waits_for_comes_at_once(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2);
	st.plan.node[1].row.ready = READY_NOTIFY;
	stage_open(&st);
	(void)stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0);
	DID("s1");
	(void)ask(VERB_RESTART, 1);
	DID("x1 s1");
	IS(AN_OK, ask(VERB_STOP, 1));
	DID("x1 s2");
}

static void
restart_of_one_that_waits_for_its_time_comes_at_once(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	st.plan.node[1].row.backoff_min_ms = 1000;
	st.plan.node[1].row.backoff_max_ms = 1000;
	up();
	stage_dies(&st, stage_slot(&st, 1), crash);
	DID("");
	IS(AN_OK, ask(VERB_RESTART, 1));
	DID("s1");
	stage_wait(&st, 5000);
	DID("");
	stage_dies(&st, stage_slot(&st, 1), crash);
	IS(AN_OK, ask(VERB_STOP, 1));
	stage_wait(&st, 5000);
	DID("");
}

static void
a_restart_that_fails_says_so(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	st.fails[1] = 1;
	IS(AN_FAILED, ask(VERB_RESTART, 1));
	DID("x1 f1 s1");
	IS(AN_ALREADY, ask(VERB_START, 1));
}

/* Its supervisor takes the failure for a failed restart: it counts, and tries again. */
static void
a_restart_that_fails_is_tried_again_and_counts(void **unused)
{
	(void)unused;
	for (int was_held = 0; was_held <= 1; was_held++) {
		flat(ONE_FOR_ONE, 2);
		up();
		if (was_held)
			IS(AN_OK, ask(VERB_STOP, 1));
		(void)stage_did(&st);
		st.fails[1] = 2;
		IS(AN_FAILED, ask(VERB_RESTART, 1));
		DID(was_held ? "f1 f1 s1" : "x1 f1 f1 s1");
		assert_int_equal(window_count(&st.w->t, stage_slot(&st, APP)), 2);
		IS(AN_OK, ask(VERB_STOP, 1));
		st.fails[1] = 9;
		IS(AN_FAILED, ask(VERB_RESTART, 1));
		DID("x1 f1 f1 x2");
		assert_int_equal(stage_at(&st, APP)->phase, PH_DOWN);
		down(NULL);
	}
}

static void
a_failed_restart_follows_the_strategy_and_the_delays(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 2);
	up();
	st.fails[1] = 1;
	IS(AN_FAILED, ask(VERB_RESTART, 1));
	DID("x1 f1 x2 s1 s2");
	row(1)->backoff_min_ms = row(1)->backoff_max_ms = 1000;
	stage_reload(&st);
	(void)stage_did(&st);
	st.fails[1] = 1;
	IS(AN_FAILED, ask(VERB_RESTART, 1));
	DID("x1 f1");
	stage_wait(&st, 2000);
	DID("x2 s1 s2");
}

static void
a_temporary_one_whose_restart_fails_is_not_tried_again(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(1)->restart = TEMPORARY;
	up();
	st.fails[1] = 1;
	IS(AN_FAILED, ask(VERB_RESTART, 1));
	stage_wait(&st, 60000);
	DID("x1 f1");
	IS(AN_OK, ask(VERB_START, 1));
}

static void
a_stop_during_a_stop_is_answered_too(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	st.deaf[1] = 1;
	IS(ANSWER_MAX, ask(VERB_STOP, 1));
	IS(AN_BUSY, ask(VERB_STOP, 1));
	stage_wait(&st, 5000);
	IS(AN_OK, st.answer);
	DID("x1 k1");
}

/* --- the rest of OTP's interface ---------------------------------------------------------- */

static void
delete_child_wants_it_down(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2);
	add(ROW_WORKER, APP)->flags = ROWF_DYNAMIC;
	up();
	IS(AN_RUNNING, ask(VERB_DELETE_CHILD, 1));
	IS(AN_OK, ask(VERB_TERMINATE_CHILD, 1));
	IS(AN_OK, ask(VERB_DELETE_CHILD, 1));
	IS(AN_UNKNOWN, ask(VERB_DELETE_CHILD, 1));
	IS(AN_UNKNOWN, ask(VERB_RESTART_CHILD, 1));
	IS(AN_UNKNOWN, ask(VERB_TERMINATE_CHILD, 1));
	IS(AN_OK, stage_ask(&st, VERB_START_CHILD, stage_slot(&st, APP), 3, 0));
	IS(AN_OK, ask(VERB_TERMINATE_CHILD, 3));
	uint32_t c = stage_slot(&st, 3);
	uint32_t gen = world_slot(st.w, c)->gen;
	IS(AN_OK, ask(VERB_DELETE_CHILD, 3));
	assert_int_equal(stage_slot(&st, 3), SLOT_NONE);
	IS(AN_OK, stage_ask(&st, VERB_START_CHILD, stage_slot(&st, APP), 3, 0));
	assert_int_equal(stage_slot(&st, 3), c);
	assert_true(world_slot(st.w, c)->gen > gen); /* late words are not for it */
	IS(AN_OK, ask(VERB_TERMINATE_CHILD, 3));
	IS(AN_OK, ask(VERB_DELETE_CHILD, 3));
	IS(AN_UNKNOWN, stage_ask(&st, VERB_DELETE_CHILD, c, ROW_NONE, 0));
}

static void
start_child_brings_a_forgotten_one_back_to_its_place(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 2);
	st.plan.node[1].row.restart = TEMPORARY;
	up();
	stage_dies(&st, stage_slot(&st, 1), normal);
	IS(AN_OK, stage_ask(&st, VERB_START_CHILD, stage_slot(&st, APP), 1, 0));
	IS(AN_ALREADY, stage_ask(&st, VERB_START_CHILD, stage_slot(&st, APP), 1, 0));
	DID("s1");
	IS(AN_OK, stage_ask(&st, VERB_APP_STOP, SLOT_NONE, APP, 0));
	DID("x2 x1");
}

static void
restart_child_wants_it_down(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	st.plan.node[1].row.backoff_min_ms = 1000;
	st.plan.node[1].row.backoff_max_ms = 1000;
	up();
	IS(AN_RUNNING, ask(VERB_RESTART_CHILD, 1));
	stage_dies(&st, stage_slot(&st, 1), crash);
	IS(AN_RESTARTING, ask(VERB_RESTART_CHILD, 1));
	IS(AN_RESTARTING, ask(VERB_DELETE_CHILD, 1));
	IS(AN_OK, ask(VERB_TERMINATE_CHILD, 1));
	IS(AN_OK, ask(VERB_RESTART_CHILD, 1));
	DID("s1");
}

static void
start_child_that_fails_leaves_nothing(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	add(ROW_WORKER, APP)->flags = ROWF_DYNAMIC;
	add(ROW_SUP, APP)->flags = ROWF_DYNAMIC;
	(void)add(ROW_WORKER, 3);
	up();
	uint32_t app = stage_slot(&st, APP);
	st.fails[2] = 1;
	IS(AN_FAILED, stage_ask(&st, VERB_START_CHILD, app, 2, 0));
	assert_int_equal(stage_slot(&st, 2), SLOT_NONE);
	st.fails[4] = 1;
	IS(AN_FAILED, stage_ask(&st, VERB_START_CHILD, app, 3, 0));
	assert_int_equal(stage_slot(&st, 3), SLOT_NONE);
	assert_int_equal(stage_slot(&st, 4), SLOT_NONE);
	IS(AN_OK, stage_ask(&st, VERB_START_CHILD, app, 3, 0));
	IS(AN_OK, ask(VERB_TERMINATE_CHILD, 3));
	st.fails[4] = 1;
	IS(AN_FAILED, ask(VERB_RESTART_CHILD, 3)); /* it was there once: it stays */
	IS(AN_OK, ask(VERB_RESTART_CHILD, 3));
	(void)stage_did(&st);
	stage_dies(&st, stage_slot(&st, 1), crash);
	DID("s1");
}

static void
dynamic_children_are_lost_when_their_supervisor_restarts(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 0);
	add(ROW_SUP, APP)->intensity = 0;
	(void)add(ROW_WORKER, 1);
	add(ROW_WORKER, 1)->flags = ROWF_DYNAMIC;
	up();
	IS(AN_OK, stage_ask(&st, VERB_START_CHILD, stage_slot(&st, 1), 3, 0));
	(void)stage_did(&st);
	stage_dies(&st, stage_slot(&st, 2), crash);
	DID("x3 s2");
	assert_int_equal(stage_slot(&st, 3), SLOT_NONE);
}

/* --- pools ---------------------------------------------------------------------------------- */

static void
a_pool_is_scaled_without_touching_the_others(void **unused)
{
	(void)unused;
	pool(2);
	up();
	IS(AN_OK, stage_ask(&st, VERB_SCALE, stage_slot(&st, 1), ROW_NONE, 4));
	DID("s2.3 s2.4");
	IS(AN_OK, stage_ask(&st, VERB_SCALE, stage_slot(&st, 1), ROW_NONE, 1));
	DID("x2.4 x2.3 x2.2");
	IS(AN_NOT_POOL, stage_ask(&st, VERB_SCALE, stage_slot(&st, APP), ROW_NONE, 1));
	IS(AN_NOT_POOL, stage_ask(&st, VERB_SCALE, instance(1), ROW_NONE, 1));
	IS(AN_BUSY, stage_ask(&st, VERB_SCALE, stage_slot(&st, 1), ROW_NONE, SLOT_MAX));
	IS(AN_OK, stage_ask(&st, VERB_APP_STOP, SLOT_NONE, APP, 0));
	IS(AN_OK, stage_ask(&st, VERB_SCALE, stage_slot(&st, 1), ROW_NONE, 2));
	(void)stage_did(&st);
	IS(AN_OK, stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0));
	DID("s2.1 s2.2");
}

static void
scaling_down_twice_takes_each_away_once(void **unused)
{
	(void)unused;
	pool(4);
	up();
	st.deaf[2] = 1;
	(void)stage_ask(&st, VERB_SCALE, stage_slot(&st, 1), ROW_NONE, 3);
	(void)stage_ask(&st, VERB_SCALE, stage_slot(&st, 1), ROW_NONE, 1);
	DID("x2.4 x2.3 x2.2");
	stage_wait(&st, 5000);
	assert_int_equal(stage_at(&st, 1)->nchildren, 1);
}

static void
an_instance_has_its_own_life(void **unused)
{
	(void)unused;
	pool(3);
	up();
	IS(AN_OK, stage_ask(&st, VERB_RESTART, instance(2), ROW_NONE, 0));
	DID("x2.2 s2.2");
	IS(AN_POOL, stage_ask(&st, VERB_RESTART_CHILD, instance(2), ROW_NONE, 0));
	IS(AN_POOL, stage_ask(&st, VERB_DELETE_CHILD, instance(2), ROW_NONE, 0));
	IS(AN_OK, stage_ask(&st, VERB_STOP, instance(2), ROW_NONE, 0));
	assert_int_not_equal(instance(2), SLOT_NONE);
	IS(AN_OK, stage_ask(&st, VERB_RESTART, instance(2), ROW_NONE, 0));
	DID("x2.2 s2.2");
	IS(AN_OK, stage_ask(&st, VERB_TERMINATE_CHILD, instance(2), ROW_NONE, 0));
	assert_int_equal(instance(2), SLOT_NONE);
	IS(AN_OK, stage_ask(&st, VERB_START_CHILD, stage_slot(&st, 1), 2, 0));
	DID("x2.2 s2.2");
	st.fails[2] = 1;
	IS(AN_FAILED, stage_ask(&st, VERB_START_CHILD, stage_slot(&st, 1), 2, 0));
	assert_int_equal(instance(4), SLOT_NONE);
}

static void
a_pool_at_boot_waits_for_nobody_who_fails(void **unused)
{
	(void)unused;
	pool(2);
	st.plan.node[2].row.ready = READY_NOTIFY;
	st.fails[2] = 1; /* the first; the second is slow */
	stage_open(&st);
	stage_boot(&st);
	assert_int_equal(stage_at(&st, 1)->phase, PH_SUP_STARTING);
	st.fails[2] = 1; /* and again, while the second is still on its way */
	stage_wait(&st, 1000);
	assert_int_equal(stage_at(&st, 1)->phase, PH_SUP_STARTING);
	stage_input(&st, IN_READY, instance(2), 0);
	assert_int_equal(stage_at(&st, 1)->phase, PH_SUP_UP);
	stage_wait(&st, 2000);
	stage_input(&st, IN_READY, instance(1), 0);
	DID("f2.1 s2.2 f2.1 s2.1");
}

static void
an_instance_stopped_and_started_while_its_pool_starts(void **unused)
{
	(void)unused;
	pool(2);
	st.plan.node[2].row.ready = READY_NOTIFY;
	stage_open(&st);
	stage_boot(&st);
	IS(AN_OK, stage_ask(&st, VERB_STOP, instance(1), ROW_NONE, 0));
	st.fails[2] = 1;
	IS(AN_FAILED, stage_ask(&st, VERB_RESTART, instance(1), ROW_NONE, 0));
	assert_int_equal(stage_at(&st, 1)->phase, PH_SUP_STARTING);
	stage_input(&st, IN_READY, instance(2), 0);
	assert_int_equal(stage_at(&st, 1)->phase, PH_SUP_UP);
	stage_wait(&st, 1000);
	DID("s2.1 s2.2 x2.1 f2.1 s2.1");
}

static void
an_instance_may_wait_for_others(void **unused)
{
	(void)unused;
	pool(1);
	(void)add(ROW_WORKER, APP);
	st.plan.node[2].after[0] = 3;
	st.plan.node[2].row.nafter = 1;
	st.plan.node[3].row.flags |= ROWF_DISABLED;
	stage_open(&st);
	stage_boot(&st);
	DID("");
	IS(AN_OK, stage_ask(&st, VERB_STOP, instance(1), ROW_NONE, 0));
	(void)stage_ask(&st, VERB_START, instance(1), ROW_NONE, 0);
	IS(AN_OK, ask(VERB_START, 3));
	DID("s3 s2.1");
}

/* --- what cannot be -------------------------------------------------------------------------- */

static void
nonsense_is_refused(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	add(ROW_APP, ROW_NONE)->flags = ROWF_LOADED_ONLY;
	(void)add(ROW_WORKER, 2);
	up();
	uint32_t w = stage_slot(&st, 1), app = stage_slot(&st, APP);
	IS(AN_UNKNOWN, stage_ask(&st, VERB_STOP, ROOT, ROW_NONE, 0));
	IS(AN_UNKNOWN, stage_ask(&st, VERB_STOP, 30000, ROW_NONE, 0));
	IS(AN_UNKNOWN, stage_ask(&st, VERB_START_CHILD, app, 99, 0));
	IS(AN_UNKNOWN, stage_ask(&st, VERB_APP_START, SLOT_NONE, 99, 0));
	IS(AN_UNKNOWN, stage_ask(&st, VERB_APP_START, SLOT_NONE, 1, 0));
	IS(AN_UNKNOWN, stage_ask(&st, VERB_START_CHILD, app, 3, 0));
	IS(AN_UNSUPPORTED, stage_ask(&st, VERB_START_CHILD, w, 1, 0));
	IS(AN_UNSUPPORTED, ask(VERB_TERMINATE_CHILD, APP));
	IS(AN_UNSUPPORTED, ask(VERB_SIGNAL, 1));
	IS(AN_UNSUPPORTED, ask((enum verb)(VERB_MAX + 99), 1));
	IS(AN_NOT_RUNNING, ask(VERB_START, 3));
	struct msg_request m = {.verb = VERB_STOP, .rows_seq = 7};
	m.m.slot = w;
	world_request(st.w, &m);
	IS(AN_STALE, st.w->t.act[st.w->t.nact - 1].value);
	m.rows_seq = 0;
	m.m.gen = 1000;
	world_request(st.w, &m);
	IS(AN_UNKNOWN, st.w->t.act[st.w->t.nact - 1].value);
	m.m.gen = world_slot(st.w, w)->gen;
	m.verb = VERB_TERMINATE_CHILD;
	world_request(st.w, &m);
	assert_int_equal(world_slot(st.w, w)->phase, PH_STOPPING);
}

static void
the_sixty_fifth_request_is_told_to_come_later(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	up();
	st.deaf[1] = 1;
	(void)ask(VERB_TERMINATE_CHILD, 1);
	for (uint32_t k = 1; k < REQ_MAX; k++)
		IS(ANSWER_MAX, ask(VERB_TERMINATE_CHILD, 1));
	IS(AN_BUSY, ask(VERB_TERMINATE_CHILD, 1));
	st.answers = 0;
	stage_wait(&st, 5000);
	assert_int_equal(st.answers, REQ_MAX);
	assert_int_equal(st.w->t.nreq, 0);
}

static void
requests_are_carried_out_in_order(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 4);
	up();
	st.deaf[1] = 1;
	(void)ask(VERB_TERMINATE_CHILD, 1);
	for (uint32_t k = 2; k <= 4; k++)
		(void)ask(VERB_TERMINATE_CHILD, k);
	stage_wait(&st, 5000);
	DID("x1 k1 x2 x3 x4");
}

static void
who_waits_in_a_queue_that_ends_is_told(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2);
	up();
	st.deaf[1] = 1;
	(void)ask(VERB_TERMINATE_CHILD, 1);
	(void)ask(VERB_RESTART, 2);
	(void)ask(VERB_DELETE_CHILD, 2);
	st.answers = 0;
	(void)stage_ask(&st, VERB_APP_STOP, SLOT_NONE, APP, 0);
	stage_wait(&st, 10000);
	assert_int_equal(st.answers, 4);
	assert_int_equal(st.w->t.nreq, 0);
}

static void
a_start_that_fails_tells_who_waited_for_it(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2);
	st.plan.node[2].row.ready = READY_NOTIFY;
	stage_open(&st);
	(void)stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0);
	IS(ANSWER_MAX, ask(VERB_TERMINATE_CHILD, 1));
	st.answers = 0;
	stage_dies(&st, stage_slot(&st, 2), crash);
	assert_int_equal(st.answers, 2);
	assert_int_equal(stage_at(&st, APP)->phase, PH_DOWN);
}

static void
disable_lasts_until_enable(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 2);
	up();
	IS(AN_OK, ask(VERB_DISABLE, 2));
	stage_dies(&st, stage_slot(&st, 1), crash);
	DID("x2 s1 s2"); /* it lived: it comes back with its group */
	IS(AN_OK, stage_ask(&st, VERB_APP_STOP, SLOT_NONE, APP, 0));
	IS(AN_OK, stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0));
	DID("x2 x1 s1");
	IS(AN_OK, ask(VERB_ENABLE, 2));
	IS(AN_OK, ask(VERB_START, 2));
	DID("s2");
}

static void
no_slot_is_left(void **unused)
{
	(void)unused;
	pool(1);
	add(ROW_WORKER, APP)->flags = ROWF_DYNAMIC;
	add(ROW_SUP, APP)->flags = ROWF_DYNAMIC;
	(void)add(ROW_WORKER, 4);
	(void)add(ROW_APP, ROW_NONE);
	up();
	IS(AN_OK, stage_ask(&st, VERB_APP_UNLOAD, SLOT_NONE, 6, 0));
	struct state_core *core = &st.w->t.st->head.core;
	struct state_core saved = *core;
	uint32_t app = stage_slot(&st, APP), p = stage_slot(&st, 1);
	core->slots_used = SLOT_MAX;
	core->free_slot = SLOT_NONE;
	IS(AN_BUSY, stage_ask(&st, VERB_START_CHILD, p, 2, 0));
	IS(AN_BUSY, stage_ask(&st, VERB_START_CHILD, app, 3, 0));
	IS(AN_BUSY, stage_ask(&st, VERB_APP_START, SLOT_NONE, 6, 0));
	IS(AN_BUSY, stage_ask(&st, VERB_APP_LOAD, SLOT_NONE, 6, 0));
	IS(AN_OK, stage_ask(&st, VERB_SCALE, p, ROW_NONE, 3));
	assert_int_equal(world_slot(st.w, p)->nchildren, 1);
	IS(AN_OK, ask(VERB_RESTART, 1)); /* one of three has the slot that is free */
	DID("x2.1 s2.1");
	core->slots_used = SLOT_MAX - 1; /* for the supervisor, not for its child */
	IS(AN_OK, stage_ask(&st, VERB_START_CHILD, app, 4, 0));
	core->slots_used = saved.slots_used + 1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_the_operator_stops_stays_down_until_start),
	    T(terminate_child_does_not_hold),
	    T(restart_stops_and_starts_and_does_not_count),
	    T(restart_during_a_restart_makes_no_second_process),
	    T(restart_of_what_a_start_in_order_waits_for_comes_at_once),
	    T(restart_of_one_that_waits_for_its_time_comes_at_once),
	    T(a_restart_that_fails_says_so),
	    T(a_restart_that_fails_is_tried_again_and_counts),
	    T(a_failed_restart_follows_the_strategy_and_the_delays),
	    T(a_temporary_one_whose_restart_fails_is_not_tried_again),
	    T(a_stop_during_a_stop_is_answered_too),
	    T(delete_child_wants_it_down),
	    T(start_child_brings_a_forgotten_one_back_to_its_place),
	    T(restart_child_wants_it_down),
	    T(start_child_that_fails_leaves_nothing),
	    T(dynamic_children_are_lost_when_their_supervisor_restarts),
	    T(a_pool_is_scaled_without_touching_the_others),
	    T(scaling_down_twice_takes_each_away_once),
	    T(an_instance_has_its_own_life),
	    T(a_pool_at_boot_waits_for_nobody_who_fails),
	    T(an_instance_stopped_and_started_while_its_pool_starts),
	    T(an_instance_may_wait_for_others),
	    T(nonsense_is_refused),
	    T(the_sixty_fifth_request_is_told_to_come_later),
	    T(requests_are_carried_out_in_order),
	    T(who_waits_in_a_queue_that_ends_is_told),
	    T(a_start_that_fails_tells_who_waited_for_it),
	    T(disable_lasts_until_enable),
	    T(no_slot_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
