/*
 * keep - what keeper and master say to each other.
 *
 * The keeper is the parent that never decides: it holds a duplicate of every descriptor
 * that must outlive a master (listening sockets, both ends of log pipes, notify sockets),
 * reaps orphans, passes on signals, and starts the next master.  A descriptor is kept
 * under a key: its kind and a number the master chose (slot or hash of a row).
 *
 * One packet is one struct keep_msg and at most CHAN_FDS descriptors.
 */
#ifndef PROTO_KEEP_H
#define PROTO_KEEP_H

#include <stdint.h>

enum keep_type {
	KEEP_NONE,
	/* master → keeper */
	KEEP_STORE, /* fds go under keys[0..n): one key a descriptor */
	KEEP_DROP,  /* keys[0..n) are closed */
	KEEP_ACK, /* value: reaped statuses up to this number are known to the master */
	KEEP_REEXEC, /* the keeper is to exec its own program anew; KEEP_REEXECED answers */
	KEEP_MASTER, /* this process execs another master now: send it everything again */
	KEEP_SYNC, /* say KEEP_GO again behind the statuses of all that has died by now */
	KEEP_READY, /* the node is up: tell a service manager */
	KEEP_BYE,   /* the node is down: exit with status value */
	/* keeper → master */
	KEEP_FDS, /* as KEEP_STORE: what it holds, sent first */
	KEEP_REAPED, /* keys[0..n): number = count of the report, value pid << 32 | status */
	KEEP_SIGNAL, /* value: a signal the node got (TERM, INT, HUP, USR1, …) */
	KEEP_GO,     /* everything held has been sent; value: its pid */
	KEEP_LOST, /* no room for descriptors that were sent: store all of them again */
	KEEP_REEXECED, /* value: enum keep_reexec, what came of it */
	KEEP_MAX
};

/* The new program serves, or why the old one stays. */
enum keep_reexec {
	REEXEC_SERVES,
	REEXEC_NO_PROGRAM,
	REEXEC_SELF_TEST,
	REEXEC_MEMORY,
	REEXEC_EXEC,
	REEXEC_MAX
};

enum keep_kind {
	KEEP_KIND_NONE,
	KEEP_LOG_READ,	/* number: slot */
	KEEP_LOG_WRITE, /* number: slot */
	KEEP_NOTIFY,	/* number: slot */
	KEEP_SOCK,	/* number: hash of its row */
	KEEP_STATE,	/* the state file itself; number 0 */
	KEEP_KIND_MAX
};

struct keep_key {
	uint64_t number;
	uint64_t value; /* of KEEP_REAPED */
	uint32_t kind;	/* enum keep_kind */
	uint32_t unused;
};

enum { KEEP_KEYS = 64 };

struct keep_msg {
	uint32_t type; /* enum keep_type */
	uint32_t n;    /* keys used; the packet ends behind them */
	uint64_t value;
	struct keep_key key[KEEP_KEYS];
};

#define KEEP_MSG_SIZE(n) (16 + (n) * sizeof(struct keep_key))
_Static_assert(sizeof(struct keep_msg) == KEEP_MSG_SIZE(KEEP_KEYS), "no padding");

#endif
