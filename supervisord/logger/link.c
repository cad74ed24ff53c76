#include "logger/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"

/* Messages taken in one turn, so that a busy master does not starve the pipes. */
enum { MSGS_A_TURN = 256 };

static void lost(struct link *link);

static void
set_attach(struct link *link, int after_ms)
{
	ev_timer_stop(link->loop, &link->attach);
	ev_timer_set(&link->attach, after_ms / 1e3, 0.);
	ev_timer_start(link->loop, &link->attach);
}

static void
set_claim(struct link *link)
{
	ev_timer_stop(link->loop, &link->claim);
	ev_timer_set(&link->claim, LINK_CLAIM_MS / 1e3, 0.);
	ev_timer_start(link->loop, &link->claim);
}

static void
end(struct link *link)
{
	link->may_end = 1;
	ev_break(link->loop, EVBREAK_ALL);
}

/* --- what the master says -------------------------------------------------------- */

static void
on_add(struct link *link, const void *msg, int *fds)
{
	struct err err;
	int fd = fds[0];
	fds[0] = -1;
	if (feeds_add(link->feeds, msg, fd, &err) < 0)
		log_error("%s", err.msg);
	if (ev_is_active(&link->claim))
		set_claim(link);
}

static void
on_drop(struct link *link, const void *msg, int *fds)
{
	const struct msg *m = msg;
	(void)fds;
	feeds_drop(link->feeds, m->slot, m->gen);
	if (m->slot == 0)
		link->node_ends = 1;
}

static void
on_reopen(struct link *link, const void *msg, int *fds)
{
	(void)msg;
	(void)fds;
	sinks_reopen(&link->feeds->sinks);
}

static void
on_rotate(struct link *link, const void *msg, int *fds)
{
	const struct msg *m = msg;
	(void)fds;
	feeds_rotate(link->feeds, m->slot);
}

static const struct {
	enum msg_type type;
	void (*take)(struct link *link, const void *msg, int *fds);
} orders[] = {
    {MSG_LOG_ADD, on_add},
    {MSG_LOG_DROP, on_drop},
    {MSG_LOG_REOPEN, on_reopen},
    {MSG_LOG_ROTATE, on_rotate},
};

static void
take(struct link *link, const void *msg, size_t len, int *fds, unsigned nfds)
{
	const struct msg *m = msg;
	struct err err;
	if (proto_check(msg, len, nfds, ROLE_MASTER, ROLE_LOGGER, &err) < 0) {
		log_error("message of the master refused: %s", err.msg);
		return;
	}
	for (size_t i = 0; i < COUNT(orders); i++)
		if (orders[i].type == m->type)
			orders[i].take(link, msg, fds);
}

static void
on_in(struct ev_loop *loop, ev_io *w, int events)
{
	struct link *link = w->data;

	union {
		struct msg m;
		char bytes[CHAN_MSG_MAX];
	} buf;

	int fds[CHAN_FDS];
	unsigned nfds;
	(void)loop;
	(void)events;
	for (int i = 0; i < MSGS_A_TURN; i++) {
		ssize_t n = chan_recv(link->chan, &buf, sizeof buf, fds, &nfds);
		if (n < 0 && errno == EAGAIN)
			break;
		/* It closed with something of ours unread; what it sent is there yet. */
		if (n < 0 && errno == ECONNRESET)
			continue;
		if (n < 0 && errno == EMSGSIZE) {
			log_error(
			    "a message of the master could not be received whole: "
			    "too long, or no descriptors left");
			continue;
		}
		if (n <= 0) {
			lost(link);
			break;
		}
		take(link, &buf, (size_t)n, fds, nfds);
		for (unsigned k = 0; k < nfds; k++)
			fd_close(&fds[k]);
	}
	if (!link->may_end)
		link->changed(link->arg);
}

/* --- attaching ------------------------------------------------------------------- */

static int
say_hello(const struct link *link)
{
	struct msg hello = {.type = MSG_HELLO, .slot = FEED_NO_SLOT};
	return chan_send(link->chan, &hello, sizeof hello, NULL, 0);
}

static int
say_have(const struct link *link, const struct feed *f)
{
	struct msg_log_have have = {
	    .m = {.type = MSG_LOG_HAVE, .slot = f->slot, .gen = f->gen}, .ino = f->ino};
	(void)memccpy(have.id, f->id, '\0', sizeof have.id - 1);
	return chan_send(link->chan, &have, sizeof have, &f->fd, 1);
}

/* Tells of as many pipes as the channel takes; on_out goes on. */
static void
tell(struct link *link)
{
	while (link->feeds->tell != NULL) {
		struct feed *f = link->feeds->tell;
		int skip = (f->flags & (FEED_UNTOLD | FEED_DROP)) != FEED_UNTOLD;
		/* ETOOMANYREFS: the kernel's own limit of descriptors on their way */
		if (!skip && say_have(link, f) < 0) {
			if (errno == EAGAIN)
				ev_io_start(link->loop, &link->out);
			else if (errno == ETOOMANYREFS)
				set_attach(link, LINK_TRY_MS);
			else /* closed; on_in reads its last words, then it is lost */
				link->feeds->tell = NULL;
			return;
		}
		f->flags &= ~(unsigned)FEED_UNTOLD;
		link->feeds->tell = TAILQ_NEXT(f, all);
		set_claim(link);
	}
	ev_io_stop(link->loop, &link->out);
}

static void
on_out(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	tell(w->data);
}

static void
watch_channel(struct link *link)
{
	(void)fd_nonblock(link->chan);
	ev_io_set(&link->in, link->chan, EV_READ);
	ev_io_set(&link->out, link->chan, EV_WRITE);
	ev_io_start(link->loop, &link->in);
}

/* The master died, or ended cleanly after it took all pipes from us. */
static void
lost(struct link *link)
{
	ev_io_stop(link->loop, &link->in);
	ev_io_stop(link->loop, &link->out);
	ev_timer_stop(link->loop, &link->claim);
	fd_close(&link->chan);
	link->feeds->tell = NULL;
	if (link->node_ends)
		feeds_drop_unclaimed(link->feeds); /* slots that went unheard of */
	if (link->node_ends || link->feeds->n == 0 || !link->feeds->going) {
		end(link);
		return;
	}
	feeds_disown(link->feeds);
	link->lost_s = ev_now(link->loop);
	set_attach(link, LINK_TRY_MS);
}

static void
nobody_there(struct link *link)
{
	double alone_ms = (ev_now(link->loop) - link->lost_s) * 1e3;
	int long_ago = alone_ms >= LINK_ALONE_MS;
	if (long_ago && link->feeds->nopen == 0)
		end(link);
	else
		set_attach(link, long_ago ? LINK_SLOW_MS : LINK_TRY_MS);
}

static void
on_attach(struct ev_loop *loop, ev_timer *w, int events)
{
	struct link *link = w->data;
	struct err err;
	(void)loop;
	(void)events;
	if (link->chan >= 0) { /* only to go on telling */
		tell(link);
		return;
	}
	link->chan = fd_unix_connect(
	    link->run, "attach.sock", SOCK_SEQPACKET | SOCK_NONBLOCK, &err);
	if (link->chan < 0) {
		nobody_there(link);
		return;
	}
	watch_channel(link);
	if (say_hello(link) < 0) {
		lost(link);
		return;
	}
	link->feeds->tell = TAILQ_FIRST(&link->feeds->all);
	set_claim(link);
	tell(link);
}

static void
on_claim(struct ev_loop *loop, ev_timer *w, int events)
{
	struct link *link = w->data;
	(void)loop;
	(void)events;
	link->feeds->tell = NULL;
	feeds_drop_unclaimed(link->feeds);
	link->changed(link->arg);
}

void
link_open(struct link *link, int chan)
{
	link->chan = chan;
	ev_init(&link->in, on_in);
	ev_init(&link->out, on_out);
	ev_init(&link->attach, on_attach);
	ev_init(&link->claim, on_claim);
	link->in.data = link->out.data = link;
	link->attach.data = link->claim.data = link;
	watch_channel(link);
	/* Of a master that is gone already, the orders it left are read all the same. */
	(void)say_hello(link);
}

void
link_close(struct link *link)
{
	ev_io_stop(link->loop, &link->in);
	ev_io_stop(link->loop, &link->out);
	ev_timer_stop(link->loop, &link->attach);
	ev_timer_stop(link->loop, &link->claim);
	fd_close(&link->chan);
	fd_close(&link->run);
}
