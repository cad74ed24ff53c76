/*
 * mail - one request to a handler worker's mailbox, and its reply.
 *
 * Used by the verbs that speak to a handler itself (cmd_mail.c).  The mailbox decides who
 * may: by default the node's own user, root, and the users of its application's workers.
 */
#ifndef RELCTL_MAIL_H
#define RELCTL_MAIL_H

#include "base/err.h"
#include "mail/conn.h"

struct mail {
	struct conn conn;
	char name[FRAME_NAME_MAX + 1]; /* the id in full */
};

/*
 * Connects to the worker of that id in the node of run_dir; a name without application is
 * looked up.  sys: for the operator's requests, which a suspended worker hears, too.
 * ERR_UNKNOWN_NAME, ERR_BUSY, ERR_UNREACHABLE.
 */
int mail_open(
    struct mail *m, const char *run_dir, const char *id, int sys, struct err *err);
void mail_close(struct mail *m);
/*
 * Sends a frame and waits for its reply, which borrows from m.  0 for the frame kinds that
 * have none.  ERR_FAILED in time's stead, ERR_REFUSED, ERR_BUSY, ERR_UNREACHABLE.
 */
int mail_ask(struct mail *m, struct frame *f, uint64_t timeout_ms, struct frame *reply,
    struct err *err);

#endif
