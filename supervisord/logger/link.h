/*
 * link - the channel to the master, over the master's death.
 *
 * While the channel lives: the master's messages go to the feeds.  At its end the link
 * tries to reach the next master at RUN/attach.sock, tells it of every pipe
 * (MSG_LOG_HAVE) and takes its MSG_LOG_ADDs; what that one does not name within
 * LINK_CLAIM_MS is closed.  Reading of the pipes never stops meanwhile.
 */
#ifndef LOGGER_LINK_H
#define LOGGER_LINK_H

#include <ev.h>
#include <stdint.h>

#include "logger/feed.h"

enum {
	LINK_TRY_MS = 50,	/* between two tries to attach */
	LINK_SLOW_MS = 250,	/* the same when nobody came for long */
	LINK_ALONE_MS = 120000, /* then the logger ends if no pipe has a writer */
	LINK_CLAIM_MS = 5000
};

struct link {
	struct ev_loop *loop; /* borrowed */
	struct feeds *feeds;  /* borrowed */
	int chan;	      /* -1: the master is gone */
	int run;	      /* directory of attach.sock */
	double lost_s;	      /* when the channel ended, loop time */
	ev_io in, out;
	ev_timer attach, claim;
	int node_ends;		    /* slot 0 was dropped: no master will come */
	int may_end;		    /* the logger has nothing left to do */
	void (*changed)(void *arg); /* pipes came or went, or were moved on */
	void *arg;
};

void link_open(struct link *link, int chan);
void link_close(struct link *link);

#endif
