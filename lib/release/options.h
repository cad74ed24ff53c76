/*
 * options - the command line of supervisord-unpack and supervisord-verify.
 *
 * A directory is given by its path or, by who holds it already, as the number of an open
 * descriptor.
 */
#ifndef RELEASE_OPTIONS_H
#define RELEASE_OPTIONS_H

#include <stdint.h>

#include "base/err.h"

struct place_options {
	const char *program;
	int archive_fd, releases_fd, keys_fd, result_fd; /* -1: not given */
	const char *temp;    /* a name in the directory of releases */
	const char *confine; /* a user, or null */
	uint64_t max_bytes;  /* 0: the usual */
	int64_t now;	     /* seconds since 1970; -1: the clock's */
};

/* usage: printed to stderr (exit 2) or, for --help, to stdout (exit 0). */
void place_options_read(
    struct place_options *o, int argc, char **argv, const char *usage);

#endif
