/*
 * sim - what the files of the simulation share.
 *
 *   sim.c        rounds, the choice of the next event, crashes
 *   sim_env.c    the world around the core: processes, the queue of inputs, requests
 *   sim_model.c  what must hold after each event, seen by a second pair of eyes
 *   sim_plan.c   random configurations, and how a reload changes them
 *
 * All chance comes from one seed, so that `sim SEED EVENTS` plays the same game again.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <setjmp.h>
#include <stdint.h>

#include "tests/sim/plan.h"
#include "tests/sim/world.h"

enum { SIM_SLOTS = 1024, SIM_INPUTS = 4096, SIM_REFS = 256, SIM_TIMES = 64 };

enum proc_state { P_NONE, P_BORN, P_EXEC_FAILED, P_RUNS };

/* The process that really is there, whatever the tree thinks. */
struct proc {
	enum proc_state state;
	enum spawn_what what;
	uint32_t gen;
	uint8_t signalled, killed, sweeping;
};

/* The second opinion about one slot. */
struct opinion {
	uint8_t may_be_down; /* somebody asked for it */
	uint8_t counted;     /* the last event was its EV_RESTARTING */
	uint8_t reloaded;    /* of a supervisor: its order or strategy may be new */
	uint32_t ntimes;     /* of a supervisor: restarts since its start */
	uint64_t time[SIM_TIMES];
};

struct sim {
	struct world *w;
	uint64_t seed;
	uint64_t nevents;
	struct plan plan;
	struct plan_rows rows[2];
	uint32_t now_rows; /* which of the two is in force */
	struct proc proc[SIM_SLOTS];
	struct opinion opinion[SIM_SLOTS];
	uint8_t ref_open[SIM_REFS];
	uint32_t next_ref, nopen;
	struct input inq[SIM_INPUTS];
	uint32_t in_head, in_tail;
	uint32_t parent_of[SIM_SLOTS]; /* after the step before */
	uint64_t seen_event;	       /* the model has read the ring up to here */
	uint32_t nslots;	       /* that were ever used in this game */
	int ended;
	int bored; /* nothing happened: somebody must do something */
	uint64_t crashes, cuts, reloads, gave_up;
};

/* Prints what is wrong, where and how to see it again; ends the program. */
void sim_fail(const struct sim *s, const char *what, uint32_t slot);

/* sim_env.c */
void env_reset(struct sim *s);
void env_perform(struct sim *s, uint32_t upto);
void env_feed(struct sim *s, const struct input *in);
void env_feed_again(struct sim *s, const struct input *in);
int env_slot_event(struct sim *s, uint32_t slot, struct input *in);
void env_request(struct sim *s, struct msg_request *m);
void env_master_died(struct sim *s);

/* sim_model.c */
void model_reset(struct sim *s);
void model_reload(struct sim *s);
void model_action(struct sim *s, const struct action *a);
void model_check(struct sim *s);

/* sim_plan.c */
void sim_plan_make(struct plan *p, uint64_t *seed);
void sim_plan_change(struct plan *p, uint64_t *seed);
/* For tree_reload: old_row[k] of `next` for each row of `now`. */
void sim_plan_match(
    const struct rows *now, const struct rows *next, uint32_t old_row[PLAN_MAX]);

static inline uint32_t
sim_below(struct sim *s, uint32_t n)
{
	return random_below(&s->seed, n);
}

static inline int
sim_one_in(struct sim *s, uint32_t n)
{
	return random_below(&s->seed, n) == 0;
}

#endif
