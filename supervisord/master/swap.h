/*
 * swap - which step of a swap of modules comes next: a pure state machine.
 *
 * Workers take part that run a module which another configuration replaces.  All prepare,
 * all change, then the configuration is put in force, which is the commit, and all go on;
 * or, when one fails before that, all undo.  links.c carries the actions out; the
 * protocol with the workers is in lib/proto/swap.h.
 *
 *	PREPARING ─all done→ CHANGING ─all done→ (put in force) → COMMITTING → end
 *	    └─ one failed, gone, late ─┴──────── refused ────→ UNDOING → end, undone
 */
#ifndef MASTER_SWAP_H
#define MASTER_SWAP_H

#include <stdint.h>

enum swap_phase {
	SW_IDLE,
	SW_PREPARING,
	SW_CHANGING,
	SW_COMMITTING,
	SW_UNDOING,
	SW_MAX
};

/* What one worker owes us. */
enum swap_due { DUE_NOTHING, DUE_ANSWER, DUE_GONE, DUE_MAX };

struct swap_core {
	enum swap_phase phase;
	uint32_t n, waiting;
	uint8_t *due; /* enum swap_due of each; the caller's */
};

enum swap_event {
	SWE_DONE,   /* of one: it has done the step */
	SWE_FAILED, /* of one: it has not, and is as it was */
	SWE_GONE,   /* of one: its process has ended */
	SWE_LATE,   /* time is up */
	SWE_FORCED, /* the new configuration is in force */
	SWE_REFUSED /* it could not be put in force */
};

enum swap_action {
	SWA_WAIT,
	SWA_CHANGE, /* send it to all */
	SWA_FORCE,  /* put the configuration in force, then SWE_FORCED or SWE_REFUSED */
	SWA_COMMIT, /* send it to all that are there */
	SWA_UNDO,   /* send it to all that are there and may need it */
	SWA_DONE,   /* the end: swapped */
	SWA_UNDONE  /* the end: all is as it was */
};

/* All n owe an answer to SWAP_PREPARE. */
void swap_start(struct swap_core *s, uint8_t *due, uint32_t n);
enum swap_action swap_step(struct swap_core *s, enum swap_event event, uint32_t part);

#endif
