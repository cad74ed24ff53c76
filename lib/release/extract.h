/*
 * extract - a release from an archive into a new directory.
 *
 * The directory is made here, below a directory that the caller holds; every file is made
 * anew, through directories that were made here, never through a link.  Nothing of what
 * the archive says about owners, times or modes is taken over.  What is extracted is not
 * yet believed: see verify.h.
 */
#ifndef RELEASE_EXTRACT_H
#define RELEASE_EXTRACT_H

#include <stdint.h>

#include "base/err.h"
#include "release/policy.h"

struct extract_sums {
	uint64_t entries, bytes;
};

/*
 * Reads the archive from fd into releases_fd/temp, which must not exist.  Done when all of
 * it is on the disk (syncfs).  On failure nothing is left of it.  limits: null for the
 * usual ones.
 */
int extract_archive(int fd, int releases_fd, const char *temp,
    const struct policy_limits *limits, struct extract_sums *sums, struct err *err);

#endif
