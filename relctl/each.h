/*
 * each - one method for each of several ids, as start, stop and their like do.
 */
#ifndef RELCTL_EACH_H
#define RELCTL_EACH_H

#include "cmd.h"
#include "nodes.h"

/* Puts what the method needs beside the id into params; may be null. */
struct each {
	const char *method;
	const char *done;    /* "ID: done", such as "started" */
	const char *already; /* said, and no failure, when the node answers `already` or
				`not_running`; null: that is a failure */
	int pools_by_one;    /* a pool's instances are served one after the other */
	void (*add)(const struct cmd *cmd, struct json *params);
};

/* For the words from `from` on.  The first failure's exit code; others are complained of. */
int each_run(struct cmd *cmd, unsigned from, const struct each *each);

#endif
