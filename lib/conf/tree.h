/*
 * tree - the sections of a configuration as a tree of items.
 *
 * tree_build gives each application, supervisor and worker its id, finds the parents and
 * refuses what OTP refuses.  tree_order (order.c) then resolves `after` and
 * `applications`, refuses what could never start, and sorts the applications.
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/doc.h"
#include "rows/rows.h"

struct item {
	const char *id;
	const struct conf_sec *sec;
	uint8_t kind; /* ROW_APP, ROW_SUP or ROW_WORKER; ROW_TEMPLATE below a pool */
	bool pool;    /* a worker with `instances`: gets a supervisor of its own */
	bool dynamic; /* not started with its parent */
	uint8_t mark;
	uint32_t number;
	struct item *parent, *first, *last, *next;
	struct item *before;	  /* the sibling that starts before it */
	struct item *last_active; /* the child that starts last */
	struct item **after;	  /* of an application those it needs */
	uint32_t nafter;
	uint32_t row;	  /* where others refer to: of a pool its supervisor */
	const char **env; /* of an application: its variables */
	uint32_t nenv;
};

struct tree {
	struct arena *arena;
	struct diag *diag;
	struct conf_doc *doc;
	struct item **item; /* in the order of the files */
	uint32_t n, cap;
	struct map by_id;
	struct item **app; /* in start order, by tree_order */
	uint32_t napps;
};

void tree_build(struct tree *t, struct conf_doc *doc);
void tree_order(struct tree *t);

/* Strategy of an application or supervisor. */
enum strategy item_strategy(const struct item *it);
struct item *tree_find(const struct tree *t, const char *id);
/* "; did you mean 'api/back'?" among the ids of these kinds (bits), or "". */
const char *tree_suggest(const struct tree *t, const char *id, unsigned kinds);
/* The application part of an id. */
const char *tree_app_of(struct arena *arena, const char *id);

#endif
