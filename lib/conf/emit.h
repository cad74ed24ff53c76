/*
 * emit - the checked items, the node and its sockets as rows.  Parts of conf.c.
 */
#ifndef CONF_EMIT_H
#define CONF_EMIT_H

#include "conf/exec.h"

struct emitter {
	struct tree *tree; /* borrowed, as all below */
	struct exec_maker exec;
	struct map disabled; /* ids */
	uint32_t rows, sups, workers;
	uint64_t instances;
	bool init; /* as in struct conf_options */
};

void emit_sockets(struct emitter *em);
void emit_node(struct emitter *em);
void emit_tree(struct emitter *em);

#endif
