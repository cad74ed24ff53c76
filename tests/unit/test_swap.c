/* Every course a swap of up to three modules can take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "master/swap.h"

enum { PARTS = 3, DEPTH = 7 };

/* What the workers and the configuration would be like. */
struct course {
	struct swap_core core;
	uint8_t due[PARTS];
	int prepared, changed, forced, ended;
	uint32_t depth;
};

static uint64_t courses, swapped, undone;

static void
acted(struct course *c, enum swap_action action)
{
	switch (action) {
	case SWA_CHANGE:
		assert_int_equal(c->forced, 0);
		assert_int_equal(c->prepared, (int)c->core.n);
		break;
	case SWA_FORCE:
		assert_int_equal(c->changed, (int)c->core.n);
		c->forced = 1;
		break;
	case SWA_COMMIT:
		assert_int_equal(c->forced, 1);
		break;
	case SWA_UNDO:
		assert_int_equal(c->forced, 0);
		break;
	case SWA_DONE:
		assert_int_equal(c->forced, 1);
		c->ended = 1;
		swapped++;
		break;
	case SWA_UNDONE:
		assert_int_equal(c->forced, 0);
		c->ended = 1;
		undone++;
		break;
	case SWA_WAIT:
		break;
	}
	assert_int_equal(c->ended, c->core.phase == SW_IDLE);
}

static void
count_done(struct course *c, uint32_t part)
{
	if (c->core.due[part] != DUE_ANSWER)
		return;
	c->prepared += c->core.phase == SW_PREPARING;
	c->changed += c->core.phase == SW_CHANGING;
}

static void walk(const struct course *from);

static void
branch(const struct course *from, enum swap_event event, uint32_t part)
{
	struct course c = *from;
	c.core.due = c.due;
	c.depth++;
	if (event == SWE_DONE)
		count_done(&c, part);
	enum swap_action action = swap_step(&c.core, event, part);
	acted(&c, action);
	if (action == SWA_FORCE) {
		struct course no = c;
		no.core.due = no.due;
		no.forced = 0;
		acted(&no, swap_step(&no.core, SWE_REFUSED, 0));
		walk(&no);
		acted(&c, swap_step(&c.core, SWE_FORCED, 0));
	}
	walk(&c);
}

static void
walk(const struct course *from)
{
	courses++;
	if (from->ended || from->depth >= DEPTH)
		return;
	branch(from, SWE_LATE, 0);
	for (uint32_t i = 0; i < from->core.n; i++) {
		if (from->due[i] == DUE_GONE)
			continue;
		branch(from, SWE_DONE, i);
		branch(from, SWE_FAILED, i);
		branch(from, SWE_GONE, i);
	}
}

static void
every_course_ends_on_one_side(void **unused)
{
	(void)unused;
	for (uint32_t n = 1; n <= PARTS; n++) {
		struct course c = {0};
		swap_start(&c.core, c.due, n);
		walk(&c);
	}
	assert_true(courses > 100000 && swapped > 100 && undone > 1000);
}

/* Answers, then ends: what was the last action? */
static enum swap_action
play(uint32_t n, const char *events)
{
	struct swap_core core;
	uint8_t due[PARTS];
	enum swap_action last = SWA_WAIT;
	swap_start(&core, due, n);
	for (; *events != '\0'; events += 2) {
		uint32_t part = (uint32_t)(events[1] - '0');
		enum swap_event event = events[0] == 'd'   ? SWE_DONE
					: events[0] == 'f' ? SWE_FAILED
					: events[0] == 'g' ? SWE_GONE
					: events[0] == 'l' ? SWE_LATE
							   : SWE_FORCED;
		last = swap_step(&core, event, part);
	}
	return last;
}

static void
courses_by_name(void **unused)
{
	static const struct {
		uint32_t n;
		const char *events;
		enum swap_action last;
	} rows[] = {
	    {1, "d0", SWA_CHANGE}, {1, "d0d0", SWA_FORCE}, {1, "d0d0!0", SWA_COMMIT},
	    {1, "d0d0!0d0", SWA_DONE}, {1, "d0d0!0g0", SWA_DONE}, {1, "f0", SWA_UNDO},
	    {1, "f0d0", SWA_UNDONE}, {1, "g0", SWA_UNDONE}, {2, "d0d0", SWA_WAIT},
	    {2, "d0d1", SWA_CHANGE}, {2, "d0d1d0f1", SWA_UNDO},
	    {2, "d0d1d0f1d0d1", SWA_UNDONE}, {2, "d0g1", SWA_UNDO},
	    {2, "d0g1d0", SWA_UNDONE}, {2, "d0d1d0d1!0d0", SWA_WAIT},
	    {2, "d0d1d0d1!0d0l0", SWA_DONE}, {2, "d0l0l0", SWA_UNDONE},
	    {2, "d0l0l0d1", SWA_WAIT}, /* the end was before */
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (play(rows[i].n, rows[i].events) != rows[i].last)
			fail_msg("%s ends with %d", rows[i].events,
			    (int)play(rows[i].n, rows[i].events));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_course_ends_on_one_side),
	    cmocka_unit_test(courses_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
