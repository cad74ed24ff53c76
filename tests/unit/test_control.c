/* What control tells: the tree, applications, events, and its manual. */
#include "control/man.h"
#include "test_control_peer.h"

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

/* Its process is gone, what it left behind is not: the end is known already. */
static void
why_knows_an_end_at_once(void **state)
{
	struct slot *web = &fake.st->slot[FS_WEB];
	(void)state;
	web->phase = PH_SWEEP;
	web->end = (struct reason){.type = RE_SIGNAL, .code = SIGKILL};
	struct json *r = result_of("why", "{\"id\":\"web\"}");
	const struct json *second = json_next(json_first(json_get(r, "summary")));
	assert_string_equal(json_str(second), "just now it was killed by SIGKILL");
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
	    T(why_knows_an_end_at_once),
	    T(why_tells_of_backoff_and_resources),
	    T(applications_are_listed_loaded_or_not),
	    T(events_are_replayed_then_followed),
	    T(a_slow_subscriber_gets_a_counted_gap),
	    T(old_events_are_listed_in_pages),
	    T(the_manual_is_what_the_tables_say),
	    cmocka_unit_test(each_method_is_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
