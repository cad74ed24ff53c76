/*
 * unpack - walks through a tar archive, packed by zstd or gzip, that may be hostile.
 *
 * The only room that includes libarchive.  It reads tar, zstd and gzip and nothing else,
 * asks the policy about each entry and each piece of data, and gives to the sink what the
 * policy has let through.  The first refusal, of either, ends the walk.
 */
#ifndef ARCHIVE_UNPACK_H
#define ARCHIVE_UNPACK_H

#include <stddef.h>

#include "base/err.h"
#include "release/policy.h"

/* Each may return -1 with err.  path is lent for the life of the policy. */
struct unpack_sink {
	void *ctx;
	int (*enter)(void *ctx, const char *path, const struct policy_entry *entry,
	    struct err *err);
	int (*data)(void *ctx, const void *bytes, size_t len, struct err *err);
	int (*leave)(void *ctx, struct err *err); /* behind each entry's data */
};

/* Reads fd from here to its end; it is the caller's.  0, or -1 with err. */
int unpack_walk(
    int fd, struct policy *policy, const struct unpack_sink *sink, struct err *err);

#endif
