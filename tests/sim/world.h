/*
 * world - the pure core with memory of its own, for tests: no clock, no process.
 *
 * `st` is a whole struct state, sparse; world_reset empties only what was used, so that
 * a small tree costs little.  world_step takes one input; the actions stay in t.act
 * until the test has carried them out.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdint.h>

#include "master/tree.h"
#include "proto/proto.h"

struct world {
	struct tree t;
	int32_t next_pid;
};

struct world *world_new(void);
void world_free(struct world **w);
/* A new tree over these rows, which must outlive it. */
void world_reset(struct world *w, const struct rows *rows, uint64_t seed);
void world_step(struct world *w, const struct input *in);
void world_request(struct world *w, const struct msg_request *m);
/* What the kernel does at clone: the pid stands in the slot. */
void world_spawned(struct world *w, uint32_t slot);

static inline struct slot *
world_slot(const struct world *w, uint32_t i)
{
	return &w->t.st->slot[i];
}

/* splitmix64: as good as it must be, and the same everywhere. */
static inline uint64_t
random_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline uint32_t
random_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)((random_next(seed) >> 32) * n >> 32);
}

#endif
