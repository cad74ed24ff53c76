/*
 * keeper - the parent that never decides and never parses.
 *
 * supervisord's own process: subreaper of everything below.  It starts the master and
 * starts it again at once when it dies, holds a duplicate of every descriptor that must
 * outlive a master, reaps orphans and tells their statuses, passes on signals, speaks
 * to a service manager.  If the keeper is killed, the master puts the keeper's program
 * in its own place (`--inherit`), so that the workers stay children of their node.
 *
 *   main.c    options, lock, loop
 *   store.c   the descriptors and statuses it keeps
 *   master.c  the master's life; the only fork here
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/dirs.h"
#include "proto/keep.h"

enum { REAPED_RING = 4096 };

struct keeper {
	struct dirs dirs;
	int init;		       /* --init: PID 1 of a container */
	int lock_fd;		       /* run/lock, shared with the master */
	int unsigned_lock;	       /* our pid could not be written into it */
	int sig_fd;		       /* signalfd */
	int chan;		       /* to the master, -1 without one */
	pid_t master;		       /* 0 without one */
	int master_ready;	       /* it has told that it serves */
	int proven_fd;		       /* program of the last master that served, -1 */
	int use_proven;		       /* the next start takes it */
	uint64_t started_ms, retry_ms; /* of the master; 0: none is due */
	unsigned quick_deaths;
	int go_due, lost_due; /* still to be said to the master */
	int stop_signal;      /* the node was told to stop */
	int bye, status;      /* the master said how to exit */
	/* reports that the master has not acknowledged yet */
	uint64_t reaped_n, acked_n, sent_n;
	struct keep_key reaped[REAPED_RING];
	char **argv; /* borrowed: as started, for an exec of itself */
};

/* store.c */
void store_take(struct keep_msg *m, const int *fds, unsigned nfds);
void store_drop(const struct keep_msg *m);
int store_send_all(int chan);
void reaped_add(struct keeper *k, pid_t pid, int status);
void reaped_send(struct keeper *k);
/* Writes all that must survive an exec into a memfd; reads it back. */
int inherit_write(struct keeper *k);
void inherit_stay(const struct keeper *k);
int inherit_read(struct keeper *k, int fd, struct err *err);

/* master.c */
void master_start(struct keeper *k);
void master_send_all(struct keeper *k);
void master_died(struct keeper *k, int status);
void keeper_exec(struct keeper *k);
void keeper_answer(const struct keeper *k, enum keep_reexec what);

#endif
