/*
 * sink - the file of one worker's lines.
 *
 * Opened at the first line and whenever it is needed again; only some are open at
 * once (the least recently used is closed), so the number of workers is not bound by
 * the number of files.  What the file cannot take is dropped and counted, and told
 * in the file itself, "-- N lines (M bytes) dropped: why --", as soon as writing works
 * again; tries are at least SINK_RETRY_MS apart.  Nothing here waits or fsyncs.
 *
 * After a crash of the logger the file may end in a piece of a chunk that comes once
 * more.  Then the line it ends in is finished first, so that each line is whole.
 *
 * Rotation is by size, by the age of the file's first byte (seen when the next line
 * comes, never by a timer), or on demand; always between two lines.
 */
#ifndef LOGGER_SINK_H
#define LOGGER_SINK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "logger/lines.h"
#include "logger/names.h"

enum { SINK_RETRY_MS = 1000 };

enum sink_flag {
	SINK_STAMP = 1 << 0,  /* as in struct msg_log_add */
	SINK_ZSTD = 1 << 1,   /* as in struct msg_log_add */
	SINK_KNOWN = 1 << 2,  /* size, col and born are those of the file */
	SINK_SEEN = 1 << 3,   /* the file's end was looked at once */
	SINK_ROTATE = 1 << 4, /* rotate before the next line */
	SINK_OPEN = 1 << 5,   /* in the list of open ones */
	SINK_LOST = 1 << 6,   /* in the list of those with lines dropped */
	SINK_PACK = 1 << 7,   /* in the list of those with old files to compress */
	SINK_STUCK = 1 << 8   /* a rotation failed, and was told */
};

struct sink {
	TAILQ_ENTRY(sink) open;
	TAILQ_ENTRY(sink) lost;
	TAILQ_ENTRY(sink) pack;
	const char *id; /* borrowed from who holds the sink */
	uint64_t size, max_bytes, max_age_ms;
	uint64_t lost_bytes;
	uint32_t lost_lines;
	int32_t lost_errno;
	int64_t born_ms;  /* wall clock, of the first byte */
	int64_t retry_ms; /* not before this, steady clock */
	int fd;
	uint32_t col, keep, flags;
};

TAILQ_HEAD(sink_list, sink);

/* The place of all files; one per process. */
struct sinks {
	int dir;		  /* of all logs, borrowed */
	unsigned nopen, max_open; /* files open at once */
	struct sink_list open;	  /* the one used longest ago is first */
	struct sink_list lost;	  /* sink_retry is due within SINK_RETRY_MS */
	struct sink_list pack;	  /* old files wait to be compressed */
	struct timespec wall;	  /* time of this turn */
	int64_t steady_ms;
	char stamp[STAMP_CAP];
	char tail[LINE_MAX_BYTES + 2 * STAMP_LEN];	  /* scratch */
	void (*rotated)(void *arg, const struct sink *s); /* may be null */
	void *arg;
};

void sinks_init(struct sinks *all, int dir, unsigned max_open);
/* Takes the time; once per turn. */
void sinks_now(struct sinks *all);
/* Closes every file; each is opened by its name when it is needed again. */
void sinks_reopen(struct sinks *all);
/* Tries the files that lost something. */
void sinks_retry(struct sinks *all);

void sink_init(struct sink *s, const char *id);
/* Writes buf[0..n); buf[n..peeked) is known to follow.  Never fails: see above. */
void sink_write(
    struct sinks *all, struct sink *s, const char *buf, size_t n, size_t peeked);
void sink_rotate(struct sinks *all, struct sink *s);
/* Puts the sink on the list of those with files to compress. */
void sink_pack(struct sinks *all, struct sink *s);
/* Says what was dropped, closes the file, leaves all lists. */
void sink_close(struct sinks *all, struct sink *s);

#endif
