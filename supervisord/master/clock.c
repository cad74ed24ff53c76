#include "master/node.h"

#include "base/clock.h"

/* Once at the beginning of each callback: all of a turn sees one time. */
void
clock_read(struct node *n)
{
	n->tree.now_ms = clock_ms(CLOCK_MONOTONIC);
	n->tree.real_ms = clock_ms(CLOCK_REALTIME);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct node *n = w->data;
	uint32_t slot = (uint32_t)(w - n->timer);
	clock_read(n);
	n->io[slot].timer_on = 0;
	feed_slot(n, IN_TIMER, slot, 0);
	timer_set(n, slot); /* a wake-up that came a little early */
}

/* Arms the timer of a slot for what the tree wants, or takes it down. */
void
timer_set(struct node *n, uint32_t slot)
{
	const struct slot *s = slot_at(n, slot);
	ev_timer *w = &n->timer[slot];
	uint64_t at = s->timer_ms;
	if (s->watchdog_ms != 0 && (at == 0 || s->watchdog_ms < at))
		at = s->watchdog_ms;
	if (n->io[slot].timer_on)
		ev_timer_stop(n->loop, w);
	n->io[slot].timer_on = 0;
	if (at == 0 || s->kind == SLOT_FREE)
		return;
	uint64_t now = clock_ms(CLOCK_MONOTONIC);
	double after = at > now ? (double)(at - now) / 1000.0 + 0.0005 : 0.;
	ev_now_update(n->loop);
	ev_timer_init(w, on_timer, after, 0.);
	w->data = n;
	ev_timer_start(n->loop, w);
	n->io[slot].timer_on = 1;
}

static void
on_far(struct ev_loop *loop, ev_periodic *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

/* libev looks at the wall clock every minute unless a periodic is armed. */
void
clock_init(struct node *n)
{
	ev_periodic_init(&n->far, on_far, ev_time() + 3e8, 0., NULL);
	ev_periodic_start(n->loop, &n->far);
	clock_read(n);
}
