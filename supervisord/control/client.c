#include "control/client.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "control/call.h"
#include "control/events.h"
#include "control/fault.h"

enum { READ_CHUNK = 16 * 1024, ACCEPTS_A_TURN = 32 };

#define ACCEPT_PAUSE_S 0.2

struct client {
	struct clients *all; /* borrowed */
	struct client *next, *prev;
	int fd;
	ev_io reader, writer;
	ev_timer line; /* runs while a line has begun and not ended */
	struct caller who;
	enum caller_role role;
	char *in; /* owned; RPC_LINE_MAX + 1 bytes */
	size_t in_len;
	char *out; /* owned */
	size_t out_at, out_len, out_cap;
	unsigned calls;		/* under way */
	int eof;		/* nothing more comes; ends when all is answered */
	int busy;		/* a line is being served: do not free */
	int dead;		/* the connection is broken */
	struct events_sub *sub; /* owned by events.c */
};

struct clients {
	struct control *control;
	int sock, listening;
	ev_io acceptor;
	ev_timer pause; /* after EMFILE and friends */
	struct client *first;
	unsigned n;
	ev_tstamp last_refused; /* when that was logged */
};

static void client_serve(struct client *cl);

static void
client_free(struct client **client)
{
	struct client *cl = *client;
	struct clients *all = cl->all;
	struct ev_loop *loop = all->control->loop;
	calls_client_gone(all->control, cl);
	events_unsubscribe(all->control, cl);
	ev_io_stop(loop, &cl->reader);
	ev_io_stop(loop, &cl->writer);
	ev_timer_stop(loop, &cl->line);
	if (cl->prev != NULL)
		cl->prev->next = cl->next;
	else
		all->first = cl->next;
	if (cl->next != NULL)
		cl->next->prev = cl->prev;
	all->n--;
	fd_close(&cl->fd);
	caller_clear(&cl->who);
	free(cl->in);
	free(cl->out);
	free(cl);
	*client = NULL;
}

/* Ends a client that is of no more use.  True if it is gone. */
static int
client_settle(struct client *cl)
{
	if (cl->busy)
		return 0;
	if (cl->dead || (cl->eof && cl->calls == 0 && cl->out_len == 0)) {
		client_free(&cl);
		return 1;
	}
	return 0;
}

static void
client_flush(struct client *cl)
{
	while (cl->out_len > 0) {
		ssize_t n =
		    send(cl->fd, cl->out + cl->out_at, cl->out_len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			cl->dead = 1;
		if (n < 0)
			break;
		cl->out_at += (size_t)n;
		cl->out_len -= (size_t)n;
	}
	if (cl->out_len == 0) {
		cl->out_at = 0;
		/* A long answer's memory is given back. */
		if (cl->out_cap > CLIENT_OUT_SOFT) {
			free(cl->out);
			cl->out = NULL;
			cl->out_cap = 0;
		}
	}
	if (cl->out_len > 0 && !cl->dead)
		ev_io_start(cl->all->control->loop, &cl->writer);
	else
		ev_io_stop(cl->all->control->loop, &cl->writer);
}

static void
client_room(struct client *cl, size_t more)
{
	if (cl->out_at > 0) {
		memmove(cl->out, cl->out + cl->out_at, cl->out_len);
		cl->out_at = 0;
	}
	size_t cap = MAX(cl->out_cap, (size_t)1024);
	while (cap < cl->out_len + more)
		cap *= 2;
	if (cap == cl->out_cap)
		return;
	cl->out = realloc(cl->out, cap);
	must(cl->out != NULL);
	cl->out_cap = cap;
}

void
client_send(struct client *cl, const char *text)
{
	size_t len = strlen(text);
	if (cl->dead)
		return;
	client_room(cl, len + 1);
	memcpy(cl->out + cl->out_len, text, len);
	cl->out[cl->out_len + len] = '\n';
	cl->out_len += len + 1;
	/* Answers of one turn leave together, when the socket is next writable. */
	if (cl->out_len < CLIENT_OUT_SOFT)
		ev_io_start(cl->all->control->loop, &cl->writer);
	else
		client_flush(cl);
}

size_t
client_unsent(const struct client *cl)
{
	return cl->out_len;
}

void
client_hold(struct client *cl)
{
	cl->calls++;
}

void
client_release(struct client *cl)
{
	cl->calls--;
	/* It may have stopped reading for this one; look again from the loop. */
	ev_feed_event(cl->all->control->loop, &cl->writer, EV_WRITE);
}

/* An error about the connection itself, then its end. */
static void
client_refuse(struct client *cl, enum rpc_error error, const char *text)
{
	struct fault f = {.error = error};
	if (text != NULL)
		fault_set(&f, error, "%s", text);
	char *line = call_error_line(&f);
	client_send(cl, line);
	free(line);
	client_flush(cl);
	/* What cannot be sent at once is not worth waiting for. */
	cl->dead = 1;
}

/* May another line be served, or has the client to read or wait first? */
static int
client_ready(const struct client *cl)
{
	return !cl->dead && cl->out_len < CLIENT_OUT_SOFT &&
	       cl->calls < CLIENT_CALLS_MAX && view_current(&cl->all->control->view);
}

static void
client_watch(struct client *cl)
{
	struct ev_loop *loop = cl->all->control->loop;
	int partial = cl->in_len > 0 && memchr(cl->in, '\n', cl->in_len) == NULL;
	if (cl->eof || cl->dead || !client_ready(cl) || cl->in_len > RPC_LINE_MAX)
		ev_io_stop(loop, &cl->reader);
	else
		ev_io_start(loop, &cl->reader);
	if (!partial || cl->eof)
		ev_timer_stop(loop, &cl->line);
	else if (!ev_is_active(&cl->line)) {
		ev_timer_set(&cl->line, CLIENT_LINE_S, 0.);
		ev_timer_start(loop, &cl->line);
	}
}

/* Serves the lines that are there and may be served. */
static void
client_serve(struct client *cl)
{
	size_t at = 0;
	char *nl;
	cl->busy = 1;
	while (client_ready(cl) &&
	       (nl = memchr(cl->in + at, '\n', cl->in_len - at)) != NULL) {
		size_t len = (size_t)(nl - (cl->in + at));
		ev_timer_stop(cl->all->control->loop, &cl->line);
		call_line(cl->all->control, cl, cl->in + at, len);
		at += len + 1;
	}
	cl->in_len -= at;
	memmove(cl->in, cl->in + at, cl->in_len);
	if (!cl->dead && cl->in_len > RPC_LINE_MAX &&
	    memchr(cl->in, '\n', cl->in_len) == NULL)
		client_refuse(cl, RPC_TOO_LARGE, NULL);
	cl->busy = 0;
	client_watch(cl);
	(void)client_settle(cl);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct client *cl = w->data;
	(void)loop;
	(void)revents;
	/* One byte more than a line may have, so that a longer one is seen. */
	size_t room = RPC_LINE_MAX + 1 - cl->in_len;
	ssize_t n = recv(cl->fd, cl->in + cl->in_len, MIN(room, (size_t)READ_CHUNK), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		cl->dead = 1;
	else if (n == 0)
		cl->eof = 1;
	else
		cl->in_len += (size_t)n;
	client_serve(cl);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct client *cl = w->data;
	(void)loop;
	(void)revents;
	client_flush(cl);
	if (!cl->dead && cl->sub != NULL && cl->out_len < CLIENT_OUT_SOFT)
		events_pump(cl->all->control, cl);
	/* There is room again, or a place for a request. */
	client_serve(cl);
}

static void
on_line_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct client *cl = w->data;
	(void)loop;
	(void)revents;
	client_refuse(cl, RPC_TIMEOUT, "the line was not finished within 10 s");
	(void)client_settle(cl);
}

static void
client_link(struct client *cl)
{
	struct clients *all = cl->all;
	cl->next = all->first;
	if (all->first != NULL)
		all->first->prev = cl;
	all->first = cl;
	all->n++;
}

/* At most a line a second: who may do nothing shall not fill the log either. */
static void
log_refused(const struct client *cl)
{
	struct clients *all = cl->all;
	ev_tstamp now = ev_now(all->control->loop);
	if (now - all->last_refused < 1.)
		return;
	all->last_refused = now;
	log_warn(
	    "refused a client: uid=%u pid=%d has no role", cl->who.uid, cl->who.pid);
}

struct client *
client_new(struct clients *all, int fd)
{
	struct err err;
	struct client *cl = calloc(1, sizeof *cl);
	must(cl != NULL);
	cl->all = all;
	cl->fd = fd;
	cl->in = malloc(RPC_LINE_MAX + 1);
	must(cl->in != NULL);
	ev_io_init(&cl->reader, on_readable, fd, EV_READ);
	ev_io_init(&cl->writer, on_writable, fd, EV_WRITE);
	ev_timer_init(&cl->line, on_line_late, CLIENT_LINE_S, 0.);
	cl->reader.data = cl->writer.data = cl->line.data = cl;
	client_link(cl);
	if (fd_nonblock(fd) < 0 || caller_of_socket(fd, &cl->who, &err) < 0) {
		client_free(&cl);
		return NULL;
	}
	cl->role =
	    caller_role(&cl->who, &all->control->view.rows, all->control->node_uid);
	unsigned most =
	    cl->role == CALLER_ADMIN ? CLIENTS_MAX : CLIENTS_MAX - CLIENTS_ADMIN;
	if (cl->role == CALLER_NOBODY) {
		log_refused(cl);
		client_refuse(cl, RPC_FORBIDDEN,
		    "you have no role on this node; its [node] section lists who has");
	} else if (all->n > most) {
		client_refuse(cl, RPC_TOO_MANY_CLIENTS, NULL);
	}
	if (client_settle(cl))
		return NULL;
	ev_io_start(all->control->loop, &cl->reader);
	return cl;
}

const struct caller *
client_who(const struct client *cl)
{
	return &cl->who;
}

enum caller_role
client_role(const struct client *cl)
{
	return cl->role;
}

struct events_sub **
client_sub(struct client *cl)
{
	return &cl->sub;
}

static void
on_connect(struct ev_loop *loop, ev_io *w, int revents)
{
	struct clients *all = w->data;
	(void)revents;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(all->sock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			(void)client_new(all, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN) {
			/* Out of descriptors or memory: do not spin on it. */
			ev_io_stop(loop, &all->acceptor);
			ev_timer_set(&all->pause, ACCEPT_PAUSE_S, 0.);
			ev_timer_start(loop, &all->pause);
		}
		return;
	}
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct clients *all = w->data;
	(void)revents;
	ev_io_start(loop, &all->acceptor);
}

struct clients *
clients_new(struct control *c, int sock)
{
	struct clients *all = calloc(1, sizeof *all);
	must(all != NULL);
	all->control = c;
	all->sock = sock;
	ev_io_init(&all->acceptor, on_connect, sock, EV_READ);
	ev_timer_init(&all->pause, on_pause_over, ACCEPT_PAUSE_S, 0.);
	all->acceptor.data = all->pause.data = all;
	return all;
}

void
clients_free(struct clients **clients)
{
	struct clients *all = *clients;
	if (all == NULL)
		return;
	struct client *next;
	for (struct client *cl = all->first; cl != NULL; cl = next) {
		next = cl->next;
		client_free(&cl);
	}
	ev_io_stop(all->control->loop, &all->acceptor);
	ev_timer_stop(all->control->loop, &all->pause);
	fd_close(&all->sock);
	free(all);
	*clients = NULL;
}

int
clients_listen(struct clients *all, struct err *err)
{
	if (all->listening)
		return 0;
	if (fd_nonblock(all->sock) < 0 || listen(all->sock, 128) < 0)
		return err_sys(err, "cannot listen on control.sock");
	all->listening = 1;
	ev_io_start(all->control->loop, &all->acceptor);
	return 0;
}

void
clients_allow(struct clients *all)
{
	const struct control *c = all->control;
	mode_t mode =
	    caller_lists_used(&c->view.rows, c->node_uid) ? 0666 : (mode_t)c->sock_mode;
	if (fchmodat(c->run_fd, "control.sock", mode, 0) < 0)
		log_warn(
		    "cannot set the mode of control.sock: %s", strerrordesc_np(errno));
}

void
clients_resume(struct clients *all)
{
	struct client *next;
	for (struct client *cl = all->first; cl != NULL; cl = next) {
		next = cl->next;
		cl->role = caller_role(
		    &cl->who, &all->control->view.rows, all->control->node_uid);
		if (cl->role == CALLER_NOBODY)
			client_refuse(cl, RPC_FORBIDDEN, "you have no role any more");
		client_serve(cl);
	}
}

unsigned
clients_count(const struct clients *all)
{
	return all->n;
}

void
clients_each_sub(struct clients *all, void (*f)(struct control *c, struct client *cl))
{
	for (struct client *cl = all->first; cl != NULL; cl = cl->next)
		if (cl->sub != NULL && cl->out_len < CLIENT_OUT_SOFT)
			f(all->control, cl);
}
