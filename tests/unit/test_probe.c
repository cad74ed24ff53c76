/*
 * The real supervisord-probe behind a channel: datagrams, addresses, descriptors, slow
 * masters.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "proto/proto.h"
#include "tests/unit/role.h"

struct bench {
	char dir[64];
	struct role_proc role;
	int errors;
};

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	struct msg hello;
	char path[96];
	(void)snprintf(b->dir, sizeof b->dir, "/tmp/test_probe.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	(void)snprintf(path, sizeof path, "%s/errors", b->dir);
	b->errors = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	const char *const argv[] = {"supervisord-probe", "--run", b->dir, NULL};
	role_start(&b->role, argv, -1, b->errors);
	assert_int_equal(
	    role_recv(b->role.chan, &hello, sizeof hello, NULL, PATIENCE_MS),
	    sizeof hello);
	assert_int_equal(hello.type, MSG_HELLO);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;
	char path[96];
	fd_close(&b->role.chan);
	int status = role_wait(&b->role, PATIENCE_MS);
	role_kill(&b->role);
	close(b->errors);
	(void)snprintf(path, sizeof path, "%s/errors", b->dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/notify", b->dir);
	(void)unlink(path);
	(void)rmdir(b->dir);
	free(b);
	return status;
}

static void
order(const struct bench *b, enum msg_type type, uint32_t slot, uint32_t gen, int pid,
    int fd)
{
	struct msg_probe msg = {
	    .m = {.type = type, .slot = slot, .gen = gen}, .pid = pid};
	size_t len = type == MSG_PROBE_DROP ? sizeof msg.m : sizeof msg;
	role_send(&b->role, &msg, len, fd);
}

/* A worker's end of a notify socket that the probe reads for this slot. */
static int
notify_socket(const struct bench *b, uint32_t slot, uint32_t gen)
{
	int dir = open(b->dir, O_PATH | O_DIRECTORY | O_CLOEXEC), on = 1;
	int sock = fd_unix_bind(dir, "notify", SOCK_DGRAM | SOCK_NONBLOCK, NULL);
	assert_true(sock >= 0);
	(void)setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	int peer = fd_unix_connect(dir, "notify", SOCK_DGRAM, NULL);
	assert_true(peer >= 0);
	order(b, MSG_PROBE_NOTIFY, slot, gen, getpid(), sock);
	close(sock);
	close(dir);
	return peer;
}

static void
say(int sock, const char *text)
{
	assert_int_equal(send(sock, text, strlen(text), 0), strlen(text));
}

static void
heard(const struct bench *b, const struct msg_fact *fact)
{
	struct msg answer = {.type = MSG_PROBE_HEARD,
	    .ref = fact->m.ref,
	    .slot = fact->m.slot,
	    .gen = fact->m.gen};
	if (fact->m.ref != 0)
		role_send(&b->role, &answer, sizeof answer, -1);
}

static void
expect(const struct bench *b, enum fact kind, uint32_t slot, uint32_t gen,
    struct msg_fact *out)
{
	struct msg_fact fact;
	assert_int_equal(role_recv(b->role.chan, &fact, sizeof fact, NULL, PATIENCE_MS),
	    sizeof fact);
	assert_int_equal(fact.m.type, MSG_FACT);
	assert_int_equal(fact.fact, kind);
	assert_int_equal(fact.m.slot, slot);
	assert_int_equal(fact.m.gen, gen);
	heard(b, &fact);
	if (out != NULL)
		*out = fact;
}

static void
expect_nothing(const struct bench *b, int ms)
{
	struct msg_fact fact;
	assert_int_equal(role_recv(b->role.chan, &fact, sizeof fact, NULL, ms), -1);
}

static void
errors_hold(const struct bench *b, const char *wanted)
{
	char text[8192];
	long end = now_ms() + PATIENCE_MS;
	for (;;) {
		ssize_t n = pread(b->errors, text, sizeof text - 1, 0);
		text[MAX(n, 0)] = '\0';
		if (strstr(text, wanted) != NULL)
			return;
		if (now_ms() > end)
			fail_msg("no '%s' in the probe's log: %s", wanted, text);
		sleep_ms(5);
	}
}

static void
facts_name_their_sender_and_generation(void **state)
{
	struct bench *b = *state;
	struct msg_fact fact;
	int sock = notify_socket(b, 7, 3);
	say(sock, "STATUS=warm\nREADY=1\nMAINPID=4711");
	expect(b, FACT_MAINPID, 7, 3, &fact);
	assert_int_equal(fact.m.value, 4711);
	assert_int_equal(fact.sender, getpid());
	expect(b, FACT_STATUS, 7, 3, &fact);
	assert_string_equal(fact.text, "warm");
	expect(b, FACT_READY, 7, 3, NULL);
	order(b, MSG_PROBE_NOTIFY, 7, 4, getpid(), -1);
	say(sock, "EXTEND_TIMEOUT_USEC=9\nWATCHDOG=1");
	expect(b, FACT_EXTEND, 7, 4, &fact);
	assert_int_equal(fact.m.value, 9);
	expect(b, FACT_WATCHDOG, 7, 4, NULL);
	order(b, MSG_PROBE_DROP, 7, 0, 0, -1);
	long end = now_ms() + PATIENCE_MS;
	while (send(sock, "READY=1", 7, MSG_NOSIGNAL) == 7 && now_ms() < end)
		sleep_ms(5);
	assert_int_equal(send(sock, "READY=1", 7, MSG_NOSIGNAL), -1);
	close(sock);
}

static void
a_new_generation_is_known_before_its_ready(void **state)
{
	struct bench *b = *state;
	int sock = notify_socket(b, 1, 1);
	for (uint32_t gen = 2; gen < 300; gen++) {
		order(b, MSG_PROBE_NOTIFY, 1, gen, getpid(), -1);
		say(sock, "READY=1");
		expect(b, FACT_READY, 1, gen, NULL);
	}
	close(sock);
}

static void
hostile_datagrams_cost_one_line_a_second(void **state)
{
	struct bench *b = *state;
	static char big[5000];
	char text[8192];
	int sock = notify_socket(b, 7, 1), p[2];
	unsigned lines = 0, more = 0;
	long begun = now_ms();
	for (int i = 0; i < 200; i++)
		say(sock, "no equals sign \x1b[2J");
	memset(big, 'A', sizeof big);
	assert_int_equal(send(sock, big, sizeof big, 0), sizeof big);
	/* Descriptors that come along are closed: the pipe's reader sees its end. */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(chan_send(sock, "FDSTORE=1", 9, (int[]){p[1], p[1]}, 2), 0);
	close(p[1]);
	struct pollfd pfd = {.fd = p[0], .events = POLLIN};
	assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	assert_int_equal(pfd.revents, POLLHUP);
	close(p[0]);
	say(sock, "READY=1");
	expect(b, FACT_READY, 7, 1, NULL);
	errors_hold(b, "worker slot 7 gen 1: notify datagram of pid");
	sleep_ms(1100);
	say(sock, "MAINPID=none");
	errors_hold(b, "MAINPID is not a number in bounds (");
	long took_s = (now_ms() - begun) / 1000;
	ssize_t n = pread(b->errors, text, sizeof text - 1, 0);
	text[MAX(n, 0)] = '\0';
	for (const char *at = text; (at = strstr(at, "notify datagram")) != NULL; at++)
		lines++;
	for (const char *at = text; (at = strstr(at, "in bounds (")) != NULL; at++)
		(void)sscanf(at, "in bounds (%u more", &more);
	assert_true(lines >= 2 && lines <= took_s + 1);
	assert_true(lines > 2 || more == 200);
	close(sock);
}

static void
what_the_master_has_not_heard_is_told_again(void **state)
{
	struct bench *b = *state;
	struct msg_fact first, again;
	int sock = notify_socket(b, 7, 1);
	say(sock, "READY=1");
	say(sock, "STOPPING=1");
	assert_int_equal(
	    role_recv(b->role.chan, &first, sizeof first, NULL, PATIENCE_MS),
	    sizeof first);
	assert_int_equal(first.fact, FACT_READY);
	assert_true(first.m.ref != 0);
	expect_nothing(b, 20); /* the next one waits for the answer */
	order(b, MSG_PROBE_NOTIFY, 7, 2, getpid(), -1);
	assert_int_equal(
	    role_recv(b->role.chan, &again, sizeof again, NULL, PATIENCE_MS),
	    sizeof again);
	assert_int_equal(again.fact, FACT_READY);
	assert_int_equal(again.m.gen, 2);
	heard(b, &first); /* the answer to the first telling comes late */
	expect_nothing(b, 20);
	heard(b, &again);
	expect(b, FACT_STOPPING, 7, 2, NULL);
	expect_nothing(b, 20);
	close(sock);
}

static void
a_slow_master_gets_the_latest_of_each(void **state)
{
	struct bench *b = *state;
	struct msg_fact fact;
	unsigned pings = 0, status = 0, ready = 0;
	char last[STATUS_FACT_TEXT] = "";
	int sock = notify_socket(b, 7, 1);
	for (int i = 0; i < 20000; i++) {
		char text[64];
		(void)snprintf(text, sizeof text, "WATCHDOG=1\nSTATUS=line %d", i);
		say(sock, text);
	}
	say(sock, "READY=1");
	while (!ready && role_recv(b->role.chan, &fact, sizeof fact, NULL,
			     PATIENCE_MS) == sizeof fact) {
		pings += fact.fact == FACT_WATCHDOG;
		ready += fact.fact == FACT_READY;
		status += fact.fact == FACT_STATUS;
		if (fact.fact == FACT_STATUS)
			memcpy(last, fact.text, sizeof last);
	}
	assert_int_equal(ready, 1);
	assert_string_equal(last, "line 19999");
	assert_true(pings < 5000 && status < 5000);
	close(sock);
}

static void
order_tcp(const struct bench *b, uint32_t slot, uint32_t gen, uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct msg_probe msg = {.m = {.type = MSG_PROBE_TCP, .slot = slot, .gen = gen},
	    .addr_len = sizeof sa};
	memcpy(msg.addr, &sa, sizeof sa);
	role_send(&b->role, &msg, sizeof msg, -1);
}

static void
an_address_is_tried_until_it_accepts(void **state)
{
	struct bench *b = *state;
	struct sockaddr_in sa = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sa;
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(getsockname(sock, (struct sockaddr *)&sa, &len), 0);
	order_tcp(b, 9, 2, ntohs(sa.sin_port));
	expect_nothing(b, 300);
	assert_int_equal(listen(sock, 1), 0);
	expect(b, FACT_READY, 9, 2, NULL);
	close(sock);
	order_tcp(b, 9, 3, ntohs(sa.sin_port));
	order(b, MSG_PROBE_DROP, 9, 3, 0, -1);
	expect_nothing(b, 300);
}

static void
a_port_that_meets_itself_is_not_ready(void **state)
{
	struct bench *b = *state;
	/* Many tries at free ports of the ephemeral range; one would do it sooner. */
	for (uint16_t i = 0; i < 64; i++)
		order_tcp(b, i, 1, (uint16_t)(40000 + 7 * i));
	expect_nothing(b, 1500);
}

static void
a_newline_makes_ready_and_an_end_does_not(void **state)
{
	struct bench *b = *state;
	int p[2];
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	order(b, MSG_PROBE_FD, 4, 2, 0, p[0]);
	close(p[0]);
	assert_int_equal(write(p[1], "noise", 5), 5);
	expect_nothing(b, 100);
	assert_int_equal(write(p[1], "x\ny", 3), 3);
	expect(b, FACT_READY, 4, 2, NULL);
	struct pollfd closed = {.fd = p[1], .events = 0};
	assert_int_equal(poll(&closed, 1, PATIENCE_MS), 1);
	assert_int_equal(write(p[1], "x", 1), -1);
	close(p[1]);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	order(b, MSG_PROBE_FD, 4, 3, 0, p[0]);
	close(p[0]);
	close(p[1]);
	expect_nothing(b, 100);
}

static void
bad_orders_are_refused(void **state)
{
	struct bench *b = *state;
	struct msg odd = {.type = MSG_LOG_DROP};
	role_send(&b->role, &odd, sizeof odd, -1);
	order(b, MSG_PROBE_NOTIFY, 5, 1, 0, -1);
	order(b, MSG_PROBE_TCP, 5, 1, 0, -1);
	order(b, MSG_PROBE_DROP, 1 << 20, 0, 0, -1);
	errors_hold(b, "message of the master refused");
	errors_hold(b, "slot 5 gen 1: the master speaks of a notify socket");
	errors_hold(b, "slot 5: no address of TCP");
	errors_hold(b, "refused: slot 1048576");
	int sock = notify_socket(b, 5, 1);
	say(sock, "READY=1");
	expect(b, FACT_READY, 5, 1, NULL);
	close(sock);
}

static void
idle_it_never_wakes(void **state)
{
	struct bench *b = *state;
	int sock = notify_socket(b, 5, 1);
	say(sock, "READY=1");
	expect(b, FACT_READY, 5, 1, NULL);
	assert_true(role_sleeps(&b->role, 1500));
	close(sock);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(facts_name_their_sender_and_generation),
	    TEST(a_new_generation_is_known_before_its_ready),
	    TEST(hostile_datagrams_cost_one_line_a_second),
	    TEST(what_the_master_has_not_heard_is_told_again),
	    TEST(a_slow_master_gets_the_latest_of_each),
	    TEST(an_address_is_tried_until_it_accepts),
	    TEST(a_port_that_meets_itself_is_not_ready),
	    TEST(a_newline_makes_ready_and_an_end_does_not),
	    TEST(bad_orders_are_refused),
	    TEST(idle_it_never_wakes),
	};
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
