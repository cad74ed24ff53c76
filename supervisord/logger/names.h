/*
 * names - where the files of one worker are, and how they move on.
 *
 * The log of `app/worker#3` is DIR/app/worker#3.log, older ones are .log.1, .log.2 ...
 * or .log.1.zst.  Everything goes through directory descriptors and never follows a
 * link.  All moves are ordered so that a crash between two of them loses no file and
 * the next rotation goes on from what it finds.
 */
#ifndef LOGGER_NAMES_H
#define LOGGER_NAMES_H

#include <stddef.h>

#include "base/err.h"
#include "rows/rows.h"

enum { NAME_CAP = ROW_ID_MAX + 32 };

/* The directory (owned by the holder) and name of one log. */
struct names {
	int dir;
	char base[NAME_CAP]; /* "worker#3.log" */
};

/* "app/worker", "app/worker#3" or "node": nothing else names a file. */
int names_id_ok(const char *id);
/* Opens the directory of an id, made if it is not there.  -1 with errno. */
int names_open(int logdir, const char *id, struct names *out);
void names_close(struct names *names);
/* "worker.log.2" or "worker.log.2.zst"; n 0: "worker.log" */
void names_old(const struct names *names, unsigned n, int zst, char out[NAME_CAP]);
/*
 * Moves .log to .log.1 and the older ones up to the first gap; what would become
 * number keep+1 is removed.  -1 with errno, and .log is where it was.
 */
int names_shift(const struct names *names, unsigned keep);
/*
 * The highest number of an uncompressed old file, 0 if there is none.  Removes plain
 * ones whose compressed twin is there: it was complete when it got its name.
 */
unsigned names_plain(const struct names *names, unsigned keep);
/* "worker.log.zst.tmp": a compression under way, or cut off */
void names_tmp(const struct names *names, char out[NAME_CAP]);
/* Removes what a compression that was cut off left. */
void names_clean(const struct names *names);

#endif
