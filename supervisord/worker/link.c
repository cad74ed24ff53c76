/*
 * The connection to the master, over run/attach.sock; see lib/proto/swap.h.  Without it the
 * worker works as ever; it is made anew whenever the master is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"
#include "worker/worker.h"

static const double again_s = 0.02;

void
link_say(struct steward_worker *w, uint32_t type, uint32_t txn, uint64_t value,
    const char *text)
{
	struct swap_msg m = {.type = type, .txn = txn, .value = value};
	(void)snprintf(m.text, sizeof m.text, "%s", text);
	if (w->link >= 0 && chan_send(w->link, &m, sizeof m, NULL, 0) < 0)
		log_warn("the master does not hear: %s", strerrordesc_np(errno));
}

static void
take(struct steward_worker *w, const struct swap_msg *m)
{
	switch ((enum swap_msg_type)m->type) {
	case SWAP_MODULE:
		swap_decide(w, m->text);
		return;
	case SWAP_PREPARE:
		swap_prepare(w, m);
		return;
	case SWAP_CHANGE:
		swap_change(w, m);
		return;
	case SWAP_COMMIT:
		swap_commit(w);
		return;
	case SWAP_UNDO:
		swap_undo(w);
		link_say(w, SWAP_DONE, m->txn, w->swap.pause_ns, "");
		return;
	case SWAP_NONE:
	case SWAP_HELLO:
	case SWAP_DONE:
	case SWAP_FAILED:
	case SWAP_TYPE_MAX:
		break;
	}
	log_warn("the master sent a message of type %u: dropped", m->type);
}

static void
again(struct steward_worker *w)
{
	ev_timer_stop(w->loop, &w->link_again);
	ev_timer_set(&w->link_again, again_s, 0);
	ev_timer_start(w->loop, &w->link_again);
}

static void
on_link(struct ev_loop *loop, ev_io *io, int events)
{
	struct steward_worker *w = io->data;
	struct swap_msg m;
	int fds[CHAN_FDS];
	unsigned nfds;
	(void)events;
	while (!w->ended) {
		ssize_t n = chan_recv(w->link, &m, sizeof m, fds, &nfds);
		for (unsigned i = 0; n > 0 && i < nfds; i++)
			fd_close(&fds[i]);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n == (ssize_t)sizeof m && m.text[sizeof m.text - 1] == '\0') {
			take(w, &m);
			continue;
		}
		ev_io_stop(loop, io); /* the master is gone: the next one is asked */
		fd_close(&w->link);
		again(w);
		return;
	}
}

/* 0, or -1: not now. */
static int
connect_now(struct steward_worker *w)
{
	int fd = fd_unix_connect(
	    w->run_dir, "attach.sock", SOCK_SEQPACKET | SOCK_NONBLOCK, NULL);
	if (fd < 0)
		return -1;
	w->link = fd;
	ev_io_set(&w->link_io, fd, EV_READ);
	ev_io_start(w->loop, &w->link_io);
	link_say(w, SWAP_HELLO, 0, w->gen, "");
	return 0;
}

static void
on_again(struct ev_loop *loop, ev_timer *t, int events)
{
	struct steward_worker *w = t->data;
	(void)loop;
	(void)events;
	if (connect_now(w) < 0)
		again(w);
}

void
link_start(struct steward_worker *w, const char *run)
{
	w->link = -1;
	w->run_dir = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ev_init(&w->link_io, on_link);
	ev_init(&w->link_again, on_again);
	w->link_io.data = w->link_again.data = w;
	if (connect_now(w) < 0)
		again(w);
}

void
link_stop(struct steward_worker *w)
{
	ev_io_stop(w->loop, &w->link_io);
	ev_timer_stop(w->loop, &w->link_again);
	fd_close(&w->link);
	fd_close(&w->run_dir);
}
