/*
 * conn - one connection of a mailbox: frames in, frames out, nothing waits.
 *
 * What is read stands in a buffer that conn_next walks frame by frame; what does not fit
 * into the socket stands in another until conn_flush gets rid of it.  A frame is written
 * at once when nothing waits before it, so that one message costs one system call, and
 * many in one wake-up are read with one.
 *
 * Used by supervisord-worker on both ends and by the control role.  Who makes a conn
 * closes it; frames borrow from its buffer until the next conn_next, conn_read or conn_close.
 */
#ifndef MAIL_CONN_H
#define MAIL_CONN_H

#include <stddef.h>

#include "base/err.h"
#include "mail/frame.h"

struct conn_buf {
	char *bytes; /* owned by the conn */
	size_t cap, from, to;
};

struct conn {
	int fd; /* owned; -1: closed */
	struct conn_buf in, out;
};

/* Takes a connected socket. */
void conn_open(struct conn *c, int fd);
void conn_close(struct conn *c);
/* A connection to a mailbox below `dirfd`.  -1: ERR_UNKNOWN_NAME if there is none,
 * ERR_BUSY if too many wait there already. */
int conn_connect(struct conn *c, int dirfd, const char *name, struct err *err);
/* The file name of a mailbox: "app/worker#2" is "app.worker#2".  -1: no name can be so. */
int conn_file_name(const char *name, char *buf, size_t cap);

/* Reads what is there.  1: something came, 0: nothing for now, -1: the end (errno 0) or a
 * failure. */
int conn_read(struct conn *c);
/* The next whole frame of what was read: 1, 0 for none, -1 for garbage. */
int conn_next(struct conn *c, struct frame *f);
/* Sends or keeps it.  -1: the connection is broken (EPIPE), or no memory (ENOMEM). */
int conn_send(struct conn *c, const struct frame *f);
/* 1: all is out, 0: some waits for the socket, -1: broken. */
int conn_flush(struct conn *c);

/* Bytes that wait to be written. */
static inline size_t
conn_waiting(const struct conn *c)
{
	return c->out.to - c->out.from;
}

#endif
