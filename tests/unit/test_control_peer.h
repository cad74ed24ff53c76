/*
 * test_control_peer - a client of the fake node: what it sends, and what comes back.
 */
#ifndef TEST_CONTROL_PEER_H
#define TEST_CONTROL_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "test_control_fake.h"

struct peer {
	int fd;
	struct client *client;
	char buf[4 << 20];
	size_t len;
};

static struct fake fake;
static struct peer peer;

static inline int
peer_open(struct peer *p)
{
	int pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ==
	     0);
	p->fd = pair[0];
	p->len = 0;
	p->client = client_new(fake.c.clients, pair[1]);
	return p->client != NULL ? 0 : -1;
}

static inline void
peer_close(struct peer *p)
{
	fd_close(&p->fd);
	fake_turn(&fake);
}

static inline int
setup(void **state)
{
	(void)state;
	fake_open(&fake);
	return peer_open(&peer);
}

static inline int
teardown(void **state)
{
	(void)state;
	fd_close(&peer.fd);
	fake_close(&fake);
	return 0;
}

static inline void
peer_send(struct peer *p, const char *text)
{
	assert_int_equal(fd_write_all(p->fd, text, strlen(text)), 0);
	fake_turn(&fake);
}

static inline void
peer_read(struct peer *p)
{
	ssize_t n;
	while ((n = recv(p->fd, p->buf + p->len, sizeof p->buf - p->len, 0)) > 0) {
		p->len += (size_t)n;
		fake_turn(&fake);
	}
}

/* The next line; null if there is none. */
static inline struct json *
peer_line(struct peer *p)
{
	static const struct json_limits limits = {sizeof p->buf, 64};
	peer_read(p);
	char *nl = memchr(p->buf, '\n', p->len);
	if (nl == NULL)
		return NULL;
	size_t len = (size_t)(nl - p->buf);
	struct json *json = json_parse(p->buf, len, &limits, NULL);
	assert_non_null(json);
	memmove(p->buf, nl + 1, p->len - len - 1);
	p->len -= len + 1;
	return json;
}

static inline struct json *
ask(const char *method, const char *params)
{
	char text[2048];
	(void)snprintf(text, sizeof text,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method,
	    params);
	peer_send(&peer, text);
	return peer_line(&peer);
}

static inline struct json *
result_of(const char *method, const char *params)
{
	struct json *answer = ask(method, params);
	assert_non_null(answer);
	struct json *result = json_take(answer, "result");
	if (result == NULL)
		fail_msg("%s: %s", method,
		    json_get_str(json_get(answer, "error"), "message", "?"));
	json_free(&answer);
	return result;
}

static inline void
assert_error(struct json *answer, enum rpc_error error)
{
	assert_non_null(answer);
	const struct json *e = json_get(answer, "error");
	assert_non_null(e);
	assert_int_equal(json_get_int(e, "code", 0), rpc_errors[error].code);
	assert_string_equal(
	    json_get_str(json_get(e, "data"), "name", ""), rpc_errors[error].name);
	assert_true(strlen(json_get_str(e, "message", "")) > 5);
	json_free(&answer);
}

static inline void
refused(const char *method, const char *params, enum rpc_error error)
{
	assert_error(ask(method, params), error);
}

/* What the master gets of it. */
static inline void
start_request(const char *method, const char *params, struct msg_request *got)
{
	struct json *answer = ask(method, params);
	if (answer != NULL)
		fail_msg("%s: %s", method,
		    json_get_str(json_get(answer, "error"), "message", "?"));
	assert_int_equal(fake_master_got(&fake, MSG_REQUEST, got), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
