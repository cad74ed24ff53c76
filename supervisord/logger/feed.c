#include "logger/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "state/state.h"

enum { EVENTS = 256 };

_Static_assert(
    (unsigned)FEED_NO_SLOT == (unsigned)SLOT_NONE, "no slot is no slot everywhere");

int
feeds_open(struct feeds *fs, int logdir, unsigned max_open, struct err *err)
{
	memset(fs, 0, sizeof *fs);
	TAILQ_INIT(&fs->all);
	TAILQ_INIT(&fs->run);
	TAILQ_INIT(&fs->held);
	fs->tap = (struct tap){.in = -1, .out = -1};
	fs->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (fs->epoll < 0)
		return err_sys(err, "cannot make an epoll descriptor");
	if (tap_open(&fs->tap, err) < 0) {
		fd_close(&fs->epoll);
		return -1;
	}
	sinks_init(&fs->sinks, logdir, max_open);
	sinks_now(&fs->sinks);
	return 0;
}

/* --- lists ----------------------------------------------------------------------- */

static void
run_add(struct feeds *fs, struct feed *f)
{
	if ((f->flags & FEED_RUN) != 0)
		return;
	f->flags |= FEED_RUN;
	TAILQ_INSERT_TAIL(&fs->run, f, run);
}

static void
run_remove(struct feeds *fs, struct feed *f)
{
	if ((f->flags & FEED_RUN) != 0)
		TAILQ_REMOVE(&fs->run, f, run);
	f->flags &= ~(unsigned)FEED_RUN;
}

static void
unhold(struct feeds *fs, struct feed *f)
{
	if ((f->flags & FEED_HELD) != 0)
		TAILQ_REMOVE(&fs->held, f, held);
	f->flags &= ~(unsigned)FEED_HELD;
}

/* The list is in order of time, since each comes to its end with the time of now. */
static void
hold(struct feeds *fs, struct feed *f)
{
	if ((f->flags & FEED_HELD) != 0)
		return;
	f->flags |= FEED_HELD;
	f->held_ms = fs->sinks.steady_ms;
	TAILQ_INSERT_TAIL(&fs->held, f, held);
}

/* --- reading --------------------------------------------------------------------- */

static int
is_node(const struct feed *f)
{
	return strcmp(f->id, "node") == 0;
}

static void
at_end(struct feeds *fs, struct feed *f)
{
	if ((f->flags & FEED_EOF) != 0)
		return;
	f->flags |= FEED_EOF;
	(void)epoll_ctl(fs->epoll, EPOLL_CTL_DEL, f->fd, NULL);
	if (!is_node(f))
		fs->nopen--;
}

/* What of a chunk is written now: whole lines, unless a piece waited long enough. */
static size_t
ripe(const char *chunk, size_t n, int pieces)
{
	size_t whole = lines_whole(chunk, n);
	if (pieces || (whole == 0 && n >= FEED_HOLD_BYTES))
		return n;
	return whole;
}

/*
 * Moves up to `budget` bytes from the pipe to the file.  1: more may be there, 0: the
 * pipe is empty, at its end, or holds a piece of a line only.
 */
static int
pump(struct feeds *fs, struct feed *f, size_t budget, int pieces)
{
	size_t moved = 0;
	while (moved < budget) {
		ssize_t n = tap_peek(&fs->tap, f->fd);
		if (n <= 0) {
			unhold(fs, f);
			if (n == 0)
				at_end(fs, f);
			else if (errno != EAGAIN)
				hold(fs, f); /* out of memory: try again soon */
			return 0;
		}
		size_t take = ripe(fs->tap.chunk, (size_t)n, pieces);
		if (take == 0) {
			hold(fs, f);
			return 0;
		}
		sink_write(&fs->sinks, &f->sink, fs->tap.chunk, take, (size_t)n);
		if (is_node(f) && fs->term != NULL)
			term_write(fs->term, fs->tap.chunk, take);
		unhold(fs, f);
		if (tap_take(&fs->tap, f->fd, take) < 0) {
			at_end(fs, f);
			return 0;
		}
		moved += take;
	}
	return 1;
}

int
feeds_turn(struct feeds *fs)
{
	struct epoll_event events[EVENTS];
	struct feed *last, *f = NULL;
	int n = epoll_wait(fs->epoll, events, EVENTS, 0);
	sinks_now(&fs->sinks);
	for (int i = 0; i < n; i++)
		run_add(fs, events[i].data.ptr);
	last = TAILQ_LAST(&fs->run, feed_list);
	while (f != last) {
		f = TAILQ_FIRST(&fs->run);
		run_remove(fs, f);
		if (pump(fs, f, FEED_TURN_BYTES, 0))
			run_add(fs, f);
	}
	return n == EVENTS || !TAILQ_EMPTY(&fs->run);
}

int64_t
feeds_hold_ms(struct feeds *fs)
{
	const struct feed *f = TAILQ_FIRST(&fs->held);
	if (f == NULL)
		return -1;
	int64_t left = f->held_ms + FEED_HOLD_MS - fs->sinks.steady_ms;
	return MAX(left, 1);
}

void
feeds_expire(struct feeds *fs)
{
	struct feed *f;
	sinks_now(&fs->sinks);
	while ((f = TAILQ_FIRST(&fs->held)) != NULL &&
	       f->held_ms + FEED_HOLD_MS <= fs->sinks.steady_ms) {
		unhold(fs, f);
		if (pump(fs, f, TAP_CHUNK, 1))
			run_add(fs, f);
	}
}

/* --- coming and going -------------------------------------------------------------- */

static struct feed *
find(const struct feeds *fs, uint32_t slot)
{
	struct feed *f;
	if (slot < SLOT_MAX)
		return slot < fs->nslots ? fs->by_slot[slot] : NULL;
	TAILQ_FOREACH(f, &fs->all, all)
	if (f->slot == slot)
		return f;
	return NULL;
}

static int
set_slot(struct feeds *fs, struct feed *f, uint32_t slot)
{
	if (f->slot < fs->nslots && fs->by_slot[f->slot] == f)
		fs->by_slot[f->slot] = NULL;
	f->slot = slot;
	if (slot >= SLOT_MAX)
		return 0;
	if (slot >= fs->nslots) {
		uint32_t n = MIN(MAX(slot + 1, fs->nslots * 2), (uint32_t)SLOT_MAX);
		/* an array of pointers: NOLINTBEGIN(bugprone-sizeof-expression) */
		struct feed **more = realloc(fs->by_slot, n * sizeof *more);
		if (more == NULL)
			return -1;
		memset(more + fs->nslots, 0, (n - fs->nslots) * sizeof *more);
		/* NOLINTEND(bugprone-sizeof-expression) */
		fs->by_slot = more;
		fs->nslots = n;
	}
	fs->by_slot[slot] = f;
	return 0;
}

static void
feed_free(struct feeds *fs, struct feed **fp)
{
	struct feed *f = *fp;
	*fp = NULL;
	if (fs->tell == f)
		fs->tell = TAILQ_NEXT(f, all);
	at_end(fs, f);
	run_remove(fs, f);
	unhold(fs, f);
	(void)set_slot(fs, f, FEED_NO_SLOT);
	sink_close(&fs->sinks, &f->sink);
	TAILQ_REMOVE(&fs->all, f, all);
	fs->n--;
	fd_close(&f->fd);
	free(f);
}

/* What is in the pipe now, no more: others may go on writing. */
static void
drain(struct feeds *fs, struct feed *f)
{
	int left = 0;
	if ((f->flags & FEED_EOF) == 0 && ioctl(f->fd, FIONREAD, &left) == 0 &&
	    left > 0)
		(void)pump(fs, f, (size_t)left, 1);
}

static void
drop(struct feeds *fs, struct feed *f)
{
	if (!fs->going) {
		f->flags |= FEED_DROP;
		return;
	}
	drain(fs, f);
	feed_free(fs, &f);
}

static void
watch(struct feeds *fs, struct feed *f)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.ptr = f};
	if (epoll_ctl(fs->epoll, EPOLL_CTL_ADD, f->fd, &ev) < 0 && errno != EEXIST)
		log_error("worker %s: cannot watch its log pipe: %s", f->id,
		    strerrordesc_np(errno));
}

/* Old files that an earlier logger did not come to compress; what it left half done. */
static void
look_at_old_files(struct feeds *fs, struct feed *f)
{
	struct names names;
	if (names_open(fs->sinks.dir, f->id, &names) < 0)
		return;
	names_clean(&names);
	if ((f->sink.flags & SINK_ZSTD) != 0 && names_plain(&names, f->sink.keep) > 0)
		sink_pack(&fs->sinks, &f->sink);
	names_close(&names);
}

static void
set_limits(struct feed *f, const struct msg_log_add *add)
{
	struct sink *s = &f->sink;
	s->max_bytes = add->max_bytes;
	s->max_age_ms = add->max_age_ms;
	s->keep = add->keep;
	s->flags &= ~(unsigned)(SINK_STAMP | SINK_ZSTD);
	s->flags |= add->flags & (SINK_STAMP | SINK_ZSTD);
	f->gen = add->m.gen;
	f->flags &= ~(unsigned)(FEED_UNCLAIMED | FEED_DROP);
}

/* The pipe of this message if it is here already; the id never changes for a pipe. */
static struct feed *
find_same(struct feeds *fs, const struct msg_log_add *add)
{
	struct feed *f = find(fs, add->m.slot);
	if (f != NULL && f->ino == add->ino && strcmp(f->id, add->id) == 0)
		return f;
	if (!fs->disowned)
		return NULL;
	TAILQ_FOREACH(f, &fs->all, all)
	if ((f->flags & FEED_UNCLAIMED) != 0 && f->ino == add->ino &&
	    strcmp(f->id, add->id) == 0)
		return f;
	return NULL;
}

/* Two pipes never write into one file: what had the slot or the id is read empty. */
static void
make_way(struct feeds *fs, const struct msg_log_add *add, const struct feed *same)
{
	struct feed *f = find(fs, add->m.slot), *next;
	if (f != NULL && f != same && (f->flags & FEED_UNCLAIMED) != 0)
		(void)set_slot(fs, f, FEED_GHOST); /* it may be claimed elsewhere */
	else if (f != NULL && f != same)
		drop(fs, f);
	if (same != NULL || !fs->disowned)
		return;
	for (f = TAILQ_FIRST(&fs->all); f != NULL; f = next) {
		next = TAILQ_NEXT(f, all);
		if ((f->flags & FEED_UNCLAIMED) != 0 && strcmp(f->id, add->id) == 0)
			drop(fs, f);
	}
}

static struct feed *
feed_new(struct feeds *fs, const struct msg_log_add *add, int fd)
{
	size_t len = strlen(add->id) + 1;
	struct feed *f = calloc(1, sizeof *f + len);
	if (f == NULL)
		return NULL;
	memcpy(f->id, add->id, len);
	sink_init(&f->sink, f->id);
	f->slot = FEED_NO_SLOT;
	if (set_slot(fs, f, add->m.slot) < 0) {
		free(f);
		return NULL;
	}
	f->ino = add->ino;
	f->fd = fd;
	TAILQ_INSERT_TAIL(&fs->all, f, all);
	fs->n++;
	if (!is_node(f))
		fs->nopen++;
	return f;
}

/* A new pipe, or one whose end of stream may be over. */
static void
begin(struct feeds *fs, struct feed *f)
{
	if ((f->flags & FEED_EOF) != 0 && !is_node(f))
		fs->nopen++;
	f->flags &= ~(unsigned)FEED_EOF;
	if (!fs->going)
		return;
	if ((f->flags & FEED_LOOKED) == 0)
		look_at_old_files(fs, f);
	f->flags |= FEED_LOOKED;
	watch(fs, f);
}

int
feeds_add(struct feeds *fs, const struct msg_log_add *add, int fd, struct err *err)
{
	if (!names_id_ok(add->id)) {
		fd_close(&fd);
		return err_set(err, ERR_PROTO, "no log for the id '%s'", add->id);
	}
	sinks_now(&fs->sinks);
	struct feed *f = find_same(fs, add);
	make_way(fs, add, f);
	if (f != NULL) {
		fd_close(&fd);
		if (set_slot(fs, f, add->m.slot) < 0)
			return err_set(err, ERR_FAILED, "out of memory");
	} else {
		(void)fd_nonblock(fd);
		f = feed_new(fs, add, fd);
		if (f == NULL) {
			fd_close(&fd);
			return err_set(err, ERR_FAILED, "out of memory");
		}
	}
	set_limits(f, add);
	begin(fs, f);
	return 0;
}

void
feeds_drop(struct feeds *fs, uint32_t slot, uint32_t gen)
{
	struct feed *f = find(fs, slot);
	sinks_now(&fs->sinks);
	if (f != NULL && (gen == 0 || f->gen == 0 || gen == f->gen))
		drop(fs, f);
}

static void
drop_flagged(struct feeds *fs, uint32_t flag)
{
	struct feed *f, *next;
	sinks_now(&fs->sinks);
	for (f = TAILQ_FIRST(&fs->all); f != NULL; f = next) {
		next = TAILQ_NEXT(f, all);
		if ((f->flags & flag) != 0)
			drop(fs, f);
	}
}

void
feeds_drop_unclaimed(struct feeds *fs)
{
	drop_flagged(fs, FEED_UNCLAIMED);
	fs->disowned = 0;
}

void
feeds_disown(struct feeds *fs)
{
	struct feed *f;
	fs->disowned = 1;
	TAILQ_FOREACH(f, &fs->all, all)
	f->flags |= FEED_UNCLAIMED | FEED_UNTOLD;
}

void
feeds_rotate(struct feeds *fs, uint32_t slot)
{
	struct feed *f;
	sinks_now(&fs->sinks);
	TAILQ_FOREACH(f, &fs->all, all)
	if (slot == FEED_NO_SLOT || f->slot == slot)
		sink_rotate(&fs->sinks, &f->sink);
}

void
feeds_go(struct feeds *fs)
{
	struct feed *f;
	fs->going = 1;
	drop_flagged(fs, FEED_DROP);
	TAILQ_FOREACH(f, &fs->all, all)
	begin(fs, f);
}

void
feeds_close(struct feeds *fs)
{
	struct feed *f;
	while ((f = TAILQ_FIRST(&fs->all)) != NULL)
		feed_free(fs, &f);
	free(fs->by_slot);
	fs->by_slot = NULL;
	tap_close(&fs->tap);
	fd_close(&fs->epoll);
}
