#include "logger/logger.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"

static void
set_timer(struct logger *lg, ev_timer *timer, int64_t after_ms)
{
	if (after_ms < 0) {
		ev_timer_stop(lg->loop, timer);
	} else if (!ev_is_active(timer)) {
		ev_timer_set(timer, (double)after_ms / 1e3, 0.);
		ev_timer_start(lg->loop, timer);
	}
}

/* Arms what the state of things asks for; called at the end of each callback. */
static void
settle(struct logger *lg)
{
	set_timer(lg, &lg->hold, feeds_hold_ms(&lg->feeds));
	int lost = !TAILQ_EMPTY(&lg->feeds.sinks.lost);
	set_timer(lg, &lg->retry, lost ? SINK_RETRY_MS : -1);
	squeeze_next(&lg->squeeze);
	if (!TAILQ_EMPTY(&lg->feeds.run))
		ev_idle_start(lg->loop, &lg->more);
}

static void
turn(struct logger *lg)
{
	if (feeds_turn(&lg->feeds))
		ev_idle_start(lg->loop, &lg->more);
	else
		ev_idle_stop(lg->loop, &lg->more);
	settle(lg);
}

static void
on_ready(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	turn(w->data);
}

static void
on_more(struct ev_loop *loop, ev_idle *w, int events)
{
	(void)loop;
	(void)events;
	turn(w->data);
}

static void
on_hold(struct ev_loop *loop, ev_timer *w, int events)
{
	struct logger *lg = w->data;
	(void)loop;
	(void)events;
	feeds_expire(&lg->feeds);
	settle(lg);
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int events)
{
	struct logger *lg = w->data;
	(void)loop;
	(void)events;
	sinks_now(&lg->feeds.sinks);
	sinks_retry(&lg->feeds.sinks);
	settle(lg);
}

static void
on_changed(void *arg)
{
	settle(arg);
}

static void
on_never(struct ev_loop *loop, ev_periodic *w, int events)
{
	(void)loop;
	(void)w;
	(void)events;
}

/* Only who holds the lock reads: an earlier logger may have a chunk in its hands. */
static void
try_lock(struct logger *lg)
{
	if (flock(lg->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			log_error("cannot lock the log directory: %s",
			    strerrordesc_np(errno));
		set_timer(lg, &lg->lock_try, LOCK_TRY_MS);
		return;
	}
	feeds_go(&lg->feeds);
	ev_io_start(lg->loop, &lg->ready);
	settle(lg);
}

static void
on_lock_try(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	try_lock(w->data);
}

static void
set_watchers(struct logger *lg)
{
	ev_io_init(&lg->ready, on_ready, lg->feeds.epoll, EV_READ);
	ev_idle_init(&lg->more, on_more);
	ev_init(&lg->hold, on_hold);
	ev_init(&lg->retry, on_retry);
	ev_init(&lg->lock_try, on_lock_try);
	lg->ready.data = lg->more.data = lg;
	lg->hold.data = lg->retry.data = lg->lock_try.data = lg;
	/* A loop without a periodic wakes every 59.7 s. */
	ev_periodic_init(&lg->never, on_never, 1e11, 0., NULL);
	ev_periodic_start(lg->loop, &lg->never);
}

int
logger_run(const struct logger_fds *fds, unsigned max_open, struct err *err)
{
	static struct logger
	    logger; /* half a page of watchers, two chunks of scratch */
	struct logger *lg = &logger;
	lg->lock = fds->lock;
	lg->loop = ev_loop_new(EVFLAG_AUTO);
	if (lg->loop == NULL)
		return err_set(err, ERR_FAILED, "cannot make an event loop");
	if (feeds_open(&lg->feeds, fds->dir, max_open, err) < 0)
		return -1;
	lg->term = fds->term;
	lg->feeds.term = &lg->term;
	set_watchers(lg);
	squeeze_open(&lg->squeeze, lg->loop, &lg->feeds.sinks);
	lg->link = (struct link){.loop = lg->loop,
	    .feeds = &lg->feeds,
	    .run = fds->run,
	    .changed = on_changed,
	    .arg = lg};
	try_lock(lg);
	link_open(&lg->link, fds->chan);
	if (!lg->link.may_end)
		ev_run(lg->loop, 0);
	link_close(&lg->link);
	squeeze_close(&lg->squeeze);
	feeds_close(&lg->feeds);
	ev_loop_destroy(lg->loop);
	return 0;
}
