/*
 * feed - all pipes of the workers, and the turn that empties them.
 *
 * Each pipe is watched edge-triggered by one epoll descriptor, which the loop watches
 * as a whole: a silent worker costs a struct of less than 300 bytes and no wake-up.
 *
 * Only whole lines are taken out of a pipe.  The rest of a line waits in the pipe, where
 * no kill of the logger can tear it, for at most FEED_HOLD_MS or until it is
 * FEED_HOLD_BYTES long; then it is written as it is and continued later.
 *
 * One turn takes at most FEED_TURN_BYTES from each pipe, so that a flood of one does
 * not starve the others.  Nothing is read before feeds_go: an earlier logger may still
 * be at work.
 */
#ifndef LOGGER_FEED_H
#define LOGGER_FEED_H

#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "logger/sink.h"
#include "logger/tap.h"
#include "logger/term.h"
#include "proto/proto.h"

enum {
	FEED_NO_SLOT = ROW_NONE,   /* the node's own pipe has none */
	FEED_GHOST = ROW_NONE - 1, /* unclaimed, and its slot belongs to another */

	FEED_HOLD_MS = 100,
	FEED_HOLD_BYTES = 32 << 10,
	FEED_TURN_BYTES = 256 << 10
};

enum feed_flag {
	FEED_RUN = 1 << 0,	 /* in the list of those with something to read */
	FEED_HELD = 1 << 1,	 /* in the list of those with a piece of a line */
	FEED_EOF = 1 << 2,	 /* all write ends are closed */
	FEED_UNCLAIMED = 1 << 3, /* not named by the new master yet */
	FEED_UNTOLD = 1 << 4,	 /* the new master has not heard of it yet */
	FEED_DROP = 1 << 5,	 /* was dropped before feeds_go */
	FEED_LOOKED = 1 << 6	 /* its old files were looked at */
};

struct feed {
	TAILQ_ENTRY(feed) all;
	TAILQ_ENTRY(feed) run;
	TAILQ_ENTRY(feed) held;
	uint64_t ino;
	int64_t held_ms; /* since when, steady clock */
	int fd;
	uint32_t slot, gen, flags;
	struct sink sink;
	char id[]; /* NUL behind */
};

TAILQ_HEAD(feed_list, feed);

struct feeds {
	int epoll;
	int going;	   /* feeds_go was called */
	int disowned;	   /* some may be unclaimed */
	unsigned n, nopen; /* nopen: not at their end, the node's own left out */
	struct feed_list all, run, held;
	struct feed *tell;     /* the next that a new master is to be told of */
	struct feed **by_slot; /* owned */
	uint32_t nslots;
	struct tap tap;
	struct sinks sinks;
	struct term *term; /* borrowed; gets the node's own lines too */
};

int feeds_open(struct feeds *fs, int logdir, unsigned max_open, struct err *err);
void feeds_close(struct feeds *fs);
/* Takes the pipe (which is closed on failure, and if it is known already). */
int feeds_add(struct feeds *fs, const struct msg_log_add *add, int fd, struct err *err);
/* Reads the pipes of a slot empty and closes them. */
void feeds_drop(struct feeds *fs, uint32_t slot, uint32_t gen);
/* The same for all that the new master did not name. */
void feeds_drop_unclaimed(struct feeds *fs);
/* The master is gone: every pipe is to be told of and claimed anew. */
void feeds_disown(struct feeds *fs);
/* slot SLOT_NONE: all */
void feeds_rotate(struct feeds *fs, uint32_t slot);
void feeds_go(struct feeds *fs);
/* One turn.  1: call it again soon, more is there. */
int feeds_turn(struct feeds *fs);
/* Milliseconds until feeds_expire is due, -1 for never. */
int64_t feeds_hold_ms(struct feeds *fs);
/* Writes the pieces of lines that waited long enough. */
void feeds_expire(struct feeds *fs);

#endif
