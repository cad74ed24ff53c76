/*
 * exec - how a worker's process is made, from the keys of its section.
 */
#ifndef CONF_EXEC_H
#define CONF_EXEC_H

#include "base/map.h"
#include "conf/tree.h"
#include "conf/users.h"
#include "conf/words.h"
#include "rows/rows_build.h"

/* What all workers share while a configuration is made into rows. */
struct exec_maker {
	struct rows_build *build; /* borrowed, as all below */
	struct words_reader *words;
	struct users *users;
	struct diag *diag;
	struct arena *arena;
	const char *root; /* relative directories lie here; "" for none */
	const struct tree *tree;
	struct map sockets;   /* name to index in the rows */
	struct map mailboxes; /* id of a handler to index in the rows */
	const char **socket_names;
	uint32_t nsockets;
	int node_oom_score; /* INT_MAX: not known */
};

/* The row of a worker's process; what is wrong is in the diag. */
uint32_t exec_make(struct exec_maker *m, const struct item *it);
/* A path of a value: absolute, or below the root; null with a message. */
const char *exec_path(struct exec_maker *m, const struct conf_sec *sec,
    enum conf_key_id id, const char *path);

#endif
