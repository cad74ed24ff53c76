/*
 * place - the way of a release onto a node: unpack, verify, and only then its name.
 *
 * A releases directory holds NAME/VERSION for what is there, and .tmp-* for what is on its
 * way.  supervisord-unpack makes the temporary one, supervisord-verify judges it, and
 * place_commit gives it its name in one step that replaces nothing.  Whoever starts the
 * two, the master or place_run, gets a struct place_report from each on a descriptor and
 * believes only verify's.
 */
#ifndef RELEASE_PLACE_H
#define RELEASE_PLACE_H

#include <stdint.h>

#include "base/err.h"
#include "release/report.h"

enum { PLACE_TEMP = 32 };

/* A name that nobody else uses: ".tmp-" and random digits. */
int place_temp_name(char name[PLACE_TEMP], struct err *err);
/*
 * temp becomes NAME/VERSION, durably.  ERR_REFUSED when that is there already.  The caller
 * removes temp when this fails.
 */
int place_commit(int releases_fd, const char *temp, const char *name,
    const char *version, struct err *err);
/* Removes what was left on its way: all .tmp-*.  For who starts up. */
int place_sweep(int releases_fd, struct err *err);

struct place_job {
	const char *unpack, *verify; /* the two programs */
	const char *releases, *keys; /* directories */
	int archive;		     /* the descriptor of the archive */
};

/* All of it, waiting for each step; for tools and tests.  ret: verify's report. */
int place_run(const struct place_job *job, struct place_report *ret, struct err *err);

#endif
