/*
 * stage - a play of the pure core for unit tests: actions are answered in order, each at
 * once, and written down.  Row numbers of the plan name the players.
 *
 *   s3 f3  row 3 was started, failed to start       p3 q3  its pre_start, post_stop ran
 *   x3 k3  got its stop signal, was killed          s5.2   instance 2 of template 5
 *
 * A row in `hangs` is started but says nothing more; one in `deaf` ignores its signal.
 */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "tests/sim/plan.h"
#include "tests/sim/world.h"

enum { STAGE_QUEUE = 4096, STAGE_TEXT = 8192 };

struct stage {
	struct world *w;
	struct plan plan;
	struct plan_rows rows[2];
	uint32_t now_rows;
	uint32_t fails[PLAN_MAX]; /* so many next starts fail */
	struct reason why;	  /* of failing starts; default ENOENT of exec */
	uint8_t hangs[PLAN_MAX], deaf[PLAN_MAX];
	struct action queue[STAGE_QUEUE];
	uint32_t head, tail;
	uint32_t answer; /* the last; ANSWER_MAX: none yet */
	uint32_t answers;
	int node_up, ended, status;
	char text[STAGE_TEXT];
};

/* Empties it; the plan is the caller's to fill, then stage_open. */
void stage_new(struct stage *s);
void stage_open(struct stage *s);
void stage_close(struct stage *s);

void stage_boot(struct stage *s);
/* One input about a slot, of its present life. */
void stage_input(struct stage *s, enum input_type type, uint32_t slot, uint64_t value);
void stage_dies(struct stage *s, uint32_t slot, struct reason re);
/* Lets time pass, timers in order. */
void stage_wait(struct stage *s, uint64_t ms);
/* Asks and returns the answer, ANSWER_MAX if none has come yet. */
uint32_t stage_ask(
    struct stage *s, enum verb verb, uint32_t slot, uint32_t row, uint64_t value);
/* The plan as it is now comes into force. */
void stage_reload(struct stage *s);
/* What was done since the last call. */
const char *stage_did(struct stage *s);

static inline uint32_t
stage_slot(const struct stage *s, uint32_t row)
{
	return s->w->t.slot_of_row[row];
}

static inline struct slot *
stage_at(const struct stage *s, uint32_t row)
{
	return world_slot(s->w, stage_slot(s, row));
}

#endif
