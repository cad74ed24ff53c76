/*
 * logger - the one loop of supervisord-logger: when what is done.
 *
 * Joins the feeds (pipes to files), the link (master), the lock and the timers.  Idle,
 * it has no timer but one in the far future and wakes for nothing.
 */
#ifndef LOGGER_LOGGER_H
#define LOGGER_LOGGER_H

#include <ev.h>

#include "logger/feed.h"
#include "logger/link.h"
#include "logger/squeeze.h"
#include "logger/term.h"

enum { LOCK_TRY_MS = 20 };

struct logger {
	struct ev_loop *loop;
	int lock; /* DIR/.lock, held until the process is gone */
	struct feeds feeds;
	struct link link;
	struct squeeze squeeze;
	struct term term;
	ev_io ready;	   /* some pipe has something */
	ev_idle more;	   /* a turn did not empty all */
	ev_timer hold;	   /* pieces of lines wait */
	ev_timer lock_try; /* another logger holds the lock */
	ev_timer retry;	   /* some file cannot be written */
	ev_periodic never; /* keeps libev from waking each minute */
};

/* The descriptors the logger works with; all are taken. */
struct logger_fds {
	int chan, dir, run, lock;
	struct term term; /* the node's own lines go there, too */
};

/* Runs until there is nothing left to do.  max_open: files open at once. */
int logger_run(const struct logger_fds *fds, unsigned max_open, struct err *err);

#endif
