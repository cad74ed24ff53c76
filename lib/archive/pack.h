/*
 * pack - writes the tar archive of a release: the same bytes for the same files.
 *
 * Every entry belongs to root, has the time of the release and nothing of the machine it
 * was made on.  The caller gives the entries in their order.
 */
#ifndef ARCHIVE_PACK_H
#define ARCHIVE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pack;

enum pack_filter { PACK_ZSTD, PACK_GZIP };

/* Writes to fd, which stays the caller's.  when: of all entries, in seconds. */
struct pack *pack_open(int fd, enum pack_filter filter, int64_t when, struct err *err);
/* A file of exactly `size` bytes, given by pack_data. */
int pack_file(
    struct pack *p, const char *path, unsigned mode, uint64_t size, struct err *err);
int pack_data(struct pack *p, const void *bytes, size_t len, struct err *err);
int pack_link(struct pack *p, const char *path, const char *target, struct err *err);
/* Ends the archive.  p is freed and null in any case. */
int pack_close(struct pack **p, struct err *err);
/* Gives it up. */
void pack_drop(struct pack **p);

#endif
