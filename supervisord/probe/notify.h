/*
 * notify - the sd_notify socket of one worker, read.
 *
 * The socket is bound by the master and outlives the worker's processes.  Each datagram
 * is checked and becomes facts with the pid of its sender by SCM_CREDENTIALS; whether
 * that sender may speak for the worker is the master's to judge.  Descriptors that come
 * along (FDSTORE, BARRIER) are closed.  What is malformed costs one log line a second.
 *
 * A datagram that changes the worker's state (READY, MAINPID, RELOADING, STOPPING) stays
 * in the socket until the master has taken it into its own: if the master or the probe is
 * killed before that, the next one reads it again.
 */
#ifndef PROBE_NOTIFY_H
#define PROBE_NOTIFY_H

#include <ev.h>
#include <stdint.h>

#include "probe/facts.h"

enum { NOTIFY_READS_A_TURN = 64, NOTIFY_GRUMBLE_MS = 1000 };

struct notify_sock {
	struct ev_loop *loop; /* borrowed */
	struct facts *facts;  /* borrowed */
	uint32_t slot, gen;
	int32_t pid;	 /* main process, 0 not known yet */
	uint32_t hushed; /* bad datagrams since the last log line */
	uint32_t ref;	 /* of the datagram that waits for notify_heard */
	int fd;
	ev_io io;
	double grumbled_s; /* when the last log line was, loop time */
	int busy, dead;	   /* freed while in use: freed at the end of the use */
	int held, paused;  /* held: `ref` is not answered yet */
	/*
	 * Called between the receipt of a datagram and its telling: an order that was
	 * sent before the datagram (a new generation) is taken before it is told.
	 */
	void (*orders)(void *arg);
	void *arg;
};

/* Takes fd.  Null when out of memory (fd is closed then). */
struct notify_sock *notify_new(struct ev_loop *loop, struct facts *facts, int fd);
void notify_free(struct notify_sock **sp);
/* Reads on, or lets the datagrams wait in the kernel. */
void notify_pause(struct notify_sock *sock, int pause);
/* The master has heard the fact with this ref. */
void notify_heard(struct notify_sock *sock, uint32_t ref);
/* The master asks anew (another probe, another generation): read again what it holds. */
void notify_again(struct notify_sock *sock);

#endif
