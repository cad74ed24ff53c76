/*
 * tree - the supervision tree: a pure core, (tree, input, now) -> (tree, actions).
 *
 * Nothing here reads a clock, allocates, logs or makes a system call.  The loop turns
 * what it saw into a `struct input`, calls tree_step, and carries out the actions that
 * tree->act then holds, in order, after the step has committed.  All rules of
 * supervisor(3) of Erlang/OTP are decided here:
 *
 *   tree.c         steps, transactions, slots, recovery
 *   tree_worker.c  the life of one worker
 *   tree_sup.c     supervisors: start, stop, restart strategies, escalation
 *   tree_app.c     applications and the node
 *   tree_req.c     what operators ask for
 *   tree_reload.c  another configuration
 *   tree_window.c  intensity and period
 *
 * A step is one transaction on `struct state` (see state/state.h).  An action may be
 * carried out twice over a crash of the master, never not at all.
 */
#ifndef MASTER_TREE_H
#define MASTER_TREE_H

#include <stdint.h>

#include "base/util.h"
#include "proto/proto.h"
#include "rows/rows.h"
#include "state/state.h"

enum input_type {
	IN_NODE_START,	 /* boot: load and start the applications */
	IN_NODE_STOP,	 /* value: exit status */
	IN_EXECED,	 /* slot, gen: the child runs its program now */
	IN_SPAWN_FAILED, /* slot, gen, reason: stage and errno */
	IN_EXITED,	 /* slot, gen, reason: the main process is gone */
	IN_SWEPT,	 /* slot, gen: nothing of its process tree is left */
	IN_READY,	 /* slot, gen */
	IN_TIMER,	 /* slot: its timer or watchdog may be due */
	IN_PING,	 /* slot, gen: the watchdog was fed */
	IN_EXTEND,	 /* slot, gen, value: ms from now that start or stop may take */
	IN_WATCHDOG_MS,	 /* slot, gen, value: another watchdog interval; 0 ends it */
	IN_SAID, /* slot, gen, value: enum fact, RELOADING, STOPPING or READY again */
	IN_MAINPID, /* slot, gen, value: the process to watch from now on */
	IN_REQUEST, /* req */
	IN_MAX
};

struct input {
	enum input_type type;
	uint32_t slot;
	uint32_t gen; /* 0: any */
	struct reason reason;
	uint64_t value;
	const struct msg_request *req; /* borrowed for the step */
};

enum spawn_what { SPAWN_MAIN, SPAWN_PRE, SPAWN_POST };

enum action_type {
	ACT_SPAWN,     /* slot, value: enum spawn_what */
	ACT_SIGNAL,    /* slot, value: signal number, to the main process */
	ACT_KILL_TREE, /* slot: SIGKILL to every process of it */
	ACT_SWEEP,     /* slot: kill what is left; IN_SWEPT when nothing is */
	ACT_TIMER,     /* slot: timer_ms or watchdog_ms changed */
	ACT_UP,	       /* slot: a worker became ready or stopped being so */
	ACT_ADDED,     /* slot is new */
	ACT_REMOVED,   /* slot is free again; value: the event that names it */
	ACT_REPLY,     /* ref, value: enum answer, slot, reason */
	ACT_NODE_UP,   /* every application has been started */
	ACT_NODE_END,  /* value: exit status */
	ACTION_MAX
};

struct action {
	uint32_t type; /* enum action_type */
	uint32_t slot;
	uint32_t ref;
	struct reason reason;
	uint64_t value;
};

enum { ACTIONS_CAP = SLOT_MAX * 3 };

/* A request of control that is under way.  Lost when the master dies: so is control. */
struct pending_req {
	uint32_t used;
	uint32_t ref;
	uint32_t verb;
	uint32_t sup;  /* in whose queue it waits; SLOT_NONE: under way */
	uint32_t slot; /* child it is about */
	uint32_t row;
	uint32_t ticket;
	uint32_t nargs;
	char args[ARGS_MAX];
};

struct tree {
	struct state *st;	 /* borrowed: the mapped file */
	const struct rows *rows; /* borrowed: the configuration in force */
	const struct rows *old; /* borrowed: the one before, of slots with SF_OLD_ROW */
	uint32_t *slot_of_row;	/* borrowed, ROWS_MAX long: static slot or SLOT_NONE */
	struct action *act;	/* borrowed, ACTIONS_CAP long */
	uint32_t nact;
	uint64_t now_ms;
	uint64_t real_ms; /* wall clock of this turn, for events only */
	uint32_t nevents; /* written in this step, not published */
	uint32_t nreq;
	struct pending_req req[REQ_MAX];
};

/* A new, empty tree over a zeroed state and these rows: root only. */
void tree_init(struct tree *t, uint64_t seed);
/* One transaction.  The caller has set now_ms and real_ms, and rows.  Actions are added
 * to those in t->act; who carries them out sets nact to 0. */
void tree_step(struct tree *t, const struct input *in);
/*
 * After a new master has mapped the state: rolls back a step that was cut off, forgets
 * requests, and asks again for every action that may not have been carried out.
 */
void tree_recover(struct tree *t);
/*
 * Puts other rows in force: `next` becomes t->rows, those in force become t->old, which
 * must live until tree_leavers is 0; only then another reload may come.  old_row[k] is the row of `next`
 * that continues row k of the present rows (same id and parent, row_continues), or
 * ROW_NONE.  Starts, stops and restarts only what differs.
 */
void tree_reload(struct tree *t, const struct rows *next, const uint32_t *old_row);
/* The first half of tree_recover: undoes a step that was cut off. */
void tree_roll_back(struct tree *t);
/* How many slots still refer to the rows before the last reload. */
uint32_t tree_leavers(const struct tree *t);
/* Fills slot_of_row from the state. */
void tree_index(struct tree *t);
/* The first violation of an invariant as a sentence, or null.  For tests. */
const char *tree_check(const struct tree *t);

#endif
