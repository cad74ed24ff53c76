#include "master/tree_int.h"

/*
 * Restart windows.  OTP keeps a list of restart times, drops those out of the period
 * and gives up when more than `intensity` are left.  Times only grow, so that is the
 * same as asking whether the restart `intensity` places before the newest is still
 * within the period: one look, whatever the intensity.
 */

enum { RING = INTENSITY_MAX + 1 };

static uint64_t *
ring(struct tree *t, uint32_t i)
{
	return t->st->window[look(t, i)->window].at_ms;
}

void
window_take(struct tree *t, uint32_t i)
{
	uint64_t *map = t->st->head.core.window_map;
	for (uint32_t w = 0; w < SUPS_MAX / 64; w++) {
		if (map[w] == UINT64_MAX)
			continue;
		uint32_t bit = (uint32_t)__builtin_ctzll(~map[w]);
		map[w] |= 1ULL << bit;
		edit(t, i)->window = w * 64 + bit;
		return;
	}
	/* rows_check allows fewer supervisors, but a reload may have two sets of them */
	edit(t, i)->window = SLOT_NONE;
}

void
window_release(struct tree *t, uint32_t i)
{
	uint32_t w = look(t, i)->window;
	if (w != SLOT_NONE)
		t->st->head.core.window_map[w / 64] &= ~(1ULL << (w % 64));
	edit(t, i)->window = SLOT_NONE;
}

void
window_clear(struct tree *t, uint32_t i)
{
	struct slot *s = edit(t, i);
	s->win_head = 0;
	s->win_n = 0;
}

int
window_add(struct tree *t, uint32_t i)
{
	const struct row *r = row_of(t, i);
	struct slot *s = edit(t, i);
	if (r->intensity == INTENSITY_INFINITY || s->window == SLOT_NONE)
		return 0;
	s->win_head = (s->win_head + 1) % RING;
	ring(t, i)[s->win_head] = t->now_ms;
	if (s->win_n < RING)
		s->win_n++;
	if (s->win_n <= r->intensity)
		return 0;
	uint64_t then = ring(t, i)[(s->win_head + RING - r->intensity) % RING];
	return t->now_ms - then <= r->period_ms ? -1 : 0;
}

uint32_t
window_count(const struct tree *t, uint32_t i)
{
	const struct slot *s = look(t, i);
	uint32_t n = 0;
	if (s->window == SLOT_NONE)
		return 0;
	const uint64_t *at = t->st->window[s->window].at_ms;
	while (n < s->win_n && t->now_ms - at[(s->win_head + RING - n) % RING] <=
				   row_of(t, i)->period_ms)
		n++;
	return n;
}
