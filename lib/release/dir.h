/*
 * dir - a directory tree, walked without following links.
 *
 * For the trees of releases: as deep as path.h allows, read-only once they are whole.
 */
#ifndef RELEASE_DIR_H
#define RELEASE_DIR_H

#include <sys/stat.h>

#include "base/err.h"

/*
 * Called for all below the root, in the order of their names: for a directory before what
 * it holds.  dirfd and name: where it lies.  -1 with err ends the walk.
 */
struct dir_sink {
	void *ctx;
	int (*seen)(void *ctx, const char *path, int dirfd, const char *name,
	    const struct stat *st, struct err *err);
};

int dir_walk(int root, const struct dir_sink *sink, struct err *err);
/* All directories, the root too, become 0555. */
int dir_seal(int root, struct err *err);
/* Removes parent/name and all below it; it is no failure if it is not there. */
int dir_remove(int parent, const char *name, struct err *err);

#endif
