#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *
sparse(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		abort();
	return p;
}

struct world *
world_new(void)
{
	struct world *w = sparse(sizeof *w);
	w->t.st = sparse(sizeof *w->t.st);
	w->t.slot_of_row = sparse(ROWS_MAX * sizeof *w->t.slot_of_row);
	w->t.act = sparse(ACTIONS_CAP * sizeof *w->t.act);
	return w;
}

void
world_free(struct world **w)
{
	struct tree *t = &(*w)->t;
	(void)munmap(t->st, sizeof *t->st);
	(void)munmap(t->slot_of_row, ROWS_MAX * sizeof *t->slot_of_row);
	(void)munmap(t->act, ACTIONS_CAP * sizeof *t->act);
	(void)munmap(*w, sizeof **w);
	*w = NULL;
}

void
world_reset(struct world *w, const struct rows *rows, uint64_t seed)
{
	struct tree *t = &w->t;
	struct state *st = t->st;
	memset(st->slot, 0, st->head.core.slots_used * sizeof st->slot[0]);
	memset(&st->head.core, 0, sizeof st->head.core);
	st->head.undo_n = st->head.undo_core = 0;
	memset(t->req, 0, sizeof t->req);
	t->nreq = t->nact = 0;
	t->rows = rows;
	t->old = NULL;
	t->now_ms = 1000;
	t->real_ms = 1000000;
	w->next_pid = 100;
	tree_init(t, seed);
}

void
world_step(struct world *w, const struct input *in)
{
	tree_step(&w->t, in);
}

void
world_request(struct world *w, const struct msg_request *m)
{
	tree_step(&w->t, &(struct input){.type = IN_REQUEST, .req = m});
}

void
world_spawned(struct world *w, uint32_t slot)
{
	world_slot(w, slot)->pid = ++w->next_pid;
}
