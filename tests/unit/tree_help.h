/*
 * tree_help - what the tests of the pure core's rooms begin with: one stage, trees of one
 * application (row 0) and workers (rows 1..n), and short words for what they do.
 */
#ifndef UNIT_TREE_HELP_H
#define UNIT_TREE_HELP_H

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

enum { APP = 0 };

static struct stage st;
static const struct reason normal UNUSED = {.type = RE_NORMAL};
static const struct reason crash UNUSED = {.type = RE_EXIT, .code = 3};

static inline struct row *
add(enum row_kind kind, uint32_t parent)
{
	return &plan_add(&st.plan, kind, parent)->row;
}

static inline struct row *
row(uint32_t k)
{
	return &st.plan.node[k].row;
}

static inline void
flat(enum strategy strategy, uint32_t n)
{
	stage_new(&st);
	struct row *app = add(ROW_APP, ROW_NONE);
	app->strategy = (uint8_t)strategy;
	app->intensity = 3;
	for (uint32_t k = 0; k < n; k++)
		(void)add(ROW_WORKER, APP);
}

/* Boots it and forgets what that did. */
static inline void
boot(void)
{
	stage_open(&st);
	stage_boot(&st);
	(void)stage_did(&st);
}

static inline void
dies(uint32_t k, struct reason re)
{
	stage_dies(&st, stage_slot(&st, k), re);
}

static inline uint32_t
app(enum verb verb, uint32_t k, uint64_t value)
{
	return stage_ask(&st, verb, SLOT_NONE, k, value);
}

static inline uint32_t
ask(enum verb verb, uint32_t k)
{
	return stage_ask(&st, verb, stage_slot(&st, k), ROW_NONE, 0);
}

/* For cmocka: after each test. */
static inline int
down(void **unused)
{
	(void)unused;
	if (st.w != NULL)
		stage_close(&st);
	return 0;
}

#define DID(words)   assert_string_equal(stage_did(&st), words)
#define IS(an, what) assert_int_equal(what, an)
#define T(name)	     cmocka_unit_test_teardown(name, down)

#endif
