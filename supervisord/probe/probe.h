/*
 * probe - the one loop of supervisord-probe: orders of the master in, facts out.
 *
 * Of each slot it holds at most one notify socket and one check.  When nothing happens
 * it wakes for nothing; at the end of the channel it ends.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <ev.h>

#include "probe/check.h"
#include "probe/facts.h"
#include "probe/notify.h"

struct probe_slot {
	struct notify_sock *notify; /* owned, may be null */
	struct check *check;	    /* owned, may be null */
};

struct probe {
	struct ev_loop *loop;
	int chan;
	struct facts facts;
	struct probe_slot *slot; /* owned */
	uint32_t nslots;
	int paused; /* the master is slow: no datagrams are read */
	int ended;
	ev_io in;
	ev_prepare pause;
	ev_periodic never; /* keeps libev from waking each minute */
};

/* Runs until the channel ends. */
int probe_run(int chan, struct err *err);

#endif
