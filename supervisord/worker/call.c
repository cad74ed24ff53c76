/* Connections to others' mailboxes: calls, casts, monitors; see worker.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "worker/worker.h"

enum { OUT_MAX = 256 << 20 };

/* --- what has no answer yet -------------------------------------------------------------- */

static void
pending_free(struct steward_worker *w, struct pending *p)
{
	ev_timer_stop(w->loop, &p->timer);
	if (p->peer != NULL && p->kind == PENDING_CALL)
		p->peer->open--;
	if (w->pendings == p)
		w->pendings = p->next;
	else
		p->prev->next = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	free(p);
}

/* The end of it, told once. */
static void
pending_tell(struct pending *p, const struct steward_info *how)
{
	struct steward_worker *w = p->w;
	struct steward_info info = *how;
	char name[FRAME_NAME_MAX + 1];
	memcpy(name, p->name, sizeof name);
	info.kind = p->kind == PENDING_CALL ? STEWARD_REPLY : STEWARD_DOWN;
	info.tag = p->tag;
	info.name = name;
	pending_free(w, p);
	run_info(w, &info);
}

static void
on_pending(struct ev_loop *loop, ev_timer *t, int events)
{
	struct pending *p = t->data;
	(void)loop;
	(void)events;
	if (p->w->suspended) {
		p->late = 1; /* told when it goes on */
		return;
	}
	pending_tell(
	    p, &(struct steward_info){.status = p->status,
		   .reason = p->status == STEWARD_NOPROC ? "noproc" : "noconnection"});
}

/* after_ms: UINT64_MAX for no deadline; then its status is what is told. */
static struct pending *
pending_new(struct steward_worker *w, uint32_t kind, const char *name, uint64_t tag,
    uint64_t after_ms)
{
	struct pending *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->w = w;
	p->kind = kind;
	p->status = STEWARD_TIMEOUT;
	p->ref = ++w->next_ref;
	p->tag = tag;
	memcpy(p->name, name, strlen(name) + 1);
	p->next = w->pendings;
	if (p->next != NULL)
		p->next->prev = p;
	w->pendings = p;
	ev_init(&p->timer, on_pending);
	p->timer.data = p;
	if (after_ms != UINT64_MAX) {
		ev_now_update(w->loop);
		ev_timer_set(&p->timer, (double)after_ms / 1000, 0);
		ev_timer_start(w->loop, &p->timer);
	}
	return p;
}

/* It is known already, but must not be told inside of a callback. */
static void
pending_soon(struct pending *p, uint32_t status)
{
	p->status = status;
	ev_timer_stop(p->w->loop, &p->timer);
	ev_timer_set(&p->timer, 0, 0);
	ev_timer_start(p->w->loop, &p->timer);
}

static struct pending *
pending_find(struct steward_worker *w, const struct peer *peer, uint64_t ref)
{
	struct pending *p = w->pendings;
	while (p != NULL && (p->ref != ref || p->peer != peer))
		p = p->next;
	return p;
}

/* --- connections --------------------------------------------------------------------------- */

static void
peer_free(struct steward_worker *w, struct peer *peer)
{
	ev_io_stop(w->loop, &peer->io);
	conn_close(&peer->conn);
	for (struct pending *p = w->pendings; p != NULL; p = p->next)
		if (p->peer == peer) {
			p->peer = NULL;
			pending_soon(p, STEWARD_NOCONNECTION);
		}
	if (w->peers == peer)
		w->peers = peer->next;
	else
		peer->prev->next = peer->next;
	if (peer->next != NULL)
		peer->next->prev = peer->prev;
	free(peer);
}

static void
peer_events(struct peer *peer)
{
	int events = (peer->w->suspended ? 0 : EV_READ) |
		     (conn_waiting(&peer->conn) > 0 ? EV_WRITE : 0);
	if (events == (peer->io.events & (EV_READ | EV_WRITE)) &&
	    ev_is_active(&peer->io))
		return;
	ev_io_stop(peer->w->loop, &peer->io);
	ev_io_set(&peer->io, peer->conn.fd, events);
	if (events != 0)
		ev_io_start(peer->w->loop, &peer->io);
}

/* 0, or -1 when the other side breaks the rules. */
static int
peer_frame(struct peer *peer, const struct frame *f)
{
	if (f->kind == FRAME_WELCOME) {
		peer->gen = f->gen;
		peer->limit = (uint32_t)MIN(f->ref, (uint64_t)UINT32_MAX);
		return 0;
	}
	if (f->kind != FRAME_REPLY || f->status >= STEWARD_STATUS_MAX)
		return -1;
	struct pending *p = pending_find(peer->w, peer, f->ref);
	if (p == NULL || p->kind != PENDING_CALL)
		return 0; /* too late: its caller was told of the timeout */
	pending_tell(p,
	    &(struct steward_info){
		.status = f->status, .reason = "", .data = {f->data, f->len, f->type}});
	return 0;
}

static void
on_peer(struct ev_loop *loop, ev_io *io, int events)
{
	struct peer *peer = io->data;
	struct steward_worker *w = peer->w;
	struct frame f;
	int got = 0, bad = 0;
	(void)loop;
	if ((events & EV_WRITE) != 0 && conn_flush(&peer->conn) < 0)
		bad = 1;
	if (!bad && (events & EV_READ) != 0)
		got = conn_read(&peer->conn);
	while (!bad && !w->ended && !w->suspended) {
		int more = conn_next(&peer->conn, &f);
		if (more == 0)
			break;
		if (more < 0 || peer_frame(peer, &f) < 0) {
			log_warn("'%s' breaks the protocol; its connection is closed",
			    peer->name);
			bad = 1;
		}
	}
	if (bad || got < 0)
		peer_free(w, peer);
	else
		peer_events(peer);
}

static struct peer *
peer_connect(struct steward_worker *w, const char *name, uint32_t *status)
{
	struct peer *peer = calloc(1, sizeof *peer);
	struct err err;
	*status = STEWARD_NOCONNECTION;
	if (peer == NULL)
		return NULL;
	if (conn_connect(&peer->conn, w->mailbox_dir, name, &err) < 0) {
		*status = err.kind == ERR_UNKNOWN_NAME ? STEWARD_NOPROC
			  : err.kind == ERR_BUSY       ? STEWARD_BUSY
						       : STEWARD_NOCONNECTION;
		free(peer);
		return NULL;
	}
	peer->w = w;
	memcpy(peer->name, name, strlen(name) + 1);
	peer->next = w->peers;
	if (peer->next != NULL)
		peer->next->prev = peer;
	w->peers = peer;
	ev_io_init(&peer->io, on_peer, peer->conn.fd, EV_READ);
	peer->io.data = peer;
	ev_io_start(w->loop, &peer->io);
	struct frame hello = {
	    .kind = FRAME_HELLO, .name = w->id, .gen = w->gen, .data = ""};
	(void)conn_send(&peer->conn, &hello); /* a failure is seen as its end */
	return peer;
}

static struct peer *
peer_of(struct steward_worker *w, const char *name, uint32_t *status)
{
	struct peer *peer = w->peers;
	while (peer != NULL && strcmp(peer->name, name) != 0)
		peer = peer->next;
	return peer != NULL ? peer : peer_connect(w, name, status);
}

static int
peer_send(struct peer *peer, const struct frame *f)
{
	int r = conn_send(&peer->conn, f);
	peer_events(peer);
	return r;
}

static int
is_sendable(const char *to, const struct steward_data *data)
{
	char file[FRAME_NAME_MAX + 1];
	errno = data->len > STEWARD_DATA_MAX ? EMSGSIZE : EINVAL;
	return data->len <= STEWARD_DATA_MAX && data->type <= STEWARD_TEXT &&
	       conn_file_name(to, file, sizeof file) == 0;
}

/* --- for the module ------------------------------------------------------------------------ */

int
steward_call(struct steward_worker *w, const char *to, const struct steward_data *data,
    uint64_t timeout_ms, uint64_t tag)
{
	uint32_t status;
	if (w->rehearsing)
		return 0;
	if (!is_sendable(to, data))
		return -1;
	struct pending *p = pending_new(w, PENDING_CALL, to, tag, timeout_ms);
	if (p == NULL)
		return -1;
	struct peer *peer = peer_of(w, to, &status);
	if (peer != NULL && ((peer->limit > 0 && peer->open >= peer->limit) ||
				conn_waiting(&peer->conn) > OUT_MAX)) {
		peer = NULL;
		status = STEWARD_BUSY;
	}
	if (peer == NULL) {
		pending_soon(p, status);
		return 0;
	}
	struct frame f = {.kind = FRAME_CALL,
	    .ref = p->ref,
	    .left_ms = (uint32_t)MIN(timeout_ms, (uint64_t)UINT32_MAX),
	    .type = data->type,
	    .name = "",
	    .data = data->bytes,
	    .len = (uint32_t)data->len};
	p->peer = peer;
	peer->open++;
	(void)peer_send(peer, &f); /* broken: its end tells */
	return 0;
}

int
steward_cast(struct steward_worker *w, const char *to, const struct steward_data *data)
{
	uint32_t status;
	if (w->rehearsing)
		return 0;
	if (!is_sendable(to, data))
		return -1;
	struct peer *peer = peer_of(w, to, &status);
	if (peer == NULL || conn_waiting(&peer->conn) > OUT_MAX)
		return 0; /* as in OTP: who casts is not told */
	struct frame f = {.kind = FRAME_CAST,
	    .type = data->type,
	    .name = "",
	    .data = data->bytes,
	    .len = (uint32_t)data->len};
	(void)peer_send(peer, &f);
	return 0;
}

int
steward_monitor(struct steward_worker *w, const char *name, uint64_t tag)
{
	char file[FRAME_NAME_MAX + 1];
	uint32_t status;
	if (w->rehearsing)
		return 0;
	errno = EINVAL;
	if (conn_file_name(name, file, sizeof file) < 0)
		return -1;
	struct pending *p = pending_new(w, PENDING_MONITOR, name, tag, UINT64_MAX);
	if (p == NULL)
		return -1;
	p->peer = peer_of(w, name, &status);
	if (p->peer == NULL) {
		pending_soon(p, status);
		return 0;
	}
	struct frame f = {.kind = FRAME_MONITOR, .ref = p->ref, .name = "", .data = ""};
	(void)peer_send(p->peer, &f);
	return 0;
}

int
steward_demonitor(struct steward_worker *w, uint64_t tag)
{
	if (w->rehearsing)
		return 0;
	struct pending *p = w->pendings;
	while (p != NULL && (p->kind != PENDING_MONITOR || p->tag != tag))
		p = p->next;
	if (p == NULL)
		return 0;
	if (p->peer != NULL) {
		struct frame f = {
		    .kind = FRAME_DEMONITOR, .ref = p->ref, .name = "", .data = ""};
		(void)peer_send(p->peer, &f);
	}
	pending_free(w, p);
	return 1;
}

void
call_resume(struct steward_worker *w)
{
	for (struct pending *p = w->pendings; p != NULL; p = p->next) {
		if (p->late)
			ev_feed_event(w->loop, &p->timer, EV_CUSTOM);
		p->late = 0;
	}
	for (struct peer *peer = w->peers; peer != NULL; peer = peer->next) {
		/* what was read before the pause is looked at with the next wake-up */
		if (!w->suspended && peer->conn.in.from < peer->conn.in.to)
			ev_feed_event(w->loop, &peer->io, EV_CUSTOM);
		peer_events(peer);
	}
}

void
call_stop(struct steward_worker *w)
{
	for (struct peer *peer = w->peers; peer != NULL; peer = peer->next)
		(void)conn_flush(&peer->conn); /* the last casts */
	for (struct peer *peer = w->peers, *next; peer != NULL; peer = next) {
		next = peer->next;
		peer_free(w, peer);
	}
	for (struct pending *p = w->pendings, *next; p != NULL; p = next) {
		next = p->next;
		pending_free(w, p);
	}
}
