/*
 * facts - what is to be said to the master, also when it is slow.
 *
 * A fact goes out at once while the channel takes it.  Else it waits here, and of each
 * slot, generation and kind only the latest waits: pings and status lines do not pile
 * up.  Past FACTS_MAX the notify sockets are read no more (facts_full) until the master
 * has taken some; the senders' datagrams wait in the kernel then.
 */
#ifndef PROBE_FACTS_H
#define PROBE_FACTS_H

#include <ev.h>
#include <sys/queue.h>

#include "proto/proto.h"

enum { FACTS_MAX = 4096 };

TAILQ_HEAD(fact_list, fact_wait);

struct facts {
	struct ev_loop *loop; /* borrowed */
	int chan;	      /* borrowed */
	ev_io out;
	struct fact_list list;
	unsigned n;
	void (*room)(void *arg); /* there is room again */
	void *arg;
};

void facts_open(struct facts *fs, struct ev_loop *loop, int chan);
void facts_close(struct facts *fs);
int facts_full(const struct facts *fs);
/* Says it now or later. */
void facts_put(struct facts *fs, const struct msg_fact *fact);
/* Forgets what waits of a slot that is no more. */
void facts_forget(struct facts *fs, uint32_t slot);

#endif
