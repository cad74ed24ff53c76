#include "probe/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "probe/notify_parse.h"

/* What the kernel gives with one datagram at most: 253 descriptors and a sender. */
enum { FDS_MAX = 253 };

struct datagram {
	char buf[NOTIFY_MAX_BYTES + 1];
	size_t n;
	int32_t sender;
	int cut;
};

/* The order in which the facts of one datagram are told. */
static const enum fact order[] = {FACT_MAINPID, FACT_WATCHDOG_USEC, FACT_EXTEND,
    FACT_STATUS, FACT_RELOADING, FACT_READY, FACT_STOPPING, FACT_WATCHDOG,
    FACT_WATCHDOG_TRIGGER};

_Static_assert(COUNT(order) == FACT_MAX, "each fact is told");

static void
close_fds(const struct cmsghdr *c)
{
	int fd;
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof fd;
	for (size_t i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
		close(fd);
	}
}

/* What the next master must hear, too. */
enum {
	OF_WEIGHT = 1 << FACT_READY | 1 << FACT_MAINPID | 1 << FACT_RELOADING |
		    1 << FACT_STOPPING
};

/* A look at the first datagram, which stays: 0, or -1 with errno. */
static int
receive(int sock, struct datagram *d)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX) +
			   CMSG_SPACE(sizeof(struct ucred))];
	} ctl;
	struct iovec iov = {.iov_base = d->buf, .iov_len = NOTIFY_MAX_BYTES};
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = ctl.bytes,
	    .msg_controllen = sizeof ctl.bytes};
	ssize_t n = recvmsg(sock, &mh, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -1;
	d->n = (size_t)n;
	d->sender = 0;
	d->cut = (mh.msg_flags & MSG_TRUNC) != 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c != NULL;
	     c = CMSG_NXTHDR(&mh, c)) {
		struct ucred who;
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS)
			close_fds(c);
		if (c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&who, CMSG_DATA(c), sizeof who);
			d->sender = who.pid;
		}
	}
	return 0;
}

/* The datagram that was looked at goes. */
static void
consume(const struct notify_sock *s)
{
	char none;
	(void)recv(s->fd, &none, 0, MSG_DONTWAIT);
}

static void
grumble(struct notify_sock *s, int32_t sender, const char *why)
{
	double now = ev_now(s->loop);
	if (now - s->grumbled_s < NOTIFY_GRUMBLE_MS / 1e3 && s->grumbled_s > 0) {
		s->hushed++;
		return;
	}
	log_warn("worker slot %u gen %u: notify datagram of pid %d refused: %s "
		 "(%u more before it)",
	    s->slot, s->gen, (int)sender, why, s->hushed);
	s->grumbled_s = now;
	s->hushed = 0;
}

static void
tell(struct notify_sock *s, const struct notify *got, int32_t sender)
{
	unsigned left = got->has;
	for (size_t i = 0; i < COUNT(order); i++) {
		enum fact fact = order[i];
		if ((got->has & 1u << fact) == 0)
			continue;
		struct msg_fact msg = {.m = {.type = MSG_FACT,
					   .slot = s->slot,
					   .gen = s->gen,
					   .value = got->value[fact]},
		    .fact = fact,
		    .sender = sender};
		left &= ~(1u << fact);
		if (left == 0 && s->held)
			msg.m.ref = s->ref;
		if (fact == FACT_STATUS)
			memcpy(msg.text, got->status, sizeof msg.text);
		facts_put(s->facts, &msg);
	}
}

static void
watch(struct notify_sock *s)
{
	if (s->held || s->paused)
		ev_io_stop(s->loop, &s->io);
	else
		ev_io_start(s->loop, &s->io);
}

static void
hold(struct notify_sock *s)
{
	s->held = 1;
	s->ref = s->ref == UINT32_MAX ? 1 : s->ref + 1;
	watch(s);
}

void
notify_again(struct notify_sock *s)
{
	s->held = 0;
	watch(s);
}

void
notify_heard(struct notify_sock *s, uint32_t ref)
{
	if (!s->held || ref != s->ref)
		return;
	consume(s);
	notify_again(s);
}

static void
judge(struct notify_sock *s, const struct datagram *d)
{
	struct notify got;
	struct err err;
	if (d->cut) {
		grumble(s, d->sender, "it is longer than 4096 bytes");
		consume(s);
	} else if (notify_parse(d->buf, d->n, &got, &err) < 0) {
		grumble(s, d->sender, err.msg);
		consume(s);
	} else {
		if ((got.has & OF_WEIGHT) != 0)
			hold(s);
		else
			consume(s);
		tell(s, &got, d->sender);
	}
}

static void
read_some(struct notify_sock *s)
{
	struct datagram d;
	for (int i = 0; i < NOTIFY_READS_A_TURN && !s->held && !facts_full(s->facts);
	     i++) {
		if (receive(s->fd, &d) < 0) {
			if (errno != EAGAIN && errno != EINTR)
				grumble(s, 0, strerrordesc_np(errno));
			return;
		}
		s->orders(s->arg);
		if (s->dead)
			return;
		judge(s, &d);
	}
}

static void
on_datagram(struct ev_loop *loop, ev_io *w, int events)
{
	struct notify_sock *s = w->data;
	(void)loop;
	(void)events;
	s->busy = 1;
	read_some(s);
	s->busy = 0;
	if (s->dead)
		notify_free(&s);
}

void
notify_pause(struct notify_sock *s, int pause)
{
	s->paused = pause;
	watch(s);
}

struct notify_sock *
notify_new(struct ev_loop *loop, struct facts *facts, int fd)
{
	int on = 1;
	struct notify_sock *s = calloc(1, sizeof *s);
	if (s == NULL) {
		fd_close(&fd);
		return NULL;
	}
	s->loop = loop;
	s->facts = facts;
	s->fd = fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	ev_io_init(&s->io, on_datagram, fd, EV_READ);
	s->io.data = s;
	ev_io_start(loop, &s->io);
	return s;
}

void
notify_free(struct notify_sock **sp)
{
	struct notify_sock *s = *sp;
	*sp = NULL;
	if (s == NULL)
		return;
	ev_io_stop(s->loop, &s->io);
	s->dead = s->busy;
	if (s->dead)
		return;
	fd_close(&s->fd);
	free(s);
}
