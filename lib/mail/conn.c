#include "mail/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/util.h"

enum { IN_MIN = 16 << 10, KEEP_MAX = 256 << 10 };

void
conn_open(struct conn *c, int fd)
{
	*c = (struct conn){.fd = fd};
}

void
conn_close(struct conn *c)
{
	fd_close(&c->fd);
	free(c->in.bytes);
	free(c->out.bytes);
	c->in = c->out = (struct conn_buf){0};
}

int
conn_file_name(const char *name, char *buf, size_t cap)
{
	size_t len = strlen(name);
	const char *slash = strchr(name, '/');
	const char *worker = slash != NULL ? slash + 1 : name;
	size_t worker_len = strcspn(worker, "#");
	if (len >= cap || len > FRAME_NAME_MAX ||
	    (slash != NULL && !str_is_id_part(name, (size_t)(slash - name))) ||
	    !str_is_id_part(worker, worker_len) ||
	    (worker[worker_len] == '#' &&
		strspn(worker + worker_len + 1, "0123456789") !=
		    strlen(worker + worker_len + 1)))
		return -1;
	memcpy(buf, name, len + 1);
	if (slash != NULL)
		buf[slash - name] = '.';
	return 0;
}

int
conn_connect(struct conn *c, int dirfd, const char *name, struct err *err)
{
	char file[FRAME_NAME_MAX + 1];
	if (conn_file_name(name, file, sizeof file) < 0)
		return err_set(err, ERR_UNKNOWN_NAME, "no worker can have that name");
	int fd = fd_unix_connect(dirfd, file, SOCK_STREAM | SOCK_NONBLOCK, err);
	if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		return err_set(err, ERR_UNKNOWN_NAME, "%s has no mailbox", name);
	if (fd < 0 && errno == EAGAIN)
		return err_set(err, ERR_BUSY, "too many wait for %s already", name);
	if (fd < 0)
		return -1;
	conn_open(c, fd);
	return 0;
}

/* Room for `want` bytes behind what is there; what was used up goes first. */
static int
buf_room(struct conn_buf *b, size_t want)
{
	if (b->from == b->to)
		b->from = b->to = 0;
	if (b->cap - b->to >= want)
		return 0;
	if (b->from > 0) {
		memmove(b->bytes, b->bytes + b->from, b->to - b->from);
		b->to -= b->from;
		b->from = 0;
	}
	if (b->cap - b->to >= want)
		return 0;
	size_t cap = MAX(b->cap * 2, b->to + want);
	char *bytes = realloc(b->bytes, cap);
	if (bytes == NULL)
		return -1;
	b->bytes = bytes;
	b->cap = cap;
	return 0;
}

/* A large message leaves no large buffer behind. */
static void
buf_shrink(struct conn_buf *b)
{
	if (b->from != b->to || b->cap <= KEEP_MAX)
		return;
	free(b->bytes);
	*b = (struct conn_buf){0};
}

/* As much room as the frame that has begun needs, and never less than IN_MIN. */
static size_t
in_wanted(struct conn *c)
{
	struct frame f;
	size_t have = c->in.to - c->in.from, size;
	if (have < FRAME_HEAD_SIZE ||
	    frame_parse(c->in.bytes + c->in.from, have, &f, &size) != 0)
		return IN_MIN;
	return MAX(size - have, (size_t)IN_MIN);
}

int
conn_read(struct conn *c)
{
	buf_shrink(&c->in);
	if (buf_room(&c->in, in_wanted(c)) < 0)
		return -1;
	ssize_t n = recv(c->fd, c->in.bytes + c->in.to, c->in.cap - c->in.to, 0);
	if (n > 0) {
		c->in.to += (size_t)n;
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == 0)
		errno = 0;
	return -1;
}

int
conn_next(struct conn *c, struct frame *f)
{
	size_t size;
	if (c->in.from == c->in.to) {
		buf_shrink(&c->in);
		return 0;
	}
	int got =
	    frame_parse(c->in.bytes + c->in.from, c->in.to - c->in.from, f, &size);
	if (got == 1)
		c->in.from += size;
	return got;
}

int
conn_flush(struct conn *c)
{
	while (c->out.from < c->out.to) {
		ssize_t n = send(c->fd, c->out.bytes + c->out.from,
		    c->out.to - c->out.from, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		c->out.from += (size_t)n;
	}
	buf_shrink(&c->out);
	return 1;
}

/* Keeps what is left of a frame of which `sent` bytes are out. */
static int
keep_rest(struct conn *c, const struct iovec *part, int n, size_t sent)
{
	for (int i = 0; i < n; i++) {
		if (sent >= part[i].iov_len) {
			sent -= part[i].iov_len;
			continue;
		}
		size_t left = part[i].iov_len - sent;
		if (buf_room(&c->out, left) < 0) {
			errno = ENOMEM;
			return -1;
		}
		memcpy(c->out.bytes + c->out.to, (const char *)part[i].iov_base + sent,
		    left);
		c->out.to += left;
		sent = 0;
	}
	return 0;
}

int
conn_send(struct conn *c, const struct frame *f)
{
	char head[FRAME_HEAD_SIZE + FRAME_NAME_MAX + 1], nul = '\0';
	size_t head_len = frame_put_head(head, f);
	struct iovec part[] = {{head, head_len}, {unconst(f->data), f->len}, {&nul, 1}};
	struct msghdr m = {.msg_iov = part, .msg_iovlen = COUNT(part)};
	ssize_t n = 0;
	if (c->fd < 0) {
		errno = EPIPE;
		return -1;
	}
	if (conn_waiting(c) == 0) {
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
	}
	int r = keep_rest(c, part, COUNT(part), n < 0 ? 0 : (size_t)n);
	if (r < 0) {
		/* half a frame is out: its end tells everybody */
		(void)shutdown(c->fd, SHUT_RDWR);
		errno = ENOMEM;
	}
	return r;
}
