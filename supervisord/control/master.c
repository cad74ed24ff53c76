#include "control/master.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"
#include "control/call.h"
#include "control/client.h"
#include "control/events.h"

enum { MESSAGES_A_TURN = 64 };

struct queued {
	size_t len;

	union {
		struct msg m;
		struct msg_request request;
	} u;
};

struct master {
	struct control *control;
	int fd;
	ev_io reader, writer;
	struct queued *queue; /* owned ring of MASTER_QUEUE_MAX, made when needed */
	unsigned at, n;
};

/* A packet as it arrives: aligned for every struct. */
union packet {
	struct msg m;
	struct msg_reply reply;
	unsigned char bytes[CHAN_MSG_MAX];
};

static void
channel_ended(struct master *ma, const char *why)
{
	log_info("the channel to the master has ended: %s", why);
	ev_io_stop(ma->control->loop, &ma->reader);
	ev_io_stop(ma->control->loop, &ma->writer);
	ev_break(ma->control->loop, EVBREAK_ALL);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct master *ma = w->data;
	(void)revents;
	while (ma->n > 0) {
		const struct queued *q = &ma->queue[ma->at];
		if (chan_send(ma->fd, &q->u, q->len, NULL, 0) < 0) {
			if (errno != EAGAIN)
				channel_ended(ma, strerrordesc_np(errno));
			return;
		}
		ma->at = (ma->at + 1) % MASTER_QUEUE_MAX;
		ma->n--;
	}
	ev_io_stop(loop, &ma->writer);
}

static int
enqueue(struct master *ma, const void *msg, size_t len)
{
	if (ma->n == MASTER_QUEUE_MAX)
		return -1;
	if (ma->queue == NULL)
		ma->queue = calloc(MASTER_QUEUE_MAX, sizeof *ma->queue);
	must(ma->queue != NULL && len <= sizeof ma->queue->u);
	struct queued *q = &ma->queue[(ma->at + ma->n) % MASTER_QUEUE_MAX];
	q->len = len;
	memcpy(&q->u, msg, len);
	ma->n++;
	ev_io_start(ma->control->loop, &ma->writer);
	return 0;
}

int
master_send(struct master *ma, const void *msg, size_t len)
{
	if (ma == NULL)
		return -1;
	if (ma->n > 0)
		return enqueue(ma, msg, len); /* order is kept */
	if (chan_send(ma->fd, msg, len, NULL, 0) == 0)
		return 0;
	return errno == EAGAIN ? enqueue(ma, msg, len) : -1;
}

static void
new_maps(struct master *ma, const struct msg *m, int *fds, unsigned nfds)
{
	const int maps[3] = {fds[0], fds[1], nfds > 2 ? fds[2] : -1};
	struct err err;
	struct control *c = ma->control;
	int rc = view_maps(&c->view, maps, (uint32_t)m->value, &err);
	for (unsigned i = 0; i < nfds; i++)
		fds[i] = -1; /* taken */
	if (rc < 0) {	     /* nobody sends them again but to a new process */
		log_error("the master's maps cannot be used: %s", err.msg);
		ev_break(c->loop, EVBREAK_ALL);
		return;
	}
	if (clients_listen(c->clients, &err) < 0) {
		log_error("%s", err.msg);
		ev_break(c->loop, EVBREAK_ALL);
		return;
	}
	clients_allow(c->clients);
	calls_maps(c);
	clients_resume(c->clients);
}

static void
take(struct master *ma, const union packet *p, int *fds, unsigned nfds)
{
	switch (p->m.type) {
	case MSG_MAPS:
		new_maps(ma, &p->m, fds, nfds);
		break;
	case MSG_REPLY:
		calls_reply(ma->control, &p->reply, nfds > 0 ? &fds[0] : NULL);
		break;
	case MSG_WAKE:
		events_wake(ma->control);
		break;
	default:
		break;
	}
}

/* One packet.  0 when there is none (any more). */
static int
take_one(struct master *ma)
{
	union packet p;
	int fds[CHAN_FDS];
	unsigned nfds = 0;
	struct err err;
	ssize_t n = chan_recv(ma->fd, &p, sizeof p, fds, &nfds);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		channel_ended(
		    ma, n == 0 ? "the master has gone" : strerrordesc_np(errno));
		return 0;
	}
	int ok = proto_check(&p, (size_t)n, nfds, ROLE_MASTER, ROLE_CONTROL, &err) == 0;
	if (ok)
		take(ma, &p, fds, nfds);
	else
		channel_ended(ma, err.msg);
	for (unsigned i = 0; i < nfds; i++)
		fd_close(&fds[i]);
	return ok;
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	for (int i = 0; i < MESSAGES_A_TURN && take_one(w->data); i++)
		;
}

struct master *
master_new(struct control *c, int fd)
{
	struct master *ma = calloc(1, sizeof *ma);
	const struct msg hello = {.type = MSG_HELLO, .slot = SLOT_NONE};
	must(ma != NULL);
	ma->control = c;
	ma->fd = fd;
	ev_io_init(&ma->reader, on_readable, fd, EV_READ);
	ev_io_init(&ma->writer, on_writable, fd, EV_WRITE);
	ma->reader.data = ma->writer.data = ma;
	ev_io_start(c->loop, &ma->reader);
	/* Of a master that is gone already the reader hears in the loop, which alone
	 * can be broken. */
	(void)master_send(ma, &hello, sizeof hello);
	return ma;
}

void
master_free(struct master **master)
{
	struct master *ma = *master;
	if (ma == NULL)
		return;
	ev_io_stop(ma->control->loop, &ma->reader);
	ev_io_stop(ma->control->loop, &ma->writer);
	fd_close(&ma->fd);
	free(ma->queue);
	free(ma);
	*master = NULL;
}
