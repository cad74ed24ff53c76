/* Another configuration in the middle of anything. */
#include "tests/unit/tree_help.h"

static void
a_reload_touches_only_what_differs(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 3);
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
	row(APP)->strategy = REST_FOR_ONE;
	stage_reload(&st);
	stage_wait(&st, 1000);
	DID("s1");
	assert_int_equal(stage_at(&st, 2)->phase, PH_AFTER);
	(void)stage_ask(&st, VERB_STOP, stage_slot(&st, 2), ROW_NONE, 0);
	IS(AN_OK, stage_ask(&st, VERB_START, stage_slot(&st, 3), ROW_NONE, 0));
	DID("s3");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
