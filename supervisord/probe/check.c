#include "probe/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"

/* Bytes of noise before the newline that are read in one turn. */
enum { READS_A_TURN = 16 };

static void
start_timer(struct check *c, int ms)
{
	ev_timer_stop(c->loop, &c->timer);
	ev_timer_set(&c->timer, ms / 1e3, 0.);
	ev_timer_start(c->loop, &c->timer);
}

/* This try is over: nobody there yet. */
static void
again_later(struct check *c)
{
	ev_io_stop(c->loop, &c->io);
	fd_close(&c->fd);
	start_timer(c, c->wait_ms);
	c->wait_ms = MIN(c->wait_ms * 2, (int)CHECK_LAST_MS);
}

/*
 * A connect to a free local port may get that very port as its own and then meets
 * itself.  That is not an answer of the worker.
 */
static int
met_itself(const struct check *c)
{
	struct sockaddr_storage own, peer;
	socklen_t own_len = sizeof own, peer_len = sizeof peer;
	memset(&own, 0, sizeof own);
	memset(&peer, 0, sizeof peer);
	return getsockname(c->fd, (struct sockaddr *)&own, &own_len) < 0 ||
	       getpeername(c->fd, (struct sockaddr *)&peer, &peer_len) < 0 ||
	       (own_len == peer_len && memcmp(&own, &peer, own_len) == 0);
}

static void
connect_ended(struct check *c)
{
	int code = 0;
	socklen_t len = sizeof code;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0 || code != 0 ||
	    met_itself(c))
		again_later(c);
	else
		c->done(c, 1, c->arg);
}

static void
try_connect(struct check *c)
{
	c->fd = socket(
	    c->addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (c->fd < 0) {
		again_later(c);
		return;
	}
	if (connect(c->fd, (const struct sockaddr *)&c->addr, c->addr_len) == 0) {
		connect_ended(c);
		return;
	}
	if (errno != EINPROGRESS) {
		again_later(c);
		return;
	}
	ev_io_set(&c->io, c->fd, EV_WRITE);
	ev_io_start(c->loop, &c->io);
	start_timer(c, CHECK_CONNECT_MS);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct check *c = w->data;
	(void)loop;
	(void)events;
	if (c->fd >= 0) /* nobody answers, not even with a refusal */
		again_later(c);
	else
		try_connect(c);
}

static void
read_sign(struct check *c)
{
	char buf[512];
	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t n = read(c->fd, buf, sizeof buf);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			c->done(c, 0, c->arg);
			return;
		}
		if (memchr(buf, '\n', (size_t)n) != NULL) {
			c->done(c, 1, c->arg);
			return;
		}
	}
}

static void
on_io(struct ev_loop *loop, ev_io *w, int events)
{
	struct check *c = w->data;
	(void)loop;
	(void)events;
	if (c->is_tcp) {
		ev_timer_stop(c->loop, &c->timer);
		connect_ended(c);
	} else {
		read_sign(c);
	}
}

static struct check *
check_new(struct ev_loop *loop, const struct msg_probe *msg, check_done *done,
    void *arg, struct err *err)
{
	struct check *c = calloc(1, sizeof *c);
	if (c == NULL) {
		(void)err_set(err, ERR_FAILED, "out of memory");
		return NULL;
	}
	c->loop = loop;
	c->slot = msg->m.slot;
	c->gen = msg->m.gen;
	c->fd = -1;
	c->wait_ms = CHECK_FIRST_MS;
	c->done = done;
	c->arg = arg;
	ev_init(&c->io, on_io);
	ev_init(&c->timer, on_timer);
	c->io.data = c->timer.data = c;
	return c;
}

struct check *
check_new_tcp(struct ev_loop *loop, const struct msg_probe *msg, check_done *done,
    void *arg, struct err *err)
{
	uint16_t family;
	memcpy(&family, msg->addr, sizeof family);
	if (!(family == AF_INET && msg->addr_len == sizeof(struct sockaddr_in)) &&
	    !(family == AF_INET6 && msg->addr_len == sizeof(struct sockaddr_in6))) {
		(void)err_set(err, ERR_PROTO, "slot %u: no address of TCP (family %u)",
		    msg->m.slot, family);
		return NULL;
	}
	struct check *c = check_new(loop, msg, done, arg, err);
	if (c == NULL)
		return NULL;
	c->is_tcp = 1;
	c->addr_len = msg->addr_len;
	memcpy(c->addr.bytes, msg->addr, sizeof c->addr.bytes);
	/* The worker has not even begun: never call `done` from here. */
	start_timer(c, 0);
	return c;
}

struct check *
check_new_fd(struct ev_loop *loop, const struct msg_probe *msg, int fd,
    check_done *done, void *arg, struct err *err)
{
	struct check *c = check_new(loop, msg, done, arg, err);
	if (c == NULL) {
		fd_close(&fd);
		return NULL;
	}
	c->fd = fd;
	(void)fd_nonblock(fd);
	ev_io_set(&c->io, fd, EV_READ);
	ev_io_start(loop, &c->io);
	return c;
}

void
check_free(struct check **cp)
{
	struct check *c = *cp;
	*cp = NULL;
	if (c == NULL)
		return;
	ev_io_stop(c->loop, &c->io);
	ev_timer_stop(c->loop, &c->timer);
	fd_close(&c->fd);
	free(c);
}
