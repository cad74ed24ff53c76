#include "control/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "control/act.h"
#include "control/master.h"

struct calls {
	struct call *first;
	unsigned n;
	uint32_t last_ref;
};

/* Answers of a batch, gathered as text until all are there. */
struct batch {
	unsigned left; /* requests without their answer */
	char *text;    /* owned: "[a,b" */
	size_t len;
};

/* --- answers ------------------------------------------------------------------- */

static struct json *
envelope(const struct json *id)
{
	struct json *json = json_object();
	json_set_str(json, "jsonrpc", "2.0");
	json_set(json, "id", id == NULL ? json_null() : json_copy(id));
	return json;
}

static char *
error_text(const struct json *id, struct fault *f)
{
	struct json *json = envelope(id);
	json_set(json, "error", fault_json(f));
	char *text = json_print(json);
	json_free(&json);
	return text;
}

char *
call_error_line(struct fault *f)
{
	return error_text(NULL, f);
}

static void
batch_add(struct batch *b, const struct json *id, char *text)
{
	size_t len = strlen(text);
	char *other = NULL;
	if (b->len + len > CALL_BATCH_BYTES) {
		struct fault f = {.error = RPC_TOO_LARGE};
		other = error_text(id, &f);
		text = other;
		len = strlen(text);
	}
	b->text = realloc(b->text, b->len + len + 3);
	must(b->text != NULL);
	b->text[b->len] = b->len == 0 ? '[' : ',';
	b->len++;
	memcpy(b->text + b->len, text, len);
	b->len += len;
	if (other != NULL)
		free(other);
}

static void
batch_step(struct batch *b, struct client *cl)
{
	if (--b->left > 0)
		return;
	if (b->len > 0 && cl != NULL) {
		memcpy(b->text + b->len, "]", 2);
		client_send(cl, b->text);
	}
	free(b->text);
	free(b);
}

/* Hands out one answer; null for a notification. */
static void
deliver(struct client *cl, struct batch *b, const struct json *id, char *text)
{
	if (b != NULL) {
		if (text != NULL)
			batch_add(b, id, text);
		batch_step(b, cl);
	} else if (text != NULL && cl != NULL) {
		client_send(cl, text);
	}
	free(text);
}

/* --- the audit line -------------------------------------------------------------- */

static void
audit(const struct call *call, const char *result)
{
	if (call->method->verb == VERB_NONE)
		return;
	struct json *shown = json_copy(call->params);
	/* Values of an environment may be secret. */
	struct json *value = json_take(shown, "value");
	if (value != NULL)
		json_set_str(shown, "value", "(not shown)");
	json_free(&value);
	char *params = json_print(shown);
	log_info("audit uid=%u pid=%d method=%s params=%.400s → %s", call->uid,
	    call->pid, call->method->name, params, result);
	free(params);
	json_free(&shown);
}

/* --- the life of a call ---------------------------------------------------------- */

static void
call_unlink(struct call *call)
{
	struct calls *all = call->control->calls;
	if (!call->waits)
		return;
	call->waits = 0;
	ev_timer_stop(call->control->loop, &call->deadline);
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		all->first = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	all->n--;
}

static void
call_free(struct call **c)
{
	struct call *call = *c;
	call_unlink(call);
	if (call->old_rows_fd >= 0) {
		rows_unmap(&call->old_rows);
		fd_close(&call->old_rows_fd);
	}
	json_free(&call->id);
	json_free(&call->params);
	free(call);
	*c = NULL;
}

/* Answers, without ending the call, and takes result; result null: *f. */
static void
call_answer(struct call *call, struct json *result, struct fault *f)
{
	char *text = NULL;
	if (call->answered) {
		json_free(&result);
		return;
	}
	call->answered = 1;
	audit(call, result != NULL ? "ok" : rpc_errors[f->error].name);
	if (call->id != NULL && result == NULL)
		text = error_text(call->id, f);
	if (call->id != NULL && result != NULL) {
		struct json *json = envelope(call->id);
		json_set(json, "result", result);
		text = json_print(json);
		json_free(&json);
	} else {
		json_free(&result);
	}
	deliver(call->client, call->batch, call->id, text);
	call->batch = NULL;
	if (call->waits && call->client != NULL)
		client_release(call->client);
	call->client = NULL;
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct call *call = w->data;
	struct fault f = {.error = RPC_TIMEOUT};
	(void)loop;
	(void)revents;
	fault_set(&f, RPC_TIMEOUT, "'%s' was not done within %lld ms; it goes on",
	    call->method->name, (long long)json_get_int(call->params, "timeout_ms", 0));
	/* The record stays: the master's answer still has to find it. */
	call_answer(call, NULL, &f);
}

static void
call_link(struct call *call)
{
	struct calls *all = call->control->calls;
	int64_t timeout_ms = json_get_int(call->params, "timeout_ms", 0);
	call->waits = 1;
	call->next = all->first;
	if (all->first != NULL)
		all->first->prev = call;
	all->first = call;
	all->n++;
	client_hold(call->client);
	if (timeout_ms > 0) {
		ev_timer_set(&call->deadline, (double)timeout_ms / 1000., 0.);
		ev_timer_start(call->control->loop, &call->deadline);
	}
}

int
call_ask(struct call *call, struct fault *f)
{
	struct calls *all = call->control->calls;
	if (!call->waits && all->n >= CALLS_MAX)
		return fault_set(
		    f, RPC_BUSY, "%u requests wait already; try later", all->n);
	if (++all->last_ref == 0)
		all->last_ref = 1;
	call->req.m.type = MSG_REQUEST;
	call->req.m.ref = all->last_ref;
	call->req.verb = call->method->verb;
	call->req.rows_seq = call->control->view.rows_seq;
	call->req.uid = call->uid;
	if (master_send(call->control->master, &call->req, sizeof call->req) < 0)
		return fault_set(f, RPC_BUSY, "the master does not take requests now");
	if (!call->waits)
		call_link(call);
	return METHOD_WAITS;
}

/* Runs the method, for the first time or again after AN_STALE. */
static void
call_run(struct call *call)
{
	struct fault f = {.error = RPC_INTERNAL};
	struct json *result = json_object();
	int ret = call->method->run(call, result, &f);
	if (ret != METHOD_WAITS) {
		if (ret != METHOD_DONE)
			json_free(&result);
		call_answer(call, result, &f);
		result = NULL;
		call_free(&call);
	}
	json_free(&f.data);
	json_free(&result);
}

/* --- replies --------------------------------------------------------------------- */

void
calls_reply(struct control *c, const struct msg_reply *reply, int *fd)
{
	struct call *call = c->calls->first;
	while (call != NULL && (call->req.m.ref != reply->m.ref || call->want_maps))
		call = call->next;
	if (call == NULL) {
		log_warn(
		    "the master answered request %u, which nobody made", reply->m.ref);
		return;
	}
	if (reply->answer == AN_STALE && !call->retried && !call->answered) {
		call->retried = 1;
		if (view_current(&c->view)) {
			call_run(call);
			return;
		}
		call->want_maps = 1;
		return;
	}
	struct fault f = {.error = RPC_INTERNAL};
	struct json *result = json_object();
	int ret = act_answer(call, reply, fd, result, &f);
	if (ret != 0)
		json_free(&result);
	call_answer(call, result, &f);
	json_free(&f.data);
	call_free(&call);
}

void
calls_maps(struct control *c)
{
	struct call *next;
	for (struct call *call = c->calls->first; call != NULL; call = next) {
		next = call->next;
		if (!call->want_maps)
			continue;
		call->want_maps = 0;
		call_run(call);
	}
}

void
calls_client_gone(struct control *c, const struct client *cl)
{
	for (struct call *call = c->calls->first; call != NULL; call = call->next)
		if (call->client == cl)
			call->client = NULL;
}

/* --- from the line to the call --------------------------------------------------- */

static int
check_request(const struct json *req, struct fault *f)
{
	const struct json *id = json_get(req, "id");
	const struct json *params = json_get(req, "params");
	const char *version = json_get_str(req, "jsonrpc", "");
	if (!json_is(req, JSON_OBJECT))
		return fault_set(f, RPC_INVALID_REQUEST, "a request is a JSON object");
	if (strcmp(version, "2.0") != 0)
		return fault_set(
		    f, RPC_INVALID_REQUEST, "a request has \"jsonrpc\": \"2.0\"");
	if (json_get_str(req, "method", NULL) == NULL)
		return fault_set(
		    f, RPC_INVALID_REQUEST, "a request has \"method\", a string");
	if (id != NULL && !json_is(id, JSON_STRING) && !json_is(id, JSON_NUMBER) &&
	    !json_is(id, JSON_NULL))
		return fault_set(
		    f, RPC_INVALID_REQUEST, "\"id\" is a string, a number or null");
	if (params != NULL && !json_is(params, JSON_OBJECT))
		return fault_set(f, RPC_INVALID_PARAMS,
		    "\"params\" is an object with named members");
	return 0;
}

static int
check_role(struct client *cl, const struct call *call, struct fault *f)
{
	if (client_role(cl) >= call->method->role)
		return 0;
	fault_set(f, RPC_FORBIDDEN, "'%s' needs the role %s; uid %u has %s",
	    call->method->name, caller_role_names[call->method->role], call->uid,
	    caller_role_names[client_role(cl)]);
	return -1;
}

static struct call *
call_new(struct control *c, struct client *cl, struct batch *b, struct json *req)
{
	struct call *call = calloc(1, sizeof *call);
	must(call != NULL);
	call->control = c;
	call->client = cl;
	call->batch = b;
	call->old_rows_fd = -1;
	call->uid = client_who(cl)->uid;
	call->pid = client_who(cl)->pid;
	call->id = json_take(req, "id");
	call->params = json_take(req, "params");
	if (call->params == NULL)
		call->params = json_object();
	ev_timer_init(&call->deadline, on_deadline, 0., 0.);
	call->deadline.data = call;
	return call;
}

/* One request of a line. */
static void
serve(struct control *c, struct client *cl, struct batch *b, struct json *req)
{
	struct fault f = {.error = RPC_INTERNAL};
	const struct method *m = NULL;
	if (check_request(req, &f) == 0)
		m = method_find(json_get_str(req, "method", ""), &f);
	if (m == NULL) {
		/* What is no request at all is answered with a null id. */
		const struct json *id = json_get(req, "id");
		int odd = f.error == RPC_INVALID_REQUEST;
		deliver(cl, b, id, id != NULL || odd ? error_text(id, &f) : NULL);
		json_free(&f.data);
		return;
	}
	struct call *call = call_new(c, cl, b, req);
	call->method = m;
	if (check_role(cl, call, &f) < 0 || method_check(m, call->params, &f) < 0) {
		call_answer(call, NULL, &f);
		json_free(&f.data);
		call_free(&call);
		return;
	}
	call_run(call);
}

static void
serve_batch(struct control *c, struct client *cl, struct json *line)
{
	size_t n = json_count(line);
	struct fault f = {.error = RPC_INVALID_REQUEST};
	if (n == 0 || n > RPC_BATCH_MAX) {
		fault_set(&f, RPC_INVALID_REQUEST,
		    "a batch has 1 to %d requests, not %zu", RPC_BATCH_MAX, n);
		deliver(cl, NULL, NULL, error_text(NULL, &f));
		return;
	}
	/* the last step of a batch frees it: NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	struct batch *b = calloc(1, sizeof *b);
	must(b != NULL);
	b->left = (unsigned)n + 1; /* one for this loop */
	for (const struct json *r = json_first(line); r != NULL; r = json_next(r)) {
		struct json *req = json_copy(r);
		serve(c, cl, b, req);
		json_free(&req);
	}
	batch_step(b, cl);
}

/* NOLINTEND(clang-analyzer-unix.Malloc) */

void
call_line(struct control *c, struct client *cl, const char *line, size_t len)
{
	static const struct json_limits limits = {RPC_LINE_MAX, RPC_DEPTH_MAX};
	struct err err;
	struct fault f = {.error = RPC_PARSE};
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0)
		return; /* an empty line keeps nobody awake */
	struct json *json = json_parse(line, len, &limits, &err);
	if (json == NULL) {
		fault_set(&f, RPC_PARSE, "%s", err.msg);
		deliver(cl, NULL, NULL, error_text(NULL, &f));
	} else if (json_is(json, JSON_ARRAY)) {
		serve_batch(c, cl, json);
	} else {
		serve(c, cl, NULL, json);
	}
	json_free(&json);
}

struct calls *
calls_new(void)
{
	struct calls *all = calloc(1, sizeof *all);
	must(all != NULL);
	return all;
}

void
calls_free(struct control *c)
{
	struct call *next;
	for (struct call *call = c->calls->first; call != NULL; call = next) {
		next = call->next;
		if (call->batch != NULL)
			batch_step(call->batch, NULL);
		call_free(&call);
	}
	free(c->calls);
	c->calls = NULL;
}
