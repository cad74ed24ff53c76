#include "control/view.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/util.h"

enum { READ_TRIES = 1000, WALK_TRIES = 4 };

static const struct state *
map_state(int fd, struct err *err)
{
	struct stat sb;
	if (fstat(fd, &sb) < 0) {
		err_sys(err, "cannot look at the state");
		return NULL;
	}
	if ((uint64_t)sb.st_size < sizeof(struct state)) {
		err_set(err, ERR_PROTO, "the state has %lld bytes instead of %zu",
		    (long long)sb.st_size, sizeof(struct state));
		return NULL;
	}
	void *p = mmap(NULL, sizeof(struct state), PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err_sys(err, "cannot map the state");
		return NULL;
	}
	const struct state *st = p;
	if (st->head.magic == STATE_MAGIC && st->head.version == STATE_VERSION &&
	    st->head.slot_size == sizeof(struct slot))
		return st;
	munmap(p, sizeof(struct state));
	err_set(err, ERR_PROTO, "the state is of another version");
	return NULL;
}

static void
unmap_state(const struct state *st)
{
	if (st != NULL)
		munmap(unconst(st), sizeof *st);
}

static int
map_all(struct view *v, const int fds[3], struct err *err)
{
	v->st = map_state(fds[0], err);
	if (v->st == NULL)
		return -1;
	if (rows_map(fds[1], &v->rows, err) < 0)
		return -1;
	v->rows_fd = fds[1];
	if (fds[2] < 0)
		return 0;
	if (rows_map(fds[2], &v->old, err) < 0)
		return -1;
	v->old_fd = fds[2];
	return 0;
}

int
view_maps(struct view *v, const int fds[3], uint32_t seq, struct err *err)
{
	struct view new = {.rows_fd = -1, .old_fd = -1, .rows_seq = seq};
	int state_fd = fds[0], rows_fd = fds[1], old_fd = fds[2];
	int ret = map_all(&new, fds, err);
	fd_close(&state_fd); /* the mapping stays */
	if (ret == 0) {
		view_clear(v);
		*v = new;
		return 0;
	}
	if (new.rows_fd < 0)
		fd_close(&rows_fd);
	fd_close(&old_fd);
	view_clear(&new);
	return -1;
}

void
view_clear(struct view *v)
{
	unmap_state(v->st);
	if (v->rows_fd >= 0 && v->st != NULL) {
		rows_unmap(&v->rows);
		fd_close(&v->rows_fd);
	}
	if (v->old_fd >= 0 && v->st != NULL) {
		rows_unmap(&v->old);
		fd_close(&v->old_fd);
	}
	*v = (struct view){.rows_fd = -1, .old_fd = -1};
}

int
view_current(const struct view *v)
{
	return v->st != NULL && __atomic_load_n(&v->st->head.core.rows_seq,
				    __ATOMIC_ACQUIRE) == v->rows_seq;
}

uint32_t
view_used(const struct view *v)
{
	uint32_t n = __atomic_load_n(&v->st->head.core.slots_used, __ATOMIC_RELAXED);
	return MIN(n, (uint32_t)SLOT_MAX);
}

/* state_read_slot with an end: a dead master's slot may be odd until the next one. */
static void
copy_slot(const struct state *st, uint32_t i, struct slot *out)
{
	for (int tries = 0; tries < READ_TRIES; tries++) {
		uint32_t before = __atomic_load_n(&st->slot[i].seq, __ATOMIC_ACQUIRE);
		memcpy(out, &st->slot[i], sizeof *out);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		uint32_t after = __atomic_load_n(&st->slot[i].seq, __ATOMIC_RELAXED);
		if (before == after && (before & 1) == 0)
			return;
	}
}

int
view_slot(const struct view *v, uint32_t i, struct slot *ret)
{
	struct slot s;
	if (i >= view_used(v))
		return -1;
	copy_slot(v->st, i, &s);
	if (s.kind == SLOT_FREE || s.kind >= SLOT_KIND_MAX || s.phase >= PHASE_MAX ||
	    s.child >= CHILD_STATE_MAX)
		return -1;
	if ((s.kind == SLOT_ROOT) != (i == ROOT))
		return -1;
	const struct rows *rows = view_rows(v, &s);
	if (s.kind != SLOT_ROOT && (rows->head == NULL || s.row >= rows->head->nrows))
		return -1;
	*ret = s;
	return 0;
}

const struct rows *
view_rows(const struct view *v, const struct slot *s)
{
	return (s->flags & SF_OLD_ROW) != 0 ? &v->old : &v->rows;
}

const struct row *
view_row(const struct view *v, const struct slot *s)
{
	return s->kind == SLOT_ROOT ? NULL : &view_rows(v, s)->row[s->row];
}

void
view_id(const struct view *v, uint32_t i, char id[ROW_ID_MAX])
{
	struct slot s;
	if (view_slot(v, i, &s) < 0)
		memcpy(id, "?", 2);
	else
		slot_id(view_rows(v, &s), &s, id);
}

uint32_t
view_window(const struct view *v, const struct slot *s, uint64_t now_ms)
{
	const struct row *row = view_row(v, s);
	const uint32_t ring = INTENSITY_MAX + 1;
	if (row == NULL || s->window >= SUPS_MAX)
		return 0;
	const uint64_t *at_ms = v->st->window[s->window].at_ms;
	uint32_t n = 0, most = MIN(s->win_n, ring);
	while (n < most) {
		/* win_head is the newest */
		uint64_t at = at_ms[(s->win_head % ring + ring - n) % ring];
		if (at > now_ms || now_ms - at > row->period_ms)
			break;
		n++;
	}
	return n;
}

/* The next sibling of i, or of its nearest ancestor below `from` that has one. */
static uint32_t
walk_next(const struct view *v, uint32_t i, uint32_t from)
{
	struct slot s;
	for (uint32_t up = 0; up < SLOT_MAX; up++) {
		if (i == from || view_slot(v, i, &s) < 0)
			return SLOT_NONE;
		if (s.next < SLOT_MAX)
			return s.next;
		i = s.parent;
	}
	return SLOT_NONE;
}

static uint32_t
walk_once(const struct view *v, uint32_t from, uint32_t *list)
{
	static uint64_t seen[SLOT_MAX / 64]; /* a torn link must not make a circle */
	uint32_t n = 0, i = from;
	struct slot s;
	memset(seen, 0, sizeof seen);
	while (i < SLOT_MAX && n < SLOT_MAX && view_slot(v, i, &s) == 0) {
		if ((seen[i / 64] >> (i % 64) & 1) != 0)
			break;
		seen[i / 64] |= 1ULL << (i % 64);
		list[n++] = i;
		i = s.kind != SLOT_WORKER && s.first < SLOT_MAX ? s.first
								: walk_next(v, i, from);
	}
	return n;
}

uint32_t
view_walk(const struct view *v, uint32_t from, uint32_t *list)
{
	uint32_t n = 0;
	/* The same number of steps before and after: nothing moved meanwhile. */
	for (int tries = 0; tries < WALK_TRIES; tries++) {
		const uint64_t *steps = &v->st->head.core.nsteps;
		uint64_t before = __atomic_load_n(steps, __ATOMIC_ACQUIRE);
		n = walk_once(v, from, list);
		if (__atomic_load_n(steps, __ATOMIC_ACQUIRE) == before &&
		    __atomic_load_n(&v->st->head.undo_n, __ATOMIC_ACQUIRE) == 0)
			break;
	}
	return n;
}

uint64_t
view_newest(const struct view *v)
{
	return __atomic_load_n(&v->st->head.event_n, __ATOMIC_ACQUIRE);
}

uint64_t
view_oldest(const struct view *v)
{
	/* One place is left out: the master may be writing there. */
	uint64_t n = view_newest(v);
	return n >= EVENT_RING ? n - EVENT_RING + 2 : 1;
}

int
view_event(const struct view *v, uint64_t n, struct event *ret)
{
	if (n == 0 || n > view_newest(v) || n < view_oldest(v))
		return -1;
	memcpy(ret, &v->st->event[n % EVENT_RING], sizeof *ret);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (ret->n != n || n < view_oldest(v) || ret->type >= EVENT_MAX)
		return -1;
	ret->id[ROW_ID_MAX - 1] = '\0';
	return 0;
}

uint64_t
view_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

uint64_t
view_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}
