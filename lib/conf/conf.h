/*
 * conf - a configuration file, checked and made into rows.
 *
 * Used by supervisord-load and by tests.  Reads the file, what it includes, the files of
 * variables it names, and the tables of users and groups; changes nothing.  All that is
 * wrong is in conf->diag; the block is there when diag.errors is 0.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "conf/diag.h"
#include "rows/rows_build.h"

struct conf_options {
	const char *root;     /* relative paths lie below it; null or "": refuse them */
	const char *disabled; /* a file with an id a line; null: none */
	uint32_t uid, gid;    /* of the node, which may be more than ours */
	bool init; /* the node is PID 1: applications are permanent by default */
};

struct conf {
	struct arena arena;
	struct diag diag;
	struct rows_build *build;
	const void *block; /* owned by build */
	size_t size;
	uint32_t applications, supervisors, workers, sockets;
};

/* 0 when there are no errors. */
int conf_load(const char *path, const struct conf_options *options, struct conf *conf);
void conf_free(struct conf *conf);

#endif
