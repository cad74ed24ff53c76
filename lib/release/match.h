/*
 * match - do the entries of a tree or archive equal those of a manifest?
 *
 * Each entry is shown once, in any order; at the end each file of the manifest must have
 * been there.  Pure.
 */
#ifndef RELEASE_MATCH_H
#define RELEASE_MATCH_H

#include <stdbool.h>

#include "release/policy.h"
#include "release/release.h"

struct match {
	const struct release *release; /* borrowed */
	struct arena arena;
	bool *seen; /* by index of a file */
	uint64_t files, bytes;
};

void match_begin(struct match *m, const struct release *release);
void match_free(struct match *m);
/*
 * *file: what the manifest says of a file, whose hash is still to be compared; null for
 * what has none.  ERR_REFUSED: it is not in the manifest, or not so.
 */
int match_entry(struct match *m, const struct policy_entry *entry,
    const struct release_file **file, struct err *err);
int match_hash(
    const struct release_file *file, const unsigned char sha256[32], struct err *err);
int match_end(const struct match *m, struct err *err);

#endif
