#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "json/rpc.h"

enum { ANSWER_MAX_BYTES = 32 << 20, ANSWER_DEPTH = 64, READ_MIN = 64 * 1024 };

/* Notifications that came while an answer was awaited. */
struct kept {
	struct kept *next;
	struct json *json;
};

struct client {
	int fd;
	uint32_t last_id;
	char *in; /* owned */
	size_t at, len, cap;
	struct kept *first, **last;
	struct json *error_data; /* owned */
};

static int
unreachable(struct err *err, const char *run_dir, const char *root, int code)
{
	const char *how = root != NULL ? " --root " : "";
	if (code == EACCES || code == EPERM)
		return err_set(err, ERR_REFUSED,
		    "you may not connect to %s/control.sock; ask for a role in the node's "
		    "[node] section, or use sudo",
		    run_dir);
	return err_set(err, ERR_UNREACHABLE,
	    "no node answers at %s/control.sock; start one with `supervisord%s%s`",
	    run_dir, how, root != NULL ? root : "");
}

struct client *
client_open(const char *run_dir, const char *root, struct err *err)
{
	int dir = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		unreachable(err, run_dir, root, errno);
		return NULL;
	}
	int fd = fd_unix_connect(dir, "control.sock", SOCK_STREAM, NULL);
	int code = errno;
	fd_close(&dir);
	if (fd < 0) {
		unreachable(err, run_dir, root, code);
		return NULL;
	}
	struct client *cl = calloc(1, sizeof *cl);
	must(cl != NULL);
	cl->fd = fd;
	cl->last = &cl->first;
	return cl;
}

void
client_close(struct client **client)
{
	struct client *cl = *client;
	if (cl == NULL)
		return;
	while (cl->first != NULL) {
		struct kept *k = cl->first;
		cl->first = k->next;
		json_free(&k->json);
		free(k);
	}
	json_free(&cl->error_data);
	fd_close(&cl->fd);
	free(cl->in);
	free(cl);
	*client = NULL;
}

int
client_fd(const struct client *cl)
{
	return cl->fd;
}

int
client_pending(const struct client *cl)
{
	return cl->first != NULL ||
	       (cl->len > 0 && memchr(cl->in + cl->at, '\n', cl->len) != NULL);
}

const struct json *
client_error_data(const struct client *cl)
{
	return cl->error_data;
}

static void
make_room(struct client *cl)
{
	if (cl->at > 0) {
		memmove(cl->in, cl->in + cl->at, cl->len);
		cl->at = 0;
	}
	if (cl->cap - cl->len >= READ_MIN)
		return;
	cl->cap = cl->cap == 0 ? 2 * (size_t)READ_MIN : cl->cap * 2;
	cl->in = realloc(cl->in, cl->cap);
	must(cl->in != NULL);
}

/* More bytes.  1, 0 when the time is over, -1 on failure. */
static int
read_more(struct client *cl, uint64_t until_ms, struct err *err)
{
	struct pollfd p = {.fd = cl->fd, .events = POLLIN};
	int wait = -1;
	if (until_ms != MS_INFINITY) {
		uint64_t now = clock_ms(CLOCK_MONOTONIC);
		wait =
		    now >= until_ms ? 0 : (int)MIN(until_ms - now, (uint64_t)INT32_MAX);
	}
	int n = poll(&p, 1, wait);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0)
		return n;
	make_room(cl);
	ssize_t k = recv(cl->fd, cl->in + cl->len, cl->cap - cl->len, 0);
	if (k < 0 && errno == EINTR)
		return 1;
	if (k < 0)
		return err_sys(err, "the connection to the node broke");
	if (k == 0)
		return err_set(err, ERR_UNREACHABLE,
		    "the node closed the connection; it may have been stopped, or its "
		    "control process is being restarted");
	cl->len += (size_t)k;
	return 1;
}

/* The next line as JSON.  1, 0 when the time is over, -1. */
static int
next_json(struct client *cl, uint64_t until_ms, struct json **ret, struct err *err)
{
	static const struct json_limits limits = {ANSWER_MAX_BYTES, ANSWER_DEPTH};
	size_t seen = 0;
	for (;;) {
		char *nl = cl->len > seen
			       ? memchr(cl->in + cl->at + seen, '\n', cl->len - seen)
			       : NULL;
		if (nl != NULL) {
			char *from = cl->in + cl->at;
			size_t len = (size_t)(nl - from);
			*ret = json_parse(from, len, &limits, err);
			cl->at += len + 1;
			cl->len -= len + 1;
			return *ret != NULL ? 1 : err_wrap(err, "the node's answer");
		}
		seen = cl->len;
		if (cl->len > ANSWER_MAX_BYTES)
			return err_set(err, ERR_PROTO, "the node's answer is too long");
		int n = read_more(cl, until_ms, err);
		if (n <= 0)
			return n;
	}
}

static void
keep(struct client *cl, struct json *json)
{
	struct kept *k = calloc(1, sizeof *k);
	must(k != NULL);
	k->json = json;
	*cl->last = k;
	cl->last = &k->next;
}

static int
send_request(
    struct client *cl, const char *method, struct json *params, struct err *err)
{
	struct json *req = json_object();
	json_set_str(req, "jsonrpc", "2.0");
	json_set_i64(req, "id", ++cl->last_id);
	json_set_str(req, "method", method);
	if (params != NULL)
		json_set(req, "params", params);
	char *text = json_print(req);
	json_free(&req);
	size_t len = strlen(text);
	text[len] = '\n'; /* in place of its NUL: the length is known */
	size_t at = 0;
	int ret = 0;
	while (ret == 0 && at < len + 1) {
		ssize_t n = send(cl->fd, text + at, len + 1 - at, MSG_NOSIGNAL);
		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			ret = -1;
	}
	free(text);
	/* Who was refused finds the reason in what there is to read. */
	if (ret < 0 && errno != EPIPE)
		return err_sys(err, "the connection to the node broke");
	return 0;
}

static void
take_error(struct client *cl, struct json *answer, struct err *err)
{
	const struct json *error = json_get(answer, "error");
	const struct rpc_error_row *row =
	    rpc_error_of_code(json_get_int(error, "code", 0));
	json_free(&cl->error_data);
	const struct json *data = json_get(error, "data");
	if (data != NULL)
		cl->error_data = json_copy(data);
	err_set(err, row != NULL ? row->kind : ERR_FAILED, "%s",
	    json_get_str(error, "message", "the node gave no reason"));
}

/* Is this the answer that is awaited?  A null id is about the connection itself. */
static int
is_answer(const struct client *cl, const struct json *json)
{
	if (json_get(json, "method") != NULL)
		return 0;
	return json_get_int(json, "id", -1) == (int64_t)cl->last_id ||
	       json_get(json, "error") != NULL;
}

struct json *
client_call(struct client *cl, const char *method, struct json *params,
    uint64_t timeout_ms, struct err *err)
{
	uint64_t until = timeout_ms == MS_INFINITY
			     ? MS_INFINITY
			     : clock_ms(CLOCK_MONOTONIC) + timeout_ms;
	struct json *json = NULL, *result = NULL;
	if (send_request(cl, method, params, err) < 0)
		return NULL;
	for (;;) {
		int n = next_json(cl, until, &json, err);
		if (n == 0)
			err_set(err, ERR_FAILED, "the node did not answer '%s' in time",
			    method);
		if (n <= 0)
			return NULL;
		if (is_answer(cl, json))
			break;
		keep(cl, json);
	}
	result = json_take(json, "result");
	if (result == NULL)
		take_error(cl, json, err);
	json_free(&json);
	return result;
}

int
client_next(struct client *cl, uint64_t timeout_ms, struct json **ret, struct err *err)
{
	uint64_t until = timeout_ms == MS_INFINITY
			     ? MS_INFINITY
			     : clock_ms(CLOCK_MONOTONIC) + timeout_ms;
	struct kept *k = cl->first;
	if (k == NULL)
		return next_json(cl, until, ret, err);
	*ret = k->json;
	cl->first = k->next;
	if (cl->first == NULL)
		cl->last = &cl->first;
	free(k);
	return 1;
}
