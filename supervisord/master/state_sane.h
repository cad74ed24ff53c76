/*
 * state_sane - whether a state file may be used as it is.
 *
 * Called once by a new master, after a cut-off step was rolled back and before anything
 * else looks at a slot.  Pure: it reads what it is given.
 */
#ifndef MASTER_STATE_SANE_H
#define MASTER_STATE_SANE_H

#include "rows/rows.h"
#include "state/state.h"

/* The first fault as half a sentence ("it has no root"), or null.  old may be null. */
const char *state_fault(
    const struct state *st, const struct rows *rows, const struct rows *old);

#endif
