/*
 * call - one JSON-RPC 2.0 request, from its line to its answer.
 *
 * A line is one request or a batch of at most RPC_BATCH_MAX.  Methods that read are
 * answered at once; methods that the master carries out wait in a list until its
 * MSG_REPLY, which comes when the thing is done.  AN_STALE makes the name be looked up
 * once again.  A request without an id is done and not answered.  Every mutation leaves
 * one audit line in the log, refused ones too.
 */
#ifndef CONTROL_CALL_H
#define CONTROL_CALL_H

#include <ev.h>

#include "control/client.h"
#include "control/control.h"
#include "control/fault.h"
#include "control/method.h"

enum { CALLS_MAX = 1024, CALL_BATCH_BYTES = 1024 * 1024 };

struct batch;

struct call {
	struct control *control;
	struct client *client; /* null when it has gone */
	struct batch *batch;   /* null for a single request */
	struct call *next, *prev;
	const struct method *method;
	struct json *id;     /* owned; null for a notification */
	struct json *params; /* owned; an object */
	struct msg_request req;
	uint32_t uid;
	int32_t pid;
	int waits;     /* in the list of those under way */
	int answered;  /* the deadline came first */
	int retried;   /* after AN_STALE */
	int want_maps; /* to be sent again when the new rows are there */
	ev_timer deadline;
	struct rows old_rows; /* node.reload: the rows before it */
	int old_rows_fd;
};

struct calls *calls_new(void);
void calls_free(struct control *c);
/* Serves one line, without its newline. */
void call_line(struct control *c, struct client *cl, const char *line, size_t len);
/* The line (free() it) that says f to a client who asked for nothing. */
char *call_error_line(struct fault *f);
/* The master's answer; *fd (or null) becomes -1 when taken. */
void calls_reply(struct control *c, const struct msg_reply *reply, int *fd);
/* New rows have come: those that were refused as stale are sent again. */
void calls_maps(struct control *c);
/* Its requests go on; nobody is told. */
void calls_client_gone(struct control *c, const struct client *cl);
/* Sends call->req; METHOD_WAITS, or METHOD_FAULT. */
int call_ask(struct call *call, struct fault *f);

#endif
