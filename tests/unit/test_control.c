#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str.h"
#include "control/diff.h"
#include "control/man.h"
#include "test_control_fake.h"

/* --- a client of the fake node --------------------------------------------------- */

struct peer {
	int fd;
	struct client *client;
	char buf[4 << 20];
	size_t len;
};

static struct fake fake;
static struct peer peer;

static int
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

static void
peer_close(struct peer *p)
{
	fd_close(&p->fd);
	fake_turn(&fake);
}

static int
setup(void **state)
{
	(void)state;
	fake_open(&fake);
	return peer_open(&peer);
}

static int
teardown(void **state)
{
	(void)state;
	fd_close(&peer.fd);
	fake_close(&fake);
	return 0;
}

static void
peer_send(struct peer *p, const char *text)
{
	assert_int_equal(fd_write_all(p->fd, text, strlen(text)), 0);
	fake_turn(&fake);
}

static void
peer_read(struct peer *p)
{
	ssize_t n;
	while ((n = recv(p->fd, p->buf + p->len, sizeof p->buf - p->len, 0)) > 0) {
		p->len += (size_t)n;
		fake_turn(&fake);
	}
}

/* The next line; null if there is none. */
static struct json *
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

static struct json *
ask(const char *method, const char *params)
{
	char text[2048];
	(void)snprintf(text, sizeof text,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method,
	    params);
	peer_send(&peer, text);
	return peer_line(&peer);
}

static struct json *
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

static void
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

static void
refused(const char *method, const char *params, enum rpc_error error)
{
	assert_error(ask(method, params), error);
}

/* --- reading --------------------------------------------------------------------- */

static void
the_node_says_who_it_is(void **state)
{
	(void)state;
	struct json *r = result_of("node.info", "{}");
	assert_string_equal(json_get_str(r, "name", ""), "fake");
	assert_string_equal(json_get_str(r, "state", ""), "up");
	assert_int_equal(json_get_int(r, "masters", 0), 2);
	assert_int_equal(json_get_int(json_get(r, "counts"), "workers", 0), 6);
	assert_string_equal(json_get_str(json_get(r, "you"), "role", ""), "admin");
	assert_string_equal(json_get_str(json_get(r, "dirs"), "log", ""), "/log/fake");
	json_free(&r);
	fake.st->head.core.stopping = 1;
	r = result_of("node.info", "{}");
	assert_string_equal(json_get_str(r, "state", ""), "stopping");
	json_free(&r);
}

static void
the_tree_comes_parents_first(void **state)
{
	static const char *const ids[] = {"root", "api", "api/back", "api/cache",
	    "api/shop", "api/jobs", "api/job#1", "api/job#2", "api/job#3", "api/web"};
	(void)state;
	struct json *r = result_of("tree.list", "{}");
	const struct json *n = json_first(json_get(r, "nodes"));
	for (size_t i = 0; i < COUNT(ids); i++, n = json_next(n))
		assert_string_equal(json_get_str(n, "id", ""), ids[i]);
	assert_null(n);
	json_free(&r);
	r = result_of("tree.list", "{\"under\":\"back\"}");
	assert_int_equal(json_get_int(r, "total", 0), 3);
	json_free(&r);
}

static void
pages_join_without_a_gap(void **state)
{
	char params[120] = "{\"limit\":3}";
	size_t seen = 0, pages = 0;
	(void)state;
	for (;;) {
		struct json *r = result_of("tree.list", params);
		const char *cursor = json_get_str(r, "next_cursor", NULL);
		seen += json_count(json_get(r, "nodes"));
		pages++;
		if (cursor != NULL)
			(void)snprintf(params, sizeof params,
			    "{\"limit\":3,\"cursor\":\"%s\"}", cursor);
		int more = cursor != NULL;
		json_free(&r);
		if (!more)
			break;
	}
	assert_int_equal(seen, FS_MAX);
	assert_int_equal(pages, 4);
	refused("tree.list", "{\"cursor\":\"x\"}", RPC_INVALID_PARAMS);
}

static void
names_are_found_in_every_form(void **state)
{
	static const char *const pairs[][2] = {{"api/web", "api/web"},
	    {"web", "api/web"}, {"job#2", "api/job#2"}, {"api/job#3", "api/job#3"},
	    {"api/job", "api/jobs"}, {"root", "root"}, {"api", "api"},
	    {"100009", "api/web"}};
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		char params[80];
		(void)snprintf(params, sizeof params, "{\"id\":\"%s\"}", pairs[i][0]);
		struct json *r = result_of("tree.get", params);
		assert_string_equal(json_get_str(r, "id", ""), pairs[i][1]);
		json_free(&r);
	}
	struct json *r = result_of("tree.get", "{\"pid\":100003}");
	assert_string_equal(json_get_str(r, "id", ""), "api/cache");
	assert_string_equal(json_str(json_first(json_get(
				json_get(json_get(r, "config"), "exec"), "argv"))),
	    "/bin/sleep");
	json_free(&r);
}

static void
unknown_names_get_suggestions(void **state)
{
	(void)state;
	struct json *a = ask("tree.get", "{\"id\":\"wbe\"}");
	const struct json *data = json_get(json_get(a, "error"), "data");
	assert_string_equal(
	    json_str(json_first(json_get(data, "suggestions"))), "api/web");
	json_free(&a);
	refused("tree.get", "{\"id\":\"\"}", RPC_UNKNOWN);
	refused("tree.get", "{\"id\":\"extra/idle\"}", RPC_UNKNOWN);
	refused("tree.get", "{\"id\":\"extra\"}", RPC_UNKNOWN);
	refused("app.info", "{\"app\":\"exta\"}", RPC_UNKNOWN);
	refused("app.info", "{\"app\":\"zzzzzz\"}", RPC_UNKNOWN);
	refused("tree.get", "{}", RPC_INVALID_PARAMS);
}

static void
otps_counts_are_right(void **state)
{
	(void)state;
	struct json *r = result_of("count_children", "{\"id\":\"api\"}");
	assert_int_equal(json_get_int(r, "specs", 0), 3);
	assert_int_equal(json_get_int(r, "active", 0), 3);
	assert_int_equal(json_get_int(r, "supervisors", 0), 2);
	assert_int_equal(json_get_int(r, "workers", 0), 1);
	json_free(&r);
	r = result_of("count_children", "{\"id\":\"jobs\"}");
	assert_int_equal(json_get_int(r, "specs", 0), 1);
	assert_int_equal(json_get_int(r, "workers", 0), 3);
	json_free(&r);
	fake.st->slot[FS_WEB].child = CH_RESTARTING;
	r = result_of("which_children", "{\"id\":\"api\"}");
	const struct json *c = json_first(json_get(r, "children"));
	assert_string_equal(json_get_str(c, "child", ""), "up");
	c = json_next(json_next(c));
	assert_string_equal(json_get_str(c, "child", ""), "restarting");
	json_free(&r);
	refused("which_children", "{\"id\":\"web\"}", RPC_INVALID_PARAMS);
}

static void
why_names_the_cause_and_who_was_stopped(void **state)
{
	struct slot *shop = &fake.st->slot[FS_CACHE], *sup = &fake.st->slot[FS_BACK];
	uint64_t now = view_now_ms(), wall = view_wall_ms();
	(void)state;
	shop->last = (struct reason){.type = RE_SIGNAL, .code = SIGKILL};
	shop->last_ms = wall - 2000;
	sup->cause = FS_CACHE;
	sup->cause_ms = wall - 2000;
	sup->window = 0;
	sup->win_head = 2;
	sup->win_n = 2;
	fake.st->window[0].at_ms[2] = now;
	fake.st->window[0].at_ms[1] = now - 60000;
	fake_event(&fake, EV_EXITED, FS_CACHE, "api/cache");
	fake_event(&fake, EV_STOPPED, FS_SHOP, "api/shop");
	fake_event(
	    &fake, EV_STOPPED, FS_WEB, "api/web"); /* not below that supervisor */
	struct json *r = result_of("why", "{\"id\":\"shop\"}");
	assert_string_equal(json_get_str(json_get(r, "cause"), "id", ""), "api/cache");
	assert_string_equal(
	    json_get_str(json_get(r, "cause"), "words", ""), "was killed by SIGKILL");
	assert_in_range(json_get_int(json_get(r, "cause"), "ago_ms", 0), 2000, 60000);
	assert_int_equal(json_get_int(json_get(r, "supervisor"), "restarts", 9), 1);
	const struct json *with = json_get(r, "stopped_with");
	assert_int_equal(json_count(with), 1);
	assert_string_equal(json_str(json_first(with)), "api/shop");
	assert_string_equal(json_get_str(r, "log", ""), "api/shop.log");
	assert_true(json_count(json_get(r, "summary")) >= 3);
	json_free(&r);
}

static void
why_tells_of_backoff_and_resources(void **state)
{
	struct slot *web = &fake.st->slot[FS_WEB];
	(void)state;
	web->phase = PH_BACKOFF;
	web->timer_ms = view_now_ms() + 30000;
	web->resource_tries = 4;
	web->flags |= SF_HELD | SF_DISABLED | SF_FORGOTTEN | SF_FAILED;
	struct json *r = result_of("why", "{\"id\":\"web\"}");
	assert_in_range(json_get_int(r, "next_retry_ms", 0), 20000, 30000);
	assert_int_equal(json_get_int(json_get(r, "resources"), "tries", 0), 4);
	json_free(&r);
}

static void
applications_are_listed_loaded_or_not(void **state)
{
	(void)state;
	struct json *r = result_of("app.list", "{}");
	const struct json *a = json_first(json_get(r, "applications"));
	assert_string_equal(json_get_str(a, "app", ""), "api");
	assert_string_equal(json_get_str(a, "version", ""), "1.2");
	assert_int_equal(json_get_int(a, "up", 0), 6);
	a = json_next(a);
	assert_string_equal(json_get_str(a, "state", ""), "not loaded");
	json_free(&r);
	r = result_of("app.env", "{\"app\":\"api\"}");
	assert_int_equal(json_count(json_get(r, "env")), 1);
	assert_string_equal(json_get_str(json_get(r, "env"), "SHARED", ""), "1");
	json_free(&r);
	r = result_of("app.info", "{\"app\":\"api\"}");
	assert_non_null(json_get(json_get(r, "application"), "node"));
	json_free(&r);
}

/* --- events ---------------------------------------------------------------------- */

static void
wake(void)
{
	const struct msg m = {.type = MSG_WAKE, .value = fake.st->head.event_n};
	must(chan_send(fake.master, &m, sizeof m, NULL, 0) == 0);
	fake_turn(&fake);
}

static void
events_are_replayed_then_followed(void **state)
{
	struct msg_request got;
	(void)state;
	fake_event(&fake, EV_STARTING, FS_WEB, "api/web");
	fake_event(&fake, EV_READY, FS_CACHE, "api/cache");
	struct json *r =
	    result_of("events.subscribe", "{\"from\":1,\"under\":\"web\"}");
	assert_int_equal(json_get_int(r, "next", 0), 1);
	json_free(&r);
	assert_int_equal(fake_master_got(&fake, MSG_SUBSCRIBE, &got), 0);
	assert_int_equal(got.m.value, 1);
	struct json *e = peer_line(&peer);
	assert_string_equal(json_get_str(e, "method", ""), "event");
	assert_int_equal(json_get_int(json_get(e, "params"), "n", 0), 1);
	json_free(&e);
	assert_null(peer_line(&peer)); /* the other was not asked for */
	fake_event(&fake, EV_EXITED, FS_WEB, "api/web");
	wake();
	e = peer_line(&peer);
	assert_string_equal(json_get_str(json_get(e, "params"), "type", ""), "exited");
	json_free(&e);
	/* Asked for once; the master wakes us for each news until we say no. */
	assert_int_equal(fake_master_got(&fake, MSG_SUBSCRIBE, &got), -1);
	r = result_of("events.unsubscribe", "{}");
	json_free(&r);
	assert_int_equal(fake_master_got(&fake, MSG_SUBSCRIBE, &got), 0);
	assert_int_equal(got.m.value, 0);
}

static void
a_slow_subscriber_gets_a_counted_gap(void **state)
{
	uint64_t events = 0, missed = 0, sum = 0;
	(void)state;
	struct json *e = result_of("events.subscribe", "{}");
	json_free(&e);
	/* Far more than the ring and the socket hold, and nobody reads. */
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 2000; i++)
			fake_event(&fake, EV_READY, FS_WEB, "api/web");
		wake();
	}
	while ((e = peer_line(&peer)) != NULL) {
		const struct json *params = json_get(e, "params");
		if (strcmp(json_get_str(e, "method", ""), "gap") == 0)
			missed += (uint64_t)json_get_int(params, "missed", 0);
		else
			events++;
		json_free(&e);
		fake_turn(&fake);
	}
	sum = events + missed;
	assert_true(missed > 0);
	assert_int_equal(sum, 20000);
}

static void
old_events_are_listed_in_pages(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		fake_event(&fake, EV_READY, FS_WEB, "api/web");
	struct json *r = result_of("events.list", "{\"limit\":4}");
	assert_int_equal(json_count(json_get(r, "events")), 4);
	assert_int_equal(json_get_int(r, "next", 0), 5);
	json_free(&r);
	r = result_of("events.list", "{\"from\":9,\"under\":\"api\"}");
	assert_int_equal(json_count(json_get(r, "events")), 2);
	json_free(&r);
	r = result_of("events.list", "{\"under\":\"cache\"}");
	assert_int_equal(json_count(json_get(r, "events")), 0);
	json_free(&r);
}

/* --- acting ---------------------------------------------------------------------- */

static void
start_request(const char *method, const char *params, struct msg_request *got)
{
	struct json *answer = ask(method, params);
	if (answer != NULL)
		fail_msg("%s: %s", method,
		    json_get_str(json_get(answer, "error"), "message", "?"));
	assert_int_equal(fake_master_got(&fake, MSG_REQUEST, got), 0);
}

static void
a_stop_is_answered_when_it_is_done(void **state)
{
	struct msg_request got;
	(void)state;
	start_request("worker.stop", "{\"id\":\"web\"}", &got);
	assert_int_equal(got.verb, VERB_STOP);
	assert_int_equal(got.m.slot, FS_WEB);
	assert_int_equal(got.rows_seq, 1);
	fake.st->slot[FS_WEB].phase = PH_DOWN;
	fake_reply(&fake, &got, AN_OK, FS_WEB, "", -1);
	struct json *a = peer_line(&peer);
	assert_string_equal(
	    json_get_str(json_get(json_get(a, "result"), "node"), "state", ""), "down");
	json_free(&a);
}

static void
every_answer_has_its_error(void **state)
{
	(void)state;
	for (unsigned an = AN_FAILED; an < ANSWER_MAX; an++) {
		struct msg_request got;
		if (an == AN_STALE)
			continue;
		start_request("worker.start", "{\"id\":\"web\"}", &got);
		fake_reply(&fake, &got, an, FS_WEB, "", -1);
		struct json *a = peer_line(&peer);
		const struct json *data = json_get(json_get(a, "error"), "data");
		assert_string_equal(json_get_str(data, "name", ""), answer_names[an]);
		json_free(&a);
	}
}

static void
the_masters_words_are_given_on(void **state)
{
	struct msg_request got;
	(void)state;
	start_request("worker.start", "{\"id\":\"web\"}", &got);
	fake_reply(&fake, &got, AN_FAILED, FS_WEB, "exited with status 3", -1);
	struct json *a = peer_line(&peer);
	assert_string_equal(json_get_str(json_get(a, "error"), "message", ""),
	    "'web' did not start: it exited with status 3; `relctl why` and `relctl logs` "
	    "say more");
	json_free(&a);
	start_request("worker.start", "{\"id\":\"web\"}", &got);
	fake_reply(&fake, &got, AN_FAILED, FS_WEB,
	    "did not start: its pre_start exited with status 3", -1);
	a = peer_line(&peer);
	assert_non_null(strstr(json_get_str(json_get(a, "error"), "message", ""),
	    "'web' did not start: its pre_start exited with status 3;"));
	json_free(&a);
}

static void
stale_rows_are_looked_up_once_more(void **state)
{
	struct msg_request got;
	(void)state;
	start_request("worker.start", "{\"id\":\"web\"}", &got);
	/* The rows are new, but not here yet. */
	fake.st->head.core.rows_seq = 2;
	fake_reply(&fake, &got, AN_STALE, SLOT_NONE, "", -1);
	assert_null(peer_line(&peer));
	assert_int_equal(fake_master_got(&fake, MSG_REQUEST, &got), -1);
	fake_send_maps(&fake, 2);
	fake_turn(&fake);
	assert_int_equal(fake_master_got(&fake, MSG_REQUEST, &got), 0);
	assert_int_equal(got.rows_seq, 2);
	fake_reply(&fake, &got, AN_STALE, SLOT_NONE, "", -1);
	assert_error(peer_line(&peer), RPC_STALE);
}

static void
requests_wait_while_the_rows_change(void **state)
{
	(void)state;
	fake.st->head.core.rows_seq = 2;
	assert_null(ask("node.info", "{}"));
	fake_send_maps(&fake, 2);
	fake_turn(&fake);
	struct json *a = peer_line(&peer);
	assert_int_equal(json_get_int(json_get(a, "result"), "rows_seq", 0), 2);
	json_free(&a);
}

static void
arguments_reach_the_master(void **state)
{
	struct msg_request got;
	(void)state;
	start_request(
	    "supervisor.start_child", "{\"id\":\"jobs\",\"args\":[\"-x\",\"\"]}", &got);
	assert_int_equal(got.row, FR_JOB);
	assert_int_equal(got.text_len, 4);
	assert_memory_equal(got.text, "-x\0", 4);
	fake_reply(&fake, &got, AN_OK, FS_JOB3, "", -1);
	struct json *a = peer_line(&peer);
	assert_string_equal(json_get_str(json_get(a, "result"), "id", ""), "api/job#3");
	json_free(&a);
	start_request(
	    "supervisor.start_child", "{\"id\":\"api\",\"child\":\"web\"}", &got);
	assert_int_equal(got.row, FR_WEB);
	start_request("worker.signal", "{\"id\":\"web\",\"signal\":\"SIGHUP\"}", &got);
	assert_int_equal(got.m.value, SIGHUP);
	assert_int_equal(got.m.gen, 1);
	start_request("pool.scale", "{\"id\":\"job\",\"instances\":7}", &got);
	assert_int_equal(got.m.slot, FS_POOL);
	assert_int_equal(got.m.value, 7);
	start_request("app.start", "{\"app\":\"extra\",\"type\":\"permanent\"}", &got);
	assert_int_equal(got.row, FR_EXTRA);
	assert_int_equal(got.m.value, PERMANENT + 1);
	start_request(
	    "app.setenv", "{\"app\":\"api\",\"name\":\"A\",\"value\":\"b c\"}", &got);
	assert_string_equal(got.text, "A=b c");
	start_request("node.reexec", "{\"which\":\"keeper\"}", &got);
	assert_int_equal(got.m.value, 1);
	start_request("node.shutdown", "{\"status\":3}", &got);
	assert_int_equal(got.m.value, 3);
}

static void
bad_parameters_are_named(void **state)
{
	static const char *const bad[][2] = {{"worker.stop", "{}"},
	    {"worker.stop", "{\"id\":1}"}, {"worker.stop", "{\"id\":\"web\",\"x\":1}"},
	    {"worker.stop", "{\"id\":\"root\"}"}, {"worker.stop", "[]"},
	    {"worker.signal", "{\"id\":\"web\",\"signal\":\"NOPE\"}"},
	    {"worker.signal", "{\"id\":\"web\",\"signal\":0}"},
	    {"worker.signal", "{\"id\":\"web\",\"signal\":99}"},
	    {"worker.signal", "{\"id\":\"back\",\"signal\":1}"},
	    {"pool.scale", "{\"id\":\"jobs\",\"instances\":-1}"},
	    {"pool.scale", "{\"id\":\"jobs\",\"instances\":1.5}"},
	    {"supervisor.start_child", "{\"id\":\"api\"}"},
	    {"supervisor.start_child", "{\"id\":\"web\"}"},
	    {"supervisor.start_child", "{\"id\":\"jobs\",\"args\":[1]}"},
	    {"app.start", "{\"app\":\"api\",\"type\":\"x\"}"},
	    {"app.setenv", "{\"app\":\"api\",\"name\":\"1x\"}"},
	    {"app.setenv", "{\"app\":\"api\",\"name\":\"\"}"},
	    {"node.shutdown", "{\"status\":256}"}, {"node.reexec", "{\"which\":\"x\"}"},
	    {"node.reload", "{\"check\":1}"}, {"tree.list", "{\"limits\":1}"}};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		refused(bad[i][0], bad[i][1], RPC_INVALID_PARAMS);
	refused("worker.stopp", "{}", RPC_NO_METHOD);
	refused("zzzzzzzzzzzzzzz", "{}", RPC_NO_METHOD);
}

static void
too_many_arguments_are_refused(void **state)
{
	char params[1000], arg[600];
	(void)state;
	memset(arg, 'a', sizeof arg);
	arg[ARGS_MAX] = '\0';
	(void)snprintf(
	    params, sizeof params, "{\"id\":\"jobs\",\"args\":[\"%s\"]}", arg);
	refused("supervisor.start_child", params, RPC_INVALID_PARAMS);
	(void)snprintf(params, sizeof params,
	    "{\"app\":\"api\",\"name\":\"A\",\"value\":\"%s\"}", arg);
	refused("app.setenv", params, RPC_INVALID_PARAMS);
}

static void
a_deadline_ends_the_wait_but_not_the_work(void **state)
{
	struct msg_request got;
	(void)state;
	start_request("worker.stop", "{\"id\":\"web\",\"timeout_ms\":20}", &got);
	ev_sleep(0.05);
	ev_now_update(fake.c.loop);
	fake_turn(&fake);
	assert_error(peer_line(&peer), RPC_TIMEOUT);
	/* The late reply is nobody's any more. */
	fake_reply(&fake, &got, AN_OK, FS_WEB, "", -1);
	assert_null(peer_line(&peer));
}

static void
a_reload_answers_with_the_difference(void **state)
{
	struct msg_request got;
	(void)state;
	start_request("node.reload", "{\"check\":true}", &got);
	assert_int_equal(got.m.value, 1);
	int fd = fake_rows(1);
	fake_reply(&fake, &got, AN_OK, SLOT_NONE, "", fd);
	fd_close(&fd);
	struct json *a = peer_line(&peer);
	const struct json *r = json_get(a, "result");
	assert_string_equal(json_str(json_first(json_get(r, "added"))), "api/wob");
	assert_string_equal(json_str(json_first(json_get(r, "removed"))), "api/web");
	assert_string_equal(json_str(json_first(json_get(r, "restarted"))), "api/shop");
	assert_int_equal(json_count(json_get(r, "changed")), 0);
	json_free(&a);
}

static void
errors_of_a_configuration_come_whole(void **state)
{
	struct msg_request got;
	(void)state;
	start_request("node.reload", "{}", &got);
	int fd = memfd_create("text", MFD_CLOEXEC);
	assert_int_equal(fd_write_all(fd, "a:1: error: x\na:2: error: y\n", 28), 0);
	fake_reply(&fake, &got, AN_CONFIG, SLOT_NONE, "", fd);
	fd_close(&fd);
	struct json *a = peer_line(&peer);
	const struct json *data = json_get(json_get(a, "error"), "data");
	assert_string_equal(
	    json_get_str(data, "text", ""), "a:1: error: x\na:2: error: y\n");
	json_free(&a);
}

/* --- the protocol ---------------------------------------------------------------- */

static void
batches_are_answered_as_one(void **state)
{
	struct msg_request got;
	(void)state;
	peer_send(&peer,
	    "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"worker.stop\",\"params\":{\"id\":"
	    "\"web\"}},{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"node.info\"},"
	    "{\"jsonrpc\":\"2.0\",\"method\":\"node.info\"},7,"
	    "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"nope\"}]\n");
	assert_null(peer_line(&peer));
	assert_int_equal(fake_master_got(&fake, MSG_REQUEST, &got), 0);
	fake_reply(&fake, &got, AN_OK, FS_WEB, "", -1);
	struct json *a = peer_line(&peer);
	assert_int_equal(json_count(a), 4); /* the notification is not answered */
	json_free(&a);
	/* Only notifications: no answer at all. */
	peer_send(&peer, "[{\"jsonrpc\":\"2.0\",\"method\":\"node.info\"}]\n");
	assert_null(peer_line(&peer));
	peer_send(&peer, "[]\n");
	assert_error(peer_line(&peer), RPC_INVALID_REQUEST);
}

static void
lines_that_are_no_requests_are_refused(void **state)
{
	static const char *const invalid[] = {"1\n", "\"x\"\n", "{}\n",
	    "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"node.info\"}\n",
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}\n",
	    "{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"node.info\"}\n"};
	(void)state;
	for (size_t i = 0; i < COUNT(invalid); i++) {
		peer_send(&peer, invalid[i]);
		assert_error(peer_line(&peer), RPC_INVALID_REQUEST);
	}
	peer_send(&peer, "nonsense\n");
	assert_error(peer_line(&peer), RPC_PARSE);
	peer_send(&peer, "\n\r\n");
	assert_null(peer_line(&peer));
	/* And the connection is still good. */
	struct json *r = result_of("node.info", "{}");
	json_free(&r);
}

static void
a_line_may_come_in_pieces(void **state)
{
	static const char text[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node.info\"}\n";
	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++)
		peer_send(&peer, (char[]){text[i], '\0'});
	struct json *a = peer_line(&peer);
	assert_non_null(json_get(a, "result"));
	json_free(&a);
}

static void
a_line_that_is_too_long_ends_the_connection(void **state)
{
	char *big = malloc(RPC_LINE_MAX + 2);
	(void)state;
	assert_non_null(big);
	memset(big, ' ', RPC_LINE_MAX + 1);
	big[RPC_LINE_MAX + 1] = '\0';
	(void)send(peer.fd, big, RPC_LINE_MAX + 1, MSG_NOSIGNAL);
	free(big);
	fake_turn(&fake);
	assert_error(peer_line(&peer), RPC_TOO_LARGE);
	assert_int_equal(clients_count(fake.c.clients), 0);
}

static void
who_does_not_read_is_not_served(void **state)
{
	size_t asked = 0;
	struct json *a;
	(void)state;
	for (; asked < 2000; asked++) {
		static const char line[] =
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tree.list\"}\n";
		if (send(peer.fd, line, sizeof line - 1, MSG_NOSIGNAL) < 0)
			break;
		fake_turn(&fake);
	}
	assert_true(asked > 100);
	assert_in_range(client_unsent(peer.client), 1, CLIENT_OUT_SOFT + 64 * 1024);
	/* Nothing is lost: as soon as it reads, all is answered. */
	size_t answered = 0;
	while ((a = peer_line(&peer)) != NULL) {
		json_free(&a);
		answered++;
		fake_turn(&fake);
	}
	assert_true(answered >= asked - 1);
}

static void
a_client_that_goes_leaves_its_request(void **state)
{
	struct msg_request got;
	(void)state;
	start_request("worker.stop", "{\"id\":\"web\"}", &got);
	peer_close(&peer);
	assert_int_equal(
	    clients_count(fake.c.clients), 1); /* it waits for its answer */
	fake_reply(&fake, &got, AN_OK, FS_WEB, "", -1);
	fake_turn(&fake);
	assert_int_equal(clients_count(fake.c.clients), 0);
}

static void
many_clients_are_refused_beyond_the_limit(void **state)
{
	static int fds[CLIENTS_MAX + 8][2];
	unsigned opened = 0;
	(void)state;
	for (unsigned i = 0; i < CLIENTS_MAX + 8; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds[i]) == 0);
		opened += client_new(fake.c.clients, fds[i][1]) != NULL;
	}
	assert_int_equal(opened, CLIENTS_MAX - 1); /* one was there */
	for (unsigned i = 0; i < CLIENTS_MAX + 8; i++)
		close(fds[i][0]);
	fake_turn(&fake);
	assert_int_equal(clients_count(fake.c.clients), 1);
}

/* --- roles ----------------------------------------------------------------------- */

static void
roles_follow_the_lists(void **state)
{
	uint32_t words[] = {100, 200, 300, 10, 20, 30};
	struct rows_head head = {.node = {.read_uids = 0,
				     .nread_uids = 1,
				     .operate_uids = 1,
				     .noperate_uids = 1,
				     .admin_uids = 2,
				     .nadmin_uids = 1,
				     .read_gids = 3,
				     .nread_gids = 1,
				     .operate_gids = 4,
				     .noperate_gids = 1,
				     .admin_gids = 5,
				     .nadmin_gids = 1}};
	const struct rows rows = {.head = &head, .word = words};
	gid_t more[] = {7, 20};
	(void)state;
	assert_int_equal(
	    caller_role(&(struct caller){.uid = 0}, &rows, 5), CALLER_ADMIN);
	assert_int_equal(
	    caller_role(&(struct caller){.uid = 5, .gid = 5}, &rows, 5), CALLER_ADMIN);
	assert_int_equal(
	    caller_role(&(struct caller){.uid = 100, .gid = 1}, &rows, 5), CALLER_READ);
	assert_int_equal(caller_role(&(struct caller){.uid = 200, .gid = 1}, &rows, 5),
	    CALLER_OPERATE);
	assert_int_equal(caller_role(&(struct caller){.uid = 300, .gid = 1}, &rows, 5),
	    CALLER_ADMIN);
	assert_int_equal(
	    caller_role(&(struct caller){.uid = 9, .gid = 10}, &rows, 5), CALLER_READ);
	assert_int_equal(
	    caller_role(&(struct caller){.uid = 9, .gid = 30}, &rows, 5), CALLER_ADMIN);
	struct caller member = {.uid = 9, .gid = 1, .groups = more, .ngroups = 2};
	assert_int_equal(caller_role(&member, &rows, 5), CALLER_OPERATE);
	assert_int_equal(
	    caller_role(&(struct caller){.uid = 9, .gid = 1}, &rows, 5), CALLER_NOBODY);
	assert_true(caller_lists_used(&rows, 5));
	words[0] = words[1] = words[2] = 5;
	words[3] = words[4] = words[5] = 0;
	assert_false(caller_lists_used(&rows, 5));
}

/* --- a state that is broken ------------------------------------------------------ */

static void
torn_slots_hang_and_crash_nobody(void **state)
{
	(void)state;
	fake.st->slot[FS_WEB].seq = 1; /* odd for ever: its master was killed */
	fake.st->slot[FS_CACHE].next = FS_BACK; /* a circle */
	fake.st->slot[FS_SHOP].row = 1u << 30;
	fake.st->slot[FS_JOB1].phase = 200;
	fake.st->slot[FS_JOB2].parent = 1u << 30;
	fake.st->slot[FS_POOL].window = 1u << 30;
	fake.st->slot[FS_BACK].win_head = 1u << 30;
	fake.st->slot[FS_BACK].window = 3;
	fake.st->slot[FS_BACK].win_n = 1u << 30;
	fake.st->slot[FS_BACK].cause = 1u << 30;
	fake.st->slot[FS_BACK].cause_ms = 1;
	fake.st->head.core.slots_used = UINT32_MAX;
	static const char *const methods_of_reading[] = {
	    "tree.list", "node.info", "app.list", "events.list"};
	for (size_t i = 0; i < COUNT(methods_of_reading); i++) {
		struct json *a = ask(methods_of_reading[i], "{}");
		assert_non_null(a);
		json_free(&a);
	}
	struct json *a = ask("why", "{\"id\":\"cache\"}");
	json_free(&a);
	a = ask("which_children", "{\"id\":\"back\"}");
	json_free(&a);
}

static void
a_state_of_another_shape_is_refused(void **state)
{
	struct view v = {.rows_fd = -1, .old_fd = -1};
	struct err err;
	(void)state;
	int small = memfd_create("small", MFD_CLOEXEC);
	const int fds[3] = {small, fake_rows(0), -1};
	assert_int_equal(view_maps(&v, fds, 1, &err), -1);
	assert_null(v.st);
	int bad = memfd_create("bad", MFD_CLOEXEC);
	assert_int_equal(ftruncate(bad, sizeof(struct state)), 0);
	const int more[3] = {bad, fake_rows(0), fake_rows(1)};
	assert_int_equal(view_maps(&v, more, 1, &err), -1);
	const int rows[3] = {fcntl(fake.state_fd, F_DUPFD_CLOEXEC, 3),
	    memfd_create("norows", MFD_CLOEXEC), -1};
	assert_int_equal(view_maps(&v, rows, 1, &err), -1);
	const int good[3] = {
	    fcntl(fake.state_fd, F_DUPFD_CLOEXEC, 3), fake_rows(0), fake_rows(1)};
	assert_int_equal(view_maps(&v, good, 1, &err), 0);
	fake.st->slot[FS_WEB].flags |= SF_OLD_ROW;
	char id[ROW_ID_MAX];
	view_id(&v, FS_WEB, id);
	assert_string_equal(id, "api/wob");
	view_clear(&v);
}

static void
garbage_from_the_master_ends_the_loop(void **state)
{
	const struct msg m = {.type = MSG_LOG_DROP};
	(void)state;
	must(chan_send(fake.master, &m, sizeof m, NULL, 0) == 0);
	ev_run(fake.c.loop, 0); /* returns: it was broken */
}

/* --- the manual ------------------------------------------------------------------ */

static void
the_manual_is_what_the_tables_say(void **state)
{
	char *text = NULL;
	size_t len = 0;
	static char page[1 << 20];
	(void)state;
	FILE *out = open_memstream(&text, &len);
	man_print(out);
	assert_int_equal(fclose(out), 0);
	ssize_t n = fd_read_file(AT_FDCWD, "man/steward-control.7", page, sizeof page);
	assert_true(n > 0);
	if (strcmp(page, text) != 0)
		fail_msg("make it anew: supervisord-control --print man > "
			 "man/steward-control.7");
	free(text);
}

static void
each_method_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < methods_n; i++) {
		assert_non_null(methods[i].run);
		assert_true(strlen(methods[i].help) > 10);
		assert_true(strlen(methods[i].result) > 2);
		assert_true(methods[i].role > CALLER_NOBODY);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(methods[i].name, methods[j].name);
		/* Who may only look, changes nothing. */
		if (methods[i].verb != VERB_NONE)
			assert_true(methods[i].role > CALLER_READ);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_node_says_who_it_is),
	    T(the_tree_comes_parents_first),
	    T(pages_join_without_a_gap),
	    T(names_are_found_in_every_form),
	    T(unknown_names_get_suggestions),
	    T(otps_counts_are_right),
	    T(why_names_the_cause_and_who_was_stopped),
	    T(why_tells_of_backoff_and_resources),
	    T(applications_are_listed_loaded_or_not),
	    T(events_are_replayed_then_followed),
	    T(a_slow_subscriber_gets_a_counted_gap),
	    T(old_events_are_listed_in_pages),
	    T(a_stop_is_answered_when_it_is_done),
	    T(every_answer_has_its_error),
	    T(the_masters_words_are_given_on),
	    T(stale_rows_are_looked_up_once_more),
	    T(requests_wait_while_the_rows_change),
	    T(arguments_reach_the_master),
	    T(bad_parameters_are_named),
	    T(too_many_arguments_are_refused),
	    T(a_deadline_ends_the_wait_but_not_the_work),
	    T(a_reload_answers_with_the_difference),
	    T(errors_of_a_configuration_come_whole),
	    T(batches_are_answered_as_one),
	    T(lines_that_are_no_requests_are_refused),
	    T(a_line_may_come_in_pieces),
	    T(a_line_that_is_too_long_ends_the_connection),
	    T(who_does_not_read_is_not_served),
	    T(a_client_that_goes_leaves_its_request),
	    T(many_clients_are_refused_beyond_the_limit),
	    T(roles_follow_the_lists),
	    T(torn_slots_hang_and_crash_nobody),
	    T(a_state_of_another_shape_is_refused),
	    T(garbage_from_the_master_ends_the_loop),
	    T(the_manual_is_what_the_tables_say),
	    cmocka_unit_test(each_method_is_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
