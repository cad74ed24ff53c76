/* Applications and the node. */
#include "tests/unit/tree_help.h"

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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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
	boot();
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

/* One above in the order of stopping takes its time; another ends of itself meanwhile. */
static void
an_application_that_ends_while_the_node_stops(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	row(APP)->intensity = 0;
	row(APP)->restart = PERMANENT;
	(void)add(ROW_APP, ROW_NONE);
	(void)add(ROW_WORKER, 2);
	st.deaf[3] = 1;
	boot();
	stage_input(&st, IN_NODE_STOP, ROOT, 7);
	dies(1, crash);
	assert_int_equal(stage_at(&st, APP)->phase, PH_DOWN);
	assert_int_equal(st.ended, 0);
	stage_wait(&st, 5000);
	DID("x3 k3");
	assert_int_equal(st.ended, 1);
	assert_int_equal(st.status, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	    T(an_application_that_ends_while_the_node_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
