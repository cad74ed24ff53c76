/*
 * view - the live tree as control sees it: run/state and the rows, both mapped
 * read-only from descriptors of MSG_MAPS.
 *
 * The master writes the state while we read it.  So every index that is read is
 * checked before use, a slot is copied with its sequence number, and nothing here waits
 * for ever: a slot that stays torn (its master was killed in the middle of a step) is
 * given back as it is, with its indices checked.  Who calls: the methods.
 */
#ifndef CONTROL_VIEW_H
#define CONTROL_VIEW_H

#include <stdint.h>

#include "base/err.h"
#include "rows/rows.h"
#include "state/state.h"

struct view {
	const struct state *st; /* null before the first maps */
	struct rows rows;
	struct rows old;     /* head null but while a reload is being carried out */
	int rows_fd, old_fd; /* owned, behind rows and old; -1 without */
	uint32_t rows_seq;   /* of rows, as the master counts them */
};

/*
 * Takes the descriptors of MSG_MAPS in any case: state, rows, and maybe the rows before
 * them (else -1).  On failure the old maps stay.
 */
int view_maps(struct view *v, const int fds[3], uint32_t seq, struct err *err);
void view_clear(struct view *v);
/* Do the rows fit the slots?  False while a reload is between its two steps. */
int view_current(const struct view *v);
/* A checked copy of slot i; -1 if it is free or out of range. */
int view_slot(const struct view *v, uint32_t i, struct slot *ret);
/* How many slots have ever been used: the bound for loops over all. */
uint32_t view_used(const struct view *v);
/* The rows that a slot's row is one of. */
const struct rows *view_rows(const struct view *v, const struct slot *s);
/* The row of a slot, null for the root. */
const struct row *view_row(const struct view *v, const struct slot *s);
/* The id of slot i, "?" if it is free. */
void view_id(const struct view *v, uint32_t i, char id[ROW_ID_MAX]);
/* How many restarts of this supervisor lie within its period. */
uint32_t view_window(const struct view *v, const struct slot *s, uint64_t now_ms);
/*
 * The slots below and including `from`, parents first, siblings in start order.
 * `list` has room for SLOT_MAX.  Returns how many.
 */
uint32_t view_walk(const struct view *v, uint32_t from, uint32_t *list);
/* A consistent copy of event n; -1 if it is not in the ring (any more). */
int view_event(const struct view *v, uint64_t n, struct event *ret);
/* The newest event's number, and the oldest that can still be read. */
uint64_t view_newest(const struct view *v);
uint64_t view_oldest(const struct view *v);
/*
 * The clocks of the state, in ms: monotonic for what is timed, the wall's for when a
 * thing ended (last_ms, cause_ms).
 */
uint64_t view_now_ms(void);
uint64_t view_wall_ms(void);

#endif
