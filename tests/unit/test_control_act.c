/* What control has the master do: requests, their answers and their mistakes. */
#include "control/diff.h"
#include "test_control_peer.h"

/* --- acting ---------------------------------------------------------------------- */

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
