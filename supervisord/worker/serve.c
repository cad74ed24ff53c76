/* The mailbox: connections of callers, their requests, the replies; see worker.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/worker.h"

enum {
	ACCEPT_LATER_S = 1,
	OUT_MAX = 256 << 20,
	OUT_SLOW = 1 << 20, /* waits for a caller: it is not read before some is gone */
	OF_ONE_USER = PEERS_MAX / 4 /* connections */
};

static const char *const statuses[STEWARD_STATUS_MAX] = {
    [STEWARD_DONE] = "",
    [STEWARD_TIMEOUT] = "",
    [STEWARD_BUSY] = "too many calls wait for their replies",
    [STEWARD_NOPROC] = "",
    [STEWARD_NOCONNECTION] = "",
    [STEWARD_REFUSED] = "the worker does not serve this caller",
};

void
caller_close(struct steward_worker *w, struct caller *c)
{
	ev_io_stop(w->loop, &c->io);
	conn_close(&c->conn);
	free(c->refs);
	w->open_calls -= c->open;
	w->ncallers--;
	if (w->callers == c)
		w->callers = c->next;
	else
		c->prev->next = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	free(c);
}

/* Reads only while it may; writes whenever something waits. */
static void
caller_events(struct caller *c)
{
	int paused = (c->w->suspended && !c->sys && c->hello) ||
		     conn_waiting(&c->conn) > OUT_SLOW;
	int events =
	    (paused ? 0 : EV_READ) | (conn_waiting(&c->conn) > 0 ? EV_WRITE : 0);
	if (events == (c->io.events & (EV_READ | EV_WRITE)) && ev_is_active(&c->io))
		return;
	ev_io_stop(c->w->loop, &c->io);
	ev_io_set(&c->io, c->conn.fd, events);
	if (events != 0)
		ev_io_start(c->w->loop, &c->io);
}

int
caller_send(struct caller *c, const struct frame *f)
{
	if (c->doomed)
		return -1;
	if (conn_send(&c->conn, f) < 0 || conn_waiting(&c->conn) > OUT_MAX) {
		/* broken, or one that asks and never reads: it goes, but not in the
		 * middle of a callback */
		c->doomed = 1;
		ev_feed_event(c->w->loop, &c->io, EV_CUSTOM);
		return -1;
	}
	caller_events(c);
	return 0;
}

static void
answer(struct caller *c, uint64_t ref, uint32_t status)
{
	struct frame f = {.kind = FRAME_REPLY,
	    .ref = ref,
	    .status = status,
	    .type = STEWARD_TEXT,
	    .name = "",
	    .data = statuses[status],
	    .len = (uint32_t)strlen(statuses[status])};
	(void)caller_send(c, &f);
}

static int
may_call(const struct steward_worker *w, uint32_t uid)
{
	if (w->anybody || uid == 0)
		return 1;
	for (uint32_t i = 0; i < w->nuids; i++)
		if (w->uids[i] == uid)
			return 1;
	return 0;
}

static int
hello(struct caller *c, const struct frame *f)
{
	struct steward_worker *w = c->w;
	struct frame welcome = {.kind = FRAME_WELCOME,
	    .name = w->id,
	    .gen = w->gen,
	    .ref = w->queue_max,
	    .data = "",
	    .status = may_call(w, c->uid) ? STEWARD_DONE : STEWARD_REFUSED};
	char file[FRAME_NAME_MAX + 1];
	if (strchr(f->name, '/') != NULL &&
	    conn_file_name(f->name, file, sizeof file) == 0)
		memcpy(c->name, f->name, strlen(f->name) + 1); /* it fits */
	c->hello = 1;
	c->sys = f->status == 1;
	(void)caller_send(c, &welcome);
	return 0;
}

/* -1: no memory, or the caller has such a call already. */
static int
ref_add(struct caller *c, uint64_t ref)
{
	for (uint32_t i = 0; i < c->open; i++)
		if (c->refs[i] == ref)
			return -1;
	if (c->open == c->refs_cap) {
		uint32_t cap = c->refs_cap * 2 + 8;
		uint64_t *refs = realloc(c->refs, cap * sizeof *refs);
		if (refs == NULL)
			return -1;
		c->refs = refs;
		c->refs_cap = cap;
	}
	c->refs[c->open++] = ref;
	return 0;
}

/* -1: there is no such call. */
static int
ref_take(struct caller *c, uint64_t ref)
{
	for (uint32_t i = 0; i < c->open; i++)
		if (c->refs[i] == ref) {
			c->refs[i] = c->refs[--c->open];
			return 0;
		}
	return -1;
}

static void
take_call(struct caller *c, const struct frame *f)
{
	struct steward_worker *w = c->w;
	if (!may_call(w, c->uid) || w->module.h->handle_call == NULL) {
		answer(c, f->ref, STEWARD_REFUSED);
		return;
	}
	if (w->open_calls >= w->queue_max || ref_add(c, f->ref) < 0) {
		w->count.busy++;
		answer(c, f->ref, STEWARD_BUSY);
		return;
	}
	struct steward_request request = {.from = {c->id, f->ref},
	    .caller = c->name,
	    .caller_uid = c->uid,
	    .data = {f->data, f->len, f->type},
	    .left_ms = f->left_ms == UINT32_MAX ? UINT64_MAX : f->left_ms};
	w->open_calls++;
	run_call(w, &request);
}

static void
take_cast(struct caller *c, const struct frame *f)
{
	struct steward_cast cast = {.caller = c->name,
	    .caller_uid = c->uid,
	    .data = {f->data, f->len, f->type}};
	if (may_call(c->w, c->uid))
		run_cast(c->w, &cast);
}

/* -1: the caller broke the rules. */
static int
take(struct caller *c, const struct frame *f)
{
	if ((frame_senders(f->kind) & FRAME_BY_CLIENT) == 0 ||
	    (f->kind == FRAME_HELLO) == c->hello)
		return -1;
	/* one for the operator's requests is heard in a pause: nothing else may come by it */
	if (c->hello && c->sys != (f->kind == FRAME_SYS))
		return -1;
	switch ((enum frame_kind)f->kind) {
	case FRAME_HELLO:
		return hello(c, f);
	case FRAME_CALL:
		take_call(c, f);
		return 0;
	case FRAME_CAST:
		take_cast(c, f);
		return 0;
	case FRAME_MONITOR:
		c->monitors++;
		return 0;
	case FRAME_DEMONITOR:
		c->monitors -= c->monitors > 0;
		return 0;
	case FRAME_SYS:
		sys_request(c, f);
		return 0;
	case FRAME_NONE:
	case FRAME_WELCOME:
	case FRAME_REPLY:
	case FRAME_SYS_REPLY:
	case FRAME_KIND_MAX:
		break;
	}
	return -1;
}

/* All frames that have come whole, unless a callback ends or suspends the worker. */
static int
take_all(struct caller *c)
{
	struct steward_worker *w = c->w;
	struct frame f;
	int got;
	while (!w->ended && !c->doomed && (!w->suspended || c->sys || !c->hello) &&
	       (got = conn_next(&c->conn, &f)) != 0)
		if (got < 0 || take(c, &f) < 0) {
			log_warn("a caller that says it is '%s' (uid %u) breaks the "
				 "protocol; its connection is closed",
			    c->name, c->uid);
			return -1;
		}
	return 0;
}

static void
on_caller(struct ev_loop *loop, ev_io *io, int events)
{
	struct caller *c = io->data;
	(void)loop;
	if (c->doomed || ((events & EV_WRITE) != 0 && conn_flush(&c->conn) < 0)) {
		caller_close(c->w, c);
		return;
	}
	int got = (events & EV_READ) != 0 ? conn_read(&c->conn) : 0;
	if (take_all(c) < 0 || got < 0 || c->doomed) {
		caller_close(c->w, c);
		return;
	}
	caller_events(c);
}

/* A user who is nobody here must not take the place of those who are. */
static int
has_too_many(const struct steward_worker *w, uint32_t uid)
{
	uint32_t n = 0;
	for (const struct caller *c = w->callers; c != NULL; c = c->next)
		n += c->uid == uid;
	return uid != 0 && uid != geteuid() && n >= OF_ONE_USER;
}

static void
caller_new(struct steward_worker *w, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	struct caller *c = calloc(1, sizeof *c);
	if (c == NULL || w->ncallers >= PEERS_MAX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    has_too_many(w, peer.uid)) {
		log_warn("a caller is turned away: %s",
		    c == NULL ? "no memory" : "there are too many");
		free(c);
		fd_close(&fd);
		return;
	}
	conn_open(&c->conn, fd);
	c->w = w;
	c->uid = peer.uid;
	c->id = ++w->next_caller;
	c->next = w->callers;
	if (c->next != NULL)
		c->next->prev = c;
	w->callers = c;
	w->ncallers++;
	ev_io_init(&c->io, on_caller, fd, EV_READ);
	c->io.data = c;
	ev_io_start(w->loop, &c->io);
}

static void
on_accept_later(struct ev_loop *loop, ev_timer *t, int events)
{
	struct steward_worker *w = t->data;
	(void)events;
	ev_io_start(loop, &w->listen_io);
}

static void
on_listen(struct ev_loop *loop, ev_io *io, int events)
{
	struct steward_worker *w = io->data;
	(void)events;
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		caller_new(w, fd);
		return;
	}
	if (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS)
		return; /* another instance was faster, or the caller has gone */
	log_warn("no descriptor for a caller; trying again in a second");
	ev_io_stop(loop, io);
	ev_timer_set(&w->accept_later, ACCEPT_LATER_S, 0);
	ev_timer_start(loop, &w->accept_later);
}

int
serve_start(struct steward_worker *w, int listen_fd, struct err *err)
{
	if (fd_nonblock(listen_fd) < 0)
		return err_sys(err, "descriptor %d is no mailbox", listen_fd);
	ev_init(&w->accept_later, on_accept_later);
	w->accept_later.data = w;
	ev_io_init(&w->listen_io, on_listen, listen_fd, EV_READ);
	w->listen_io.data = w;
	ev_io_start(w->loop, &w->listen_io);
	return 0;
}

/* What was read but not handed on before a pause is handed on now. */
void
serve_pause(struct steward_worker *w)
{
	for (struct caller *c = w->callers, *next; c != NULL; c = next) {
		next = c->next;
		if (c->sys)
			continue; /* one of them is at it just now */
		if (take_all(c) < 0)
			caller_close(w, c);
		else
			caller_events(c);
	}
}

void
serve_stop(struct steward_worker *w)
{
	ev_io_stop(w->loop, &w->listen_io);
	ev_timer_stop(w->loop, &w->accept_later);
	for (struct caller *c = w->callers, *next; c != NULL; c = next) {
		next = c->next;
		(void)conn_flush(&c->conn);
		caller_close(w, c);
	}
}

int
steward_reply(struct steward_worker *w, const struct steward_ref *to,
    const struct steward_data *data)
{
	if (w->rehearsing)
		return 0;
	struct caller *c = w->callers;
	while (c != NULL && c->id != to->peer)
		c = c->next;
	if (data->len > STEWARD_DATA_MAX || data->type > STEWARD_TEXT) {
		errno = data->len > STEWARD_DATA_MAX ? EMSGSIZE : EINVAL;
		return -1;
	}
	if (c == NULL || ref_take(c, to->call) < 0) {
		errno = ENOENT;
		return -1;
	}
	struct frame f = {.kind = FRAME_REPLY,
	    .ref = to->call,
	    .type = data->type,
	    .name = "",
	    .data = data->bytes,
	    .len = (uint32_t)data->len};
	w->open_calls--;
	w->count.replies++;
	errno = ENOENT; /* if it has just gone */
	return caller_send(c, &f);
}
