/* Restart windows, recovery, and what the invariants say of a broken tree. */
#include "tests/unit/tree_help.h"

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
	boot();
	dies(2, crash);
	DID("s2");
}

static void
a_hostile_undo_log_is_bounded(void **unused)
{
	(void)unused;
	flat(ONE_FOR_ONE, 1);
	boot();
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
	boot();
	struct tree *t = &st.w->t;
	t->nact = ACTIONS_CAP;
	t->act[ACTIONS_CAP - 1] = (struct action){.type = ACT_SWEEP, .ref = 5};
	struct msg_request m = {.verb = VERB_STOP};
	world_request(st.w, &m);
	assert_int_equal(t->nact, ACTIONS_CAP);
	assert_int_equal(t->act[ACTIONS_CAP - 1].ref, 5);
	t->nact = 0;
}

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
	boot();
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
	    T(every_supervisor_has_a_window_while_there_are_some),
	    T(a_window_that_goes_takes_no_other_along),
	    T(a_supervisor_comes_back_at_once),
	    T(a_hostile_undo_log_is_bounded),
	    T(more_actions_than_fit_are_dropped_not_written_elsewhere),
	    T(every_broken_invariant_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
