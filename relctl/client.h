/*
 * client - relctl's end of control.sock.
 *
 * One connection, one request at a time; event notifications that arrive meanwhile are
 * kept for client_next.  Everything waits with a deadline.  A failure becomes a struct
 * err whose kind is the exit code, by the table of rpc.h.
 */
#ifndef RELCTL_CLIENT_H
#define RELCTL_CLIENT_H

#include <stdint.h>

#include "base/err.h"
#include "json/json.h"

struct client;

/* Connects to RUN_DIR/control.sock.  ERR_UNREACHABLE says how to start a node. */
struct client *client_open(const char *run_dir, const char *root, struct err *err);
void client_close(struct client **client);
/*
 * Calls a method and waits for its answer, at most timeout_ms (MS_INFINITY: for ever).
 * Takes params (may be null).  The result, owned by the caller, or null.
 */
struct json *client_call(struct client *cl, const char *method, struct json *params,
    uint64_t timeout_ms, struct err *err);
/* error.data of the last call that failed, or null; borrowed until the next call. */
const struct json *client_error_data(const struct client *cl);
/* The next notification.  1, 0 when the time is over, -1 on failure. */
int client_next(
    struct client *cl, uint64_t timeout_ms, struct json **ret, struct err *err);
/* Its descriptor, to wait for other things as well. */
int client_fd(const struct client *cl);
/* Is a whole line here already, so that nothing needs to be waited for? */
int client_pending(const struct client *cl);

#endif
