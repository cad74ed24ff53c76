/*
 * nodes - the tree as relctl holds it: small structs made from the pages of tree.list.
 */
#ifndef RELCTL_NODES_H
#define RELCTL_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "cmd.h"

struct node {
	char *id, *kind, *parent, *state; /* owned; parent null for the root */
	char *last, *status, *flags, *strategy;
	int64_t pid, gen, since_ms, restarts, retry_ms, instances, children, intensity;
	int64_t gave_up;
};

struct nodes {
	struct node *node; /* owned; parents first */
	size_t n;
	struct json *json; /* owned; the array of what was received, if asked for */
};

/* All nodes below `under` (null: all).  0, or -1 with cmd->err. */
int nodes_fetch(struct cmd *cmd, const char *under, int keep_json, struct nodes *ret);
void nodes_clear(struct nodes *nodes);
/* Is it as it should be when it runs: up, or a one-shot that is done? */
int node_runs(const struct node *node);
int node_is_worker(const struct node *node);
/* Does an operator have to look at it? */
int node_troubled(const struct node *node);
/* The words after the state: status, retry, last end, flags.  buf is returned. */
const char *node_info(const struct node *node, char *buf, size_t cap);

/*
 * The words of the command line as whole ids.  A word with * ? [ stands for all workers it
 * matches (with all_kinds, for everything); other words stay as they are.  The list and
 * its texts are freed by ids_clear.  0, or -1 with cmd->err.
 */
struct ids {
	char **id; /* owned */
	size_t n;
};

int ids_expand(struct cmd *cmd, unsigned from, int all_kinds, struct ids *ret);
void ids_clear(struct ids *ids);
void ids_add(struct ids *ids, const char *id);

/* "3.2s", "12m", "5h03m", "8d", of less than nothing "-"; buf is returned. */
const char *time_short(int64_t ms, char *buf, size_t cap);

#endif
