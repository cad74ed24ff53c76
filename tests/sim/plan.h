/*
 * plan - a small configuration for tests of the pure core, made into rows.
 *
 * Node k of the plan is row k; parents stand before their children.  Ids are "a" and the
 * number of the application's name, then "/" and "n" and the node's name: plans that
 * give the same names give the same ids, which is what a reload compares.
 */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include <stdint.h>

#include "rows/rows.h"
#include "rows/rows_build.h"

enum { PLAN_MAX = 64, PLAN_AFTER_MAX = 2 };

struct plan_node {
	struct row row; /* exec, id, after and hashes are filled by plan_build */
	uint32_t name;
	uint32_t version; /* another one: another start command */
	uint32_t npre, npost;
	uint32_t after[PLAN_AFTER_MAX];
};

struct plan {
	uint32_t n;
	struct plan_node node[PLAN_MAX];
};

struct plan_rows {
	struct rows rows;
	struct rows_build *b; /* owned; null: nothing here */
};

/* A node with usual values at the end of the plan: permanent, 1 in 5 s, TERM, 5 s. */
struct plan_node *plan_add(struct plan *p, enum row_kind kind, uint32_t parent);
/* Aborts with the sentence of rows_check: a plan that is no configuration is a mistake
 * of the test. */
void plan_build(const struct plan *p, struct plan_rows *out);
void plan_rows_drop(struct plan_rows *r);

#endif
