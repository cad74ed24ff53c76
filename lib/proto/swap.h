/*
 * swap - what the master and a handler worker say to each other while modules are swapped.
 *
 * The worker connects to run/attach.sock when it starts and again after each death of the
 * master; who it is the master sees by its pid.  One packet of SOCK_SEQPACKET is one fixed
 * message of this form; the first of the worker is SWAP_HELLO, and the master's answer
 * SWAP_MODULE says which module is in force: a worker that stands between two modules goes
 * to that one.  So whoever dies in the middle, all workers end on the side that run/state
 * has recorded.
 *
 *   master		worker
 *   SWAP_PREPARE →	checks and loads the new module, rehearses in a forked copy
 *			← SWAP_DONE | SWAP_FAILED with a sentence
 *   SWAP_CHANGE →	takes nothing any more, makes the new state
 *			← SWAP_DONE | SWAP_FAILED
 *   SWAP_COMMIT →	goes on with the new module; frees the old state, unloads
 *			← SWAP_DONE, with the pause
 *   SWAP_UNDO →	goes on with the old module as if nothing had been
 *			← SWAP_DONE
 */
#ifndef PROTO_SWAP_H
#define PROTO_SWAP_H

#include <stdint.h>

enum swap_msg_type {
	SWAP_NONE,
	SWAP_HELLO,   /* worker: value: its generation */
	SWAP_MODULE,  /* master: text: the module in force */
	SWAP_PREPARE, /* master: text: the new module; value 1: rehearse */
	SWAP_CHANGE,
	SWAP_COMMIT,
	SWAP_UNDO,
	SWAP_DONE,   /* worker: value: its pause in ns, after a commit or an undo */
	SWAP_FAILED, /* worker: text: why */
	SWAP_TYPE_MAX
};

enum { SWAP_TEXT = 1024 };

struct swap_msg {
	uint32_t type; /* enum swap_msg_type */
	uint32_t txn;  /* of which swap; an answer to another one is dropped */
	uint64_t value;
	char text[SWAP_TEXT]; /* with its NUL */
};

#endif
