/*
 * find - from what a person typed to a point of the tree.
 *
 * Taken are a whole id (`app`, `app/worker`, `app/worker#3`, `root`), the last part alone
 * if only one has it (`worker`, `worker#3`), the name of a template for its pool, and the
 * pid of a worker.  What is not found is answered with similar ids, and with a reason
 * where there is one: the application is configured, but not loaded.
 */
#ifndef CONTROL_FIND_H
#define CONTROL_FIND_H

#include "control/fault.h"
#include "control/view.h"

/* 0, or -1 with RPC_UNKNOWN or RPC_AMBIGUOUS.  *s is a copy of the slot. */
int find_slot(const struct view *v, const char *name, uint32_t *slot, struct slot *s,
    struct fault *f);
/* The row of an application, loaded or not, and its slot or SLOT_NONE. */
int find_app(const struct view *v, const char *name, uint32_t *row, uint32_t *slot,
    struct fault *f);
/* A row below a supervisor's row by whole or short id: what start_child may start. */
int find_child_row(const struct view *v, const struct slot *sup, const char *name,
    uint32_t *row, struct fault *f);

#endif
