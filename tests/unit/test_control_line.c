/* Lines, batches, limits, roles, and a master or a state that is broken. */
#include "test_control_peer.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
