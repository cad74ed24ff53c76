/*
 * Control's requests under faults: each is answered, by a result or an error, or the
 * process ends with a sentence (memory) and is started anew.
 */
#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "test_control_fake.h"
#include "tests/unit/wrap.h"

static struct fake fake;

static const char *const requests[] = {
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node.info\"}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tree.list\"}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tree.get\",\"params\":{\"id\":\"api/web\"}}\n",
    ("[{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"events.list\"},"
     "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"nonsense\"}]\n"),
    "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"worker.stop\",\"params\":{\"id\":\"api/web\"}}\n",
    "{broken\n",
};

/* The master's answer to whatever was asked of it. */
static void
play_master(void)
{
	struct msg_request req;
	bool on = wrap_pause();
	while (fake_master_got(&fake, MSG_REQUEST, &req) == 0) {
		struct msg_reply r = {
		    .m = {.type = MSG_REPLY, .ref = req.m.ref, .slot = FS_WEB},
		    .answer = AN_OK};
		must(chan_send(fake.master, &r, sizeof r, NULL, 0) == 0);
	}
	wrap_resume(on);
}

static int
ask(int fd, const char *request, struct err *err)
{
	static char answer[1 << 20];
	ssize_t n = 0;
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return err_sys(err, "the client was hung up on");
	for (int turn = 0; turn < 8 && n <= 0; turn++) {
		fake_turn(&fake);
		play_master();
		fake_turn(&fake);
		n = recv(fd, answer, sizeof answer - 1, 0);
	}
	if (n <= 0)
		return err_set(err, ERR_FAILED, "no answer to %s", request);
	answer[n] = '\0';
	if (strstr(answer, "\"result\"") == NULL && strstr(answer, "\"error\"") == NULL)
		return err_set(err, ERR_FAILED, "answered by %s", answer);
	return 0;
}

static int
serve(struct err *err)
{
	int pair[2], rc = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) <
	    0)
		return err_sys(err, "no sockets");
	if (client_new(fake.c.clients, pair[1]) == NULL)
		rc = err_set(err, ERR_FAILED, "the client was refused");
	for (size_t i = 0; rc == 0 && i < COUNT(requests); i++)
		rc = ask(pair[0], requests[i], err);
	fd_close(&pair[0]);
	fake_turn(&fake);
	return rc;
}

static int
take_maps(struct err *err)
{
	struct view v = {.rows_fd = -1, .old_fd = -1};
	const int fds[3] = {dup(fake.state_fd), dup(fake.rows_fd), dup(fake.rows_fd)};
	int rc = view_maps(&v, fds, 1, err);
	view_clear(&v);
	return rc;
}

static const struct wrap_case cases[] = {
    {"maps are taken", take_maps, NULL, false, 0},
    /* a channel that gives nothing is the end of the process, which comes anew */
    {"requests are served", serve, NULL, true, 1U << WRAP_RECEIVE},
};

static void
requests_bear_every_fault(void **state)
{
	cJSON_Hooks hooks = {.malloc_fn = malloc, .free_fn = free};
	unsigned faults = 0;
	(void)state;
	cJSON_InitHooks(&hooks);
	fake_open(&fake);
	log_open("test", 2, LOG_LEVEL_ERROR);
	for (size_t i = 0; i < COUNT(cases); i++)
		faults += wrap_walk(&cases[i]);
	fake_close(&fake);
	assert_true(faults > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_bear_every_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
