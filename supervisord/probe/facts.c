#include "probe/facts.h"

#include <errno.h>
#include <stdlib.h>

#include "base/chan.h"
#include "base/log.h"

struct fact_wait {
	TAILQ_ENTRY(fact_wait) link;
	struct msg_fact fact;
};

static void
drop(struct facts *fs, struct fact_wait *w)
{
	TAILQ_REMOVE(&fs->list, w, link);
	fs->n--;
	free(w);
}

/* A channel that is broken in another way is at its end; who reads it sees that. */
static int
say(const struct facts *fs, const struct msg_fact *fact)
{
	return chan_send(fs->chan, fact, sizeof *fact, NULL, 0);
}

static void
on_out(struct ev_loop *loop, ev_io *io, int events)
{
	struct facts *fs = io->data;
	struct fact_wait *w;
	int was_full = facts_full(fs);
	(void)events;
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it cannot see that the head moves on */
	while ((w = TAILQ_FIRST(&fs->list)) != NULL) {
		if (say(fs, &w->fact) < 0 && errno == EAGAIN)
			break;
		drop(fs, w);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	if (TAILQ_EMPTY(&fs->list))
		ev_io_stop(loop, io);
	if (was_full && !facts_full(fs))
		fs->room(fs->arg);
}

static void
forget_older(struct facts *fs, const struct msg_fact *fact)
{
	struct fact_wait *w;
	TAILQ_FOREACH(w, &fs->list, link)
	{
		/* cppcheck-suppress uninitvar */
		if (w->fact.m.slot != fact->m.slot || w->fact.m.gen != fact->m.gen ||
		    w->fact.fact != fact->fact || w->fact.sender != fact->sender)
			continue;
		drop(fs, w);
		return;
	}
}

void
facts_put(struct facts *fs, const struct msg_fact *fact)
{
	if (TAILQ_EMPTY(&fs->list) && (say(fs, fact) == 0 || errno != EAGAIN))
		return;
	forget_older(fs, fact);
	struct fact_wait *w = malloc(sizeof *w);
	if (w == NULL)
		fatal("out of memory");
	w->fact = *fact;
	TAILQ_INSERT_TAIL(&fs->list, w, link);
	fs->n++;
	ev_io_start(fs->loop, &fs->out);
}

int
facts_full(const struct facts *fs)
{
	return fs->n >= FACTS_MAX;
}

void
facts_forget(struct facts *fs, uint32_t slot)
{
	struct fact_wait *next;
	for (struct fact_wait *w = TAILQ_FIRST(&fs->list); w != NULL; w = next) {
		next = TAILQ_NEXT(w, link);
		if (w->fact.m.slot == slot)
			drop(fs, w);
	}
}

void
facts_open(struct facts *fs, struct ev_loop *loop, int chan)
{
	*fs = (struct facts){.loop = loop, .chan = chan};
	TAILQ_INIT(&fs->list);
	ev_io_init(&fs->out, on_out, chan, EV_WRITE);
	fs->out.data = fs;
}

void
facts_close(struct facts *fs)
{
	struct fact_wait *w;
	ev_io_stop(fs->loop, &fs->out);
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((w = TAILQ_FIRST(&fs->list)) != NULL)
		drop(fs, w);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}
