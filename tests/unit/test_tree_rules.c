/* OTP's rules, one sentence a test, on the pure core with actions answered at once. */
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
static const struct reason shutdown_ = {.type = RE_SHUTDOWN};
static const struct reason crash = {.type = RE_EXIT, .code = 3};
static const struct reason segv = {.type = RE_SIGNAL, .code = SIGSEGV};

enum { APP = 0 };

/* Row 0: an application with this strategy; rows 1..n: permanent workers. */
static void
flat(enum strategy strategy, uint32_t n, uint32_t intensity)
{
	stage_new(&st);
	struct row *app = &plan_add(&st.plan, ROW_APP, ROW_NONE)->row;
	app->strategy = (uint8_t)strategy;
	app->intensity = intensity;
	for (uint32_t k = 0; k < n; k++)
		(void)plan_add(&st.plan, ROW_WORKER, APP);
}

static void
up(void)
{
	stage_open(&st);
	assert_int_equal(stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0), AN_OK);
	(void)stage_did(&st);
}

static void
dies(uint32_t row, struct reason re)
{
	stage_dies(&st, stage_slot(&st, row), re);
}

#define DID(words) assert_string_equal(stage_did(&st), words)

static struct row *
row(uint32_t k)
{
	return &st.plan.node[k].row;
}

static int
down(void **unused)
{
	(void)unused;
	if (st.w != NULL)
		stage_close(&st);
	return 0;
}

/* --- strategies ---------------------------------------------------------------------- */

static void
one_for_one_restarts_only_the_one_that_died(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 3, 1);
	up();
	dies(2, crash);
	DID("s2");
}

static void
one_for_all_stops_in_reverse_and_starts_in_order(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 3, 1);
	up();
	dies(2, crash);
	DID("x3 x1 s1 s2 s3");
}

static void
rest_for_one_restarts_those_behind(void **unused)
{
	(void)unused;
	flat(REST_FOR_ONE, 4, 1);
	up();
	dies(2, crash);
	DID("x4 x3 s2 s3 s4");
}

static void
simple_one_for_one_returns_only_the_instance(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 0, 1);
	plan_add(&st.plan, ROW_SUP, APP)->row.strategy = SIMPLE_ONE_FOR_ONE;
	plan_add(&st.plan, ROW_TEMPLATE, 1)->row.instances = 100;
	up();
	uint32_t c = world_slot(st.w, stage_slot(&st, 1))->first;
	while (world_slot(st.w, c)->number != 7)
		c = world_slot(st.w, c)->next;
	stage_dies(&st, c, crash);
	DID("s2.7");
	assert_int_equal(stage_at(&st, 1)->nchildren, 100);
}

/* --- restart types ------------------------------------------------------------------- */

static void
permanent_comes_back_after_any_end(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1, 3);
	up();
	dies(1, normal);
	dies(1, shutdown_);
	dies(1, segv);
	DID("s1 s1 s1");
}

static void
transient_comes_back_only_after_an_abnormal_end(void **unused)
{
	(void)unused;

	static const struct {
		struct reason re;
		const char *did;
	} ends[] = {{{.type = RE_NORMAL}, ""}, {{.type = RE_SHUTDOWN}, ""},
	    {{.type = RE_EXIT, .code = 3}, "s1"},
	    {{.type = RE_SIGNAL, .code = SIGSEGV}, "s1"}, {{.type = RE_UNKNOWN}, "s1"},
	    {{.type = RE_OOM}, "s1"}};

	for (size_t k = 0; k < COUNT(ends); k++) {
		flat(ONE_FOR_ONE, 1, 3);
		row(1)->restart = TRANSIENT;
		up();
		dies(1, ends[k].re);
		DID(ends[k].did);
		stage_close(&st);
	}
}

static void
success_codes_count_as_normal(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1, 3);
	row(1)->restart = TRANSIENT;
	row(1)->success[1] = 1u << 3;
	up();
	dies(1, (struct reason){.type = RE_EXIT, .code = 35});
	DID("");
	assert_int_equal(stage_at(&st, 1)->last.type, RE_NORMAL);
}

static void
temporary_never_comes_back_not_even_with_its_group(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 3, 2);
	row(2)->restart = TEMPORARY;
	up();
	dies(1, crash);
	DID("x3 x2 s1 s3");
	flat(ONE_FOR_ONE, 1, 2);
	row(1)->restart = TEMPORARY;
	up();
	dies(1, crash);
	DID("");
	assert_int_equal(
	    stage_ask(&st, VERB_RESTART_CHILD, stage_slot(&st, 1), 0, 0), AN_UNKNOWN);
}

/* --- intensity ------------------------------------------------------------------------ */

static void
intensity_plus_one_deaths_in_the_period_end_the_supervisor(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2, 2);
	up();
	dies(1, crash);
	dies(2, crash);
	DID("s1 s2");
	dies(1, crash);
	DID("x2");
	assert_int_equal(stage_at(&st, APP)->phase, PH_DOWN);
	assert_int_equal(stage_at(&st, APP)->last.type, RE_SHUTDOWN);
	assert_int_equal(stage_at(&st, APP)->gave_up, 1);
}

/* The formula of supervisor.erl: restarts not older than the period count. */
static void
a_restart_exactly_one_period_ago_still_counts(void **unused)
{
	(void)unused;
	for (uint64_t gap = 4999; gap <= 5001; gap++) {
		flat(ONE_FOR_ONE, 1, 1);
		up();
		dies(1, crash);
		stage_wait(&st, gap);
		dies(1, crash);
		DID(gap <= 5000 ? "s1" : "s1 s1");
		stage_close(&st);
	}
}

static void
the_window_slides_and_has_every_size(void **unused)
{
	(void)unused;
	static const uint32_t sizes[] = {0, 1, 2, 17, 999, 1000};
	for (size_t k = 0; k < COUNT(sizes); k++) {
		flat(ONE_FOR_ONE, 1, sizes[k]);
		up();
		uint64_t gap = sizes[k] == 0 ? 1 : 5000 / sizes[k] + 1;
		for (uint32_t n = 0; n < 2500 && sizes[k] > 0; n++) {
			stage_wait(&st, gap); /* never more than the size in 5 s */
			dies(1, crash);
			(void)stage_did(&st);
			assert_int_equal(stage_at(&st, 1)->phase, PH_UP);
		}
		stage_wait(&st, 5001);
		for (uint32_t n = 0; n < sizes[k]; n++)
			dies(1, crash);
		assert_int_equal(stage_at(&st, 1)->phase, PH_UP);
		dies(1, crash);
		assert_int_equal(stage_at(&st, APP)->phase, PH_DOWN);
		stage_close(&st);
	}
}

static void
infinite_intensity_never_gives_up(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1, INTENSITY_INFINITY);
	up();
	for (uint32_t n = 0; n < 3000; n++) {
		dies(1, crash);
		DID("s1");
	}
}

static void
the_window_begins_anew_with_the_supervisor(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 0, 5);
	plan_add(&st.plan, ROW_SUP, APP)->row.intensity = 1;
	(void)plan_add(&st.plan, ROW_WORKER, 1);
	up();
	dies(2, crash);
	dies(2, crash); /* escalates: the supervisor comes back */
	DID("s2 s2");
	dies(2, crash);
	DID("s2");
	assert_int_equal(stage_at(&st, 1)->gave_up, 1);
	assert_int_equal(stage_at(&st, 1)->restarts, 1);
}

static void
escalation_goes_through_any_depth(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 0, 0);
	for (uint32_t k = 0; k < 20; k++)
		plan_add(&st.plan, ROW_SUP, k)->row.intensity = 0;
	(void)plan_add(&st.plan, ROW_WORKER, 20);
	up();
	dies(21, crash);
	DID("");
	for (uint32_t k = 0; k <= 20; k++)
		assert_int_equal(stage_at(&st, k)->phase, PH_DOWN);
}

static void
a_transient_supervisor_that_gives_up_is_not_restarted(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 0, 5); /* its end is `shutdown`, which is no abnormal end */
	plan_add(&st.plan, ROW_SUP, APP)->row.intensity = 0;
	row(1)->restart = TRANSIENT;
	(void)plan_add(&st.plan, ROW_WORKER, 1);
	up();
	dies(2, crash);
	DID("");
	assert_int_equal(stage_at(&st, 1)->phase, PH_DOWN);
	assert_int_equal(stage_at(&st, APP)->phase, PH_SUP_UP);
}

/* --- shutdown -------------------------------------------------------------------------- */

static void
children_stop_in_reverse_order(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 3, 1);
	up();
	assert_int_equal(stage_ask(&st, VERB_APP_STOP, SLOT_NONE, APP, 0), AN_OK);
	DID("x3 x2 x1");
}

static void
any_order_waits_for_nobody_before_all_are_told(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 3, 1);
	uint32_t below = st.plan.n;
	plan_add(&st.plan, ROW_SUP, APP)->row.intensity = 1;
	(void)plan_add(&st.plan, ROW_WORKER, below);
	st.deaf[3] = st.deaf[below + 1] = 1;
	row(APP)->flags |= ROWF_STOP_ANY;
	up();
	assert_int_equal(stage_ask(&st, VERB_APP_STOP, SLOT_NONE, APP, 0), ANSWER_MAX);
	DID("x5 x3 x2 x1");
	assert_int_equal(stage_at(&st, 1)->phase, PH_DOWN);
	assert_int_equal(stage_at(&st, 2)->child, CH_UNDEFINED);
	dies(3, normal);
	assert_int_equal(stage_at(&st, APP)->phase, PH_SUP_STOPPING);
	dies(below + 1, normal);
	assert_int_equal(stage_at(&st, APP)->phase, PH_DOWN);
	assert_int_equal(st.answer, AN_OK);
}

static void
brutal_kill_asks_nobody(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1, 1);
	row(1)->stop_ms = 0;
	up();
	(void)stage_ask(&st, VERB_APP_STOP, SLOT_NONE, APP, 0);
	DID("k1");
}

static void
a_deaf_child_is_killed_when_its_time_is_over(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1, 1);
	st.deaf[1] = 1;
	up();
	(void)stage_ask(&st, VERB_APP_STOP, SLOT_NONE, APP, 0);
	DID("x1");
	stage_wait(&st, 4999);
	DID("");
	stage_wait(&st, 1);
	DID("k1");
	assert_int_equal(stage_at(&st, APP)->phase, PH_DOWN);
}

static void
infinity_waits_for_ever(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1, 1);
	row(1)->stop_ms = MS_INFINITY;
	st.deaf[1] = 1;
	up();
	(void)stage_ask(&st, VERB_APP_STOP, SLOT_NONE, APP, 0);
	stage_wait(&st, 1000ULL * 3600 * 24 * 365);
	DID("x1");
	assert_int_equal(stage_at(&st, 1)->phase, PH_STOPPING);
}

static void
a_supervisor_whose_time_is_over_is_killed_with_all_below(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 0, 1);
	plan_add(&st.plan, ROW_SUP, APP)->row.stop_ms = 100;
	(void)plan_add(&st.plan, ROW_WORKER, 1);
	(void)plan_add(&st.plan, ROW_SUP, 1);
	(void)plan_add(&st.plan, ROW_WORKER, 3);
	st.deaf[4] = 1;
	up();
	(void)stage_ask(&st, VERB_TERMINATE_CHILD, stage_slot(&st, 1), 0, 0);
	DID("x4");
	stage_wait(&st, 100);
	DID("k4 k2");
	assert_int_equal(stage_at(&st, 1)->phase, PH_DOWN);
}

/* --- order of starts -------------------------------------------------------------------- */

static void
each_starts_when_the_one_before_is_ready(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 3, 1);
	row(2)->ready = READY_NOTIFY;
	stage_open(&st);
	(void)stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0);
	DID("s1 s2");
	stage_input(&st, IN_READY, stage_slot(&st, 2), 0);
	DID("s3");
	assert_int_equal(st.answer, AN_OK);
}

static void
a_failed_start_stops_those_before_in_reverse(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 4, 1);
	st.fails[3] = 1;
	stage_open(&st);
	assert_int_equal(stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0), AN_FAILED);
	DID("s1 s2 f3 x2 x1");
}

static void
a_failed_restart_is_tried_again_and_counts(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 2, 3);
	up();
	st.fails[1] = 2;
	dies(1, crash);
	DID("f1 f1 s1");
	dies(1, crash);
	DID("x2");
}

static void
a_first_boot_start_that_fails_takes_nobody_down(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 3, 0);
	st.fails[2] = 2;
	stage_open(&st);
	stage_boot(&st);
	DID("s1 f2 s3");
	assert_int_equal(st.node_up, 1);
	stage_wait(&st, 1000);
	DID("f2");
	stage_wait(&st, 2000);
	DID("s2");
	assert_int_equal(stage_at(&st, 2)->child, CH_PID);
}

static void
a_first_boot_start_in_order_waits_for_the_one_that_failed(void **unused)
{
	(void)unused;
	flat(REST_FOR_ONE, 3, 0);
	st.fails[2] = 1;
	stage_open(&st);
	stage_boot(&st);
	DID("s1 f2");
	stage_wait(&st, 1000);
	DID("s2 s3");
}

static void
a_boot_start_goes_on_when_the_one_it_waits_for_is_stopped(void **unused)
{
	(void)unused;
	flat(REST_FOR_ONE, 3, 0);
	st.fails[1] = 100;
	stage_open(&st);
	stage_boot(&st);
	DID("f1");
	assert_int_equal(stage_ask(&st, VERB_STOP, stage_slot(&st, 1), 0, 0), AN_OK);
	DID("s2 s3");
}

/* --- significant children ------------------------------------------------------------------ */

static void
significant(enum auto_shutdown mode)
{
	flat(ONE_FOR_ONE, 3, 1);
	row(APP)->auto_shutdown = (uint8_t)mode;
	for (uint32_t k = 1; k <= 2; k++) {
		row(k)->restart = TRANSIENT;
		row(k)->flags |= ROWF_SIGNIFICANT;
	}
	up();
}

static void
any_significant_ends_the_supervisor(void **unused)
{
	(void)unused;
	significant(AUTO_ANY_SIGNIFICANT);
	dies(1, normal);
	DID("x3 x2");
	assert_int_equal(stage_at(&st, APP)->last.type, RE_SHUTDOWN);
}

static void
all_significant_waits_for_the_last(void **unused)
{
	(void)unused;
	significant(AUTO_ALL_SIGNIFICANT);
	dies(1, normal);
	DID("");
	dies(2, normal);
	DID("x3");
}

static void
a_significant_child_that_is_restarted_ends_nobody(void **unused)
{
	(void)unused;
	significant(AUTO_ANY_SIGNIFICANT);
	dies(1, crash);
	DID("s1");
	significant(AUTO_NEVER);
	dies(1, normal);
	DID("");
}

static void
a_significant_child_that_is_terminated_ends_nobody(void **unused)
{
	(void)unused;
	significant(AUTO_ANY_SIGNIFICANT);
	(void)stage_ask(&st, VERB_TERMINATE_CHILD, stage_slot(&st, 1), 0, 0);
	DID("x1");
}

/* --- serial supervisors ---------------------------------------------------------------------- */

static void
an_exit_during_a_restart_waits_its_turn(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 3, 5);
	row(1)->ready = READY_NOTIFY;
	stage_open(&st);
	(void)stage_ask(&st, VERB_APP_START, SLOT_NONE, APP, 0);
	stage_input(&st, IN_READY, stage_slot(&st, 1), 0);
	(void)stage_did(&st);
	dies(1, crash);
	DID("s1"); /* not ready yet */
	dies(3, crash);
	dies(2, crash);
	DID("");
	stage_input(&st, IN_READY, stage_slot(&st, 1), 0);
	DID("s3 s2");
}

static void
one_that_died_while_its_group_stops_is_restarted_once(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ALL, 3, 1);
	st.deaf[3] = 1;
	up();
	dies(1, crash);
	DID("x3");
	dies(2, crash);
	stage_wait(&st, 5000);
	DID("k3 s1 s2 s3");
	assert_int_equal(window_count(&st.w->t, stage_slot(&st, APP)), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, down)
	    T(one_for_one_restarts_only_the_one_that_died),
	    T(one_for_all_stops_in_reverse_and_starts_in_order),
	    T(rest_for_one_restarts_those_behind),
	    T(simple_one_for_one_returns_only_the_instance),
	    T(permanent_comes_back_after_any_end),
	    T(transient_comes_back_only_after_an_abnormal_end),
	    T(success_codes_count_as_normal),
	    T(temporary_never_comes_back_not_even_with_its_group),
	    T(intensity_plus_one_deaths_in_the_period_end_the_supervisor),
	    T(a_restart_exactly_one_period_ago_still_counts),
	    T(the_window_slides_and_has_every_size),
	    T(infinite_intensity_never_gives_up),
	    T(the_window_begins_anew_with_the_supervisor),
	    T(escalation_goes_through_any_depth),
	    T(a_transient_supervisor_that_gives_up_is_not_restarted),
	    T(children_stop_in_reverse_order),
	    T(brutal_kill_asks_nobody),
	    T(a_deaf_child_is_killed_when_its_time_is_over),
	    T(infinity_waits_for_ever),
	    T(a_supervisor_whose_time_is_over_is_killed_with_all_below),
	    T(each_starts_when_the_one_before_is_ready),
	    T(a_failed_start_stops_those_before_in_reverse),
	    T(a_failed_restart_is_tried_again_and_counts),
	    T(a_first_boot_start_that_fails_takes_nobody_down),
	    T(any_order_waits_for_nobody_before_all_are_told),
	    T(a_first_boot_start_in_order_waits_for_the_one_that_failed),
	    T(a_boot_start_goes_on_when_the_one_it_waits_for_is_stopped),
	    T(any_significant_ends_the_supervisor),
	    T(all_significant_waits_for_the_last),
	    T(a_significant_child_that_is_restarted_ends_nobody),
	    T(a_significant_child_that_is_terminated_ends_nobody),
	    T(an_exit_during_a_restart_waits_its_turn),
	    T(one_that_died_while_its_group_stops_is_restarted_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
