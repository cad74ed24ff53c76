#include "probe/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"

enum { SLOTS_MAX = 1 << 15, MSGS_A_TURN = 256 };

static void on_orders(void *arg);

/* The place of a slot, made if need be. */
static struct probe_slot *
slot_at(struct probe *pb, uint32_t slot)
{
	if (slot >= SLOTS_MAX)
		return NULL;
	if (slot >= pb->nslots) {
		uint32_t n = MIN(MAX(slot + 1, pb->nslots * 2), (uint32_t)SLOTS_MAX);
		struct probe_slot *more = realloc(pb->slot, n * sizeof *more);
		if (more == NULL)
			fatal("out of memory");
		memset(more + pb->nslots, 0, (n - pb->nslots) * sizeof *more);
		pb->slot = more;
		pb->nslots = n;
	}
	return &pb->slot[slot];
}

static void
on_check_done(struct check *c, int ready, void *arg)
{
	struct probe *pb = arg;
	struct msg_fact fact = {.m = {.type = MSG_FACT, .slot = c->slot, .gen = c->gen},
	    .fact = FACT_READY};
	if (ready)
		facts_put(&pb->facts, &fact);
	check_free(&pb->slot[c->slot].check);
}

static void
drop_check(struct probe_slot *at, uint32_t gen)
{
	if (at->check != NULL && (gen == 0 || at->check->gen == gen))
		check_free(&at->check);
}

/* --- orders ------------------------------------------------------------------------ */

static void
on_notify(struct probe *pb, struct probe_slot *at, const void *msg, int *fd)
{
	const struct msg_probe *m = msg;
	if (*fd >= 0) {
		notify_free(&at->notify);
		at->notify = notify_new(pb->loop, &pb->facts, *fd);
		*fd = -1;
		if (at->notify != NULL) {
			at->notify->orders = on_orders;
			at->notify->arg = pb;
			notify_pause(at->notify, pb->paused);
		}
	}
	if (at->notify == NULL) {
		log_error(
		    "slot %u gen %u: the master speaks of a notify socket that it "
		    "never sent",
		    m->m.slot, m->m.gen);
		return;
	}
	at->notify->slot = m->m.slot;
	at->notify->gen = m->m.gen;
	at->notify->pid = m->pid;
	notify_again(at->notify);
}

static void
on_tcp(struct probe *pb, struct probe_slot *at, const void *msg, int *fd)
{
	struct err err;
	(void)fd;
	drop_check(at, 0);
	at->check = check_new_tcp(pb->loop, msg, on_check_done, pb, &err);
	if (at->check == NULL)
		log_error("%s", err.msg);
}

static void
on_fd(struct probe *pb, struct probe_slot *at, const void *msg, int *fd)
{
	struct err err;
	drop_check(at, 0);
	at->check = check_new_fd(pb->loop, msg, *fd, on_check_done, pb, &err);
	*fd = -1;
	if (at->check == NULL)
		log_error("%s", err.msg);
}

static void
on_drop(struct probe *pb, struct probe_slot *at, const void *msg, int *fd)
{
	const struct msg *m = msg;
	(void)fd;
	drop_check(at, m->gen);
	if (m->gen != 0)
		return;
	notify_free(&at->notify);
	facts_forget(&pb->facts, m->slot);
}

static void
on_heard(struct probe *pb, struct probe_slot *at, const void *msg, int *fd)
{
	const struct msg *m = msg;
	(void)pb;
	(void)fd;
	if (at->notify != NULL)
		notify_heard(at->notify, m->ref);
}

static const struct {
	enum msg_type type;
	void (*take)(struct probe *pb, struct probe_slot *at, const void *msg, int *fd);
} orders[] = {
    {MSG_PROBE_NOTIFY, on_notify},
    {MSG_PROBE_TCP, on_tcp},
    {MSG_PROBE_FD, on_fd},
    {MSG_PROBE_DROP, on_drop},
    {MSG_PROBE_HEARD, on_heard},
};

static void
take(struct probe *pb, const void *msg, size_t len, int *fds, unsigned nfds)
{
	const struct msg *m = msg;
	struct err err;
	int none = -1;
	if (proto_check(msg, len, nfds, ROLE_MASTER, ROLE_PROBE, &err) < 0) {
		log_error("message of the master refused: %s", err.msg);
		return;
	}
	struct probe_slot *at = slot_at(pb, m->slot);
	if (at == NULL) {
		log_error("message of the master refused: slot %u", m->slot);
		return;
	}
	for (size_t i = 0; i < COUNT(orders); i++)
		if (orders[i].type == m->type)
			orders[i].take(pb, at, msg, nfds > 0 ? &fds[0] : &none);
}

static void
end(struct probe *pb)
{
	pb->ended = 1;
	ev_break(pb->loop, EVBREAK_ALL);
}

/* Takes what the master has sent; 1: there may be more. */
static int
take_orders(struct probe *pb)
{
	union {
		struct msg m;
		char bytes[CHAN_MSG_MAX];
	} buf;

	int fds[CHAN_FDS];
	unsigned nfds;
	for (int i = 0; i < MSGS_A_TURN; i++) {
		ssize_t n = chan_recv(pb->chan, &buf, sizeof buf, fds, &nfds);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == EMSGSIZE) {
			log_error(
			    "a message of the master could not be received whole: "
			    "too long, or no descriptors left");
			continue;
		}
		if (n <= 0) {
			end(pb);
			return 0;
		}
		take(pb, &buf, (size_t)n, fds, nfds);
		for (unsigned k = 0; k < nfds; k++)
			fd_close(&fds[k]);
	}
	return 1;
}

static void
on_in(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	(void)take_orders(w->data);
}

static void
on_orders(void *arg)
{
	while (take_orders(arg))
		continue;
}

/* --- a slow master ------------------------------------------------------------------- */

static void
pause_all(struct probe *pb, int pause)
{
	if (pb->paused == pause)
		return;
	pb->paused = pause;
	for (uint32_t i = 0; i < pb->nslots; i++)
		if (pb->slot[i].notify != NULL)
			notify_pause(pb->slot[i].notify, pause);
}

static void
on_prepare(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct probe *pb = w->data;
	(void)loop;
	(void)events;
	if (facts_full(&pb->facts))
		pause_all(pb, 1);
}

static void
on_room(void *arg)
{
	pause_all(arg, 0);
}

static void
on_never(struct ev_loop *loop, ev_periodic *w, int events)
{
	(void)loop;
	(void)w;
	(void)events;
}

static void
set_watchers(struct probe *pb)
{
	ev_io_init(&pb->in, on_in, pb->chan, EV_READ);
	ev_prepare_init(&pb->pause, on_prepare);
	/* A loop without a periodic wakes every 59.7 s. */
	ev_periodic_init(&pb->never, on_never, 1e11, 0., NULL);
	pb->in.data = pb->pause.data = pb;
	ev_io_start(pb->loop, &pb->in);
	ev_prepare_start(pb->loop, &pb->pause);
	ev_periodic_start(pb->loop, &pb->never);
}

int
probe_run(int chan, struct err *err)
{
	struct probe pb = {.chan = chan, .loop = ev_loop_new(EVFLAG_AUTO)};
	struct msg hello = {.type = MSG_HELLO, .slot = ROW_NONE};
	if (pb.loop == NULL)
		return err_set(err, ERR_FAILED, "cannot make an event loop");
	(void)fd_nonblock(chan);
	facts_open(&pb.facts, pb.loop, chan);
	pb.facts.room = on_room;
	pb.facts.arg = &pb;
	set_watchers(&pb);
	/* A master that is gone already shows at the first read. */
	(void)chan_send(chan, &hello, sizeof hello, NULL, 0);
	ev_run(pb.loop, 0);
	for (uint32_t i = 0; i < pb.nslots; i++) {
		notify_free(&pb.slot[i].notify);
		check_free(&pb.slot[i].check);
	}
	free(pb.slot);
	facts_close(&pb.facts);
	ev_loop_destroy(pb.loop);
	return 0;
}
