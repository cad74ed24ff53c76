/*
 * case - one random case of the oracle: a tree, starts that will fail, deaths that
 * happen in the middle of something, and a script.
 *
 * case_make draws it from a seed, case_write writes it as an Erlang term for oracle.erl,
 * case_run runs it through the pure core and returns its trace, in the words that
 * oracle.erl uses:
 *
 *   s4 f4 x4   child 4 was started, failed to start, was stopped (s7.2: instance 2 of
 *              template 7; neighbouring stops of instances are sorted by number)
 *   | TOKEN    an event of the script is through; TOKEN is the answer to a request
 *   up 1 4 6   at the end: which supervisors and children live
 *
 * The one word `pre-empted` says that the case is not to be compared (see core.c).
 */
#ifndef ORACLE_CASE_H
#define ORACLE_CASE_H

#include <stdint.h>
#include <stdio.h>

#include "tests/sim/plan.h"
#include "tests/sim/world.h"

enum {
	CASE_EVENTS = 24,
	CASE_HOOKS = 4,
	CASE_VICTIMS = 3,
	TRACE_MAX = 65536,
	NO_TAG = 0
};

enum why { WHY_NORMAL, WHY_SHUTDOWN, WHY_CRASH, WHY_MAX };

enum script_type {
	DO_FAIL,
	DO_DIE,
	DO_START_CHILD,
	DO_TERMINATE,
	DO_RESTART,
	DO_DELETE,
	SCRIPT_MAX
};

/* A child: its row, and for an instance the tag its start_child gave. */
struct key {
	uint32_t row;
	uint32_t tag; /* NO_TAG: no instance */
};

struct victim {
	struct key key;
	enum why why;
};

struct script {
	enum script_type type;
	struct key key;
	uint32_t count; /* DO_FAIL */
	uint32_t nvictims;
	struct victim victim[CASE_VICTIMS];
};

/* At the nth start or stop of a child a sibling dies, before the start has come to an
 * end: its supervisor hears of it while it is busy. */
struct hook {
	int at_stop;
	uint32_t row, nth;
	struct victim victim;
};

struct ocase {
	uint64_t seed;
	struct plan plan;
	uint32_t fails[PLAN_MAX];
	uint32_t nhooks;
	struct hook hook[CASE_HOOKS];
	uint32_t nevents;
	struct script event[CASE_EVENTS];
};

void case_make(struct ocase *c, uint64_t seed);
void case_write(const struct ocase *c, uint32_t number, FILE *out);
/* The trace, NUL behind, borrowed until the next call. */
const char *case_run(struct world *w, const struct ocase *c);

#endif
