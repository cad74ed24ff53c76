/*
 * A web server for tests, on the socket `http`:
 *   /echo		what came, a `name=value` a line, and the body behind an empty line
 *   /later/MS		answers after a time
 *   /hold		answered by /release, the last one first
 *   /never		not at all; /recall tries it and tells errno
 *   /twice		answers, and tells errno of the second answer in its log
 *   /wrong		wrong statuses and headers: their errnos
 *   /big/N		N bytes	   /status/N	that status	/crash
 * Calls: "held" how many wait; "serve NAME TAG" serves it: errno; "release".
 * With -DNO_INFO it has no handle_info.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <steward/handler.h>

enum { HELD_MAX = 256, TAG = 5 };

struct web {
	uint64_t held[HELD_MAX], never;
	int nheld;
};

static void
answer(struct steward_worker *w, uint64_t id, unsigned status, const char *text)
{
	struct steward_data data = {text, strlen(text), STEWARD_TEXT};
	(void)steward_http_reply(w, id, status, NULL, &data);
}

static int
release(struct steward_worker *w, struct web *web)
{
	int n = web->nheld;
	char text[32];
	while (web->nheld > 0) {
		(void)snprintf(text, sizeof text, "held %d", --web->nheld);
		answer(w, web->held[web->nheld], 200, text);
	}
	return n;
}

#ifndef NO_INFO
static void
echo(struct steward_worker *w, const struct steward_info *info)
{
	static const char *const headers[] = {
	    "X-Seen: yes", "Content-Type: text/x-echo", NULL};
	const struct steward_http *h = info->http;
	size_t cap = h->body.len + 8192;
	char *text = malloc(cap);
	int n = snprintf(text, cap,
	    "tag=%llu\nmethod=%s\npath=%s\nquery=%s\ntype=%s\naccept=%s\npeer=%s\n"
	    "kind=%u\nlength=%zu\n\n",
	    (unsigned long long)info->tag, h->method, h->path, h->query, h->type,
	    h->accept, h->peer, h->body.type, h->body.len);
	memcpy(text + n, h->body.bytes, h->body.len);
	struct steward_data data = steward_bytes(text, (size_t)n + h->body.len);
	(void)steward_http_reply(w, h->id, 200, headers, &data);
	free(text);
}

static int
reply_errno(struct steward_worker *w, uint64_t id, unsigned status, const char *header)
{
	const char *const headers[] = {header, NULL};
	return steward_http_reply(w, id, status, headers, NULL) == 0 ? 0 : errno;
}

static void
wrong(struct steward_worker *w, uint64_t id)
{
	static const char *const headers[] = {"no colon", "Bad Name: x", "X: a\r\nY: b",
	    "Content-Length: 7", "Transfer-Encoding: chunked", ": x", "X:"};
	char text[128] = "";
	size_t len = 0;
	len += (size_t)snprintf(text, sizeof text, "%d %d",
	    reply_errno(w, id, 99, "X: y"), reply_errno(w, id, 600, "X: y"));
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, " %d",
		    reply_errno(w, id, 200, headers[i]));
	answer(w, id, 500, text);
}

static void
big(struct steward_worker *w, uint64_t id, size_t n)
{
	char *bytes = calloc(1, n + 1);
	memset(bytes, 'b', n);
	struct steward_data data = steward_bytes(bytes, n);
	(void)steward_http_reply(w, id, 200, NULL, &data);
	free(bytes);
}

static void
request(struct steward_worker *w, const struct steward_info *info, struct web *web)
{
	const struct steward_http *h = info->http;
	unsigned long n = 0;
	char text[64];
	if (strcmp(h->path, "/crash") == 0)
		abort();
	if (strcmp(h->path, "/hold") == 0 && web->nheld < HELD_MAX) {
		web->held[web->nheld++] = h->id;
	} else if (strcmp(h->path, "/release") == 0) {
		(void)snprintf(text, sizeof text, "%d", release(w, web));
		answer(w, h->id, 200, text);
	} else if (strcmp(h->path, "/never") == 0) {
		web->never = h->id;
	} else if (strcmp(h->path, "/recall") == 0) {
		(void)snprintf(
		    text, sizeof text, "%d", reply_errno(w, web->never, 200, "X: y"));
		answer(w, h->id, 200, text);
	} else if (strcmp(h->path, "/twice") == 0) {
		answer(w, h->id, 200, "once");
		steward_log(w, "twice: %d", reply_errno(w, h->id, 200, "X: y"));
	} else if (strcmp(h->path, "/wrong") == 0) {
		wrong(w, h->id);
	} else if (sscanf(h->path, "/later/%lu", &n) == 1) {
		(void)steward_timer(w, n, h->id);
	} else if (sscanf(h->path, "/big/%lu", &n) == 1) {
		big(w, h->id, n);
	} else if (sscanf(h->path, "/status/%lu", &n) == 1) {
		(void)steward_http_reply(w, h->id, (unsigned)n, NULL, NULL);
	} else {
		echo(w, info);
	}
}

static enum steward_next
handle_info(struct steward_worker *w, const struct steward_info *info, void *state)
{
	if (info->kind == STEWARD_HTTP)
		request(w, info, state);
	else if (info->kind == STEWARD_TIMER)
		answer(w, info->tag, 200, "late");
	return STEWARD_OK;
}
#endif

static enum steward_next
handle_call(struct steward_worker *w, const struct steward_request *r, void *state)
{
	struct web *web = state;
	char name[32], text[32];
	unsigned long tag;
	int n = web->nheld;
	if (strncmp(r->data.bytes, "\"release", 8) == 0)
		n = release(w, web);
	else if (sscanf(r->data.bytes, "\"serve %31s %lu", name, &tag) == 2)
		n = steward_http_serve(w, name, tag) == 0 ? 0 : errno;
	(void)snprintf(text, sizeof text, "%d", n);
	struct steward_data data = steward_json(text);
	(void)steward_reply(w, &r->from, &data);
	return STEWARD_OK;
}

static int
init(struct steward_worker *w, const struct steward_args *args, void **state)
{
	(void)args;
	*state = calloc(1, sizeof(struct web));
	return steward_http_serve(w, "http", TAG);
}

STEWARD_HANDLER("web", "1", 1, .init = init, .handle_call = handle_call,
#ifndef NO_INFO
    .handle_info = handle_info,
#endif
);
