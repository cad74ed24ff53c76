/*
 * The real supervisord-logger behind a channel: lines, rotation, full disks, masters that
 * die.
 */
#include "tests/unit/logger_bench.h"

static void
lines_reach_the_file_in_order(void **state)
{
	struct bench *b = *state;
	int p[2];
	make_pipe(p);
	add(b, 1, "app/worker", p[0], (struct limits){0});
	put(p[1], "one\ntwo\n");
	put(p[1], "three\n");
	wait_for(b, "app/worker.log", "three\n");
	char *text = slurp(b, "app/worker.log");
	assert_string_equal(text, "one\ntwo\nthree\n");
	free(text);
	close(p[0]);
	close(p[1]);
}

/* Checks and skips a stamp. */
static const char *
skip_stamp(const char *line)
{
	assert_true(lines_is_stamp(line, STAMP_LEN));
	return line + STAMP_LEN;
}

static void
each_line_gets_one_stamp(void **state)
{
	struct bench *b = *state;
	int p[2];
	make_pipe(p);
	add(b, 1, "app/worker#12", p[0], (struct limits){.flags = STAMPS});
	put(p[1], "one\nhalf");
	wait_for(b, "app/worker#12.log", "half");
	put(p[1], " and half\n");
	wait_for(b, "app/worker#12.log", "half\n");
	char *text = slurp(b, "app/worker#12.log");
	const char *rest = skip_stamp(text);
	assert_memory_equal(rest, "one\n", 4);
	assert_string_equal(skip_stamp(rest + 4), "half and half\n");
	free(text);
	stop_writing(p);
}

static void
a_piece_is_continued_by_the_next_logger(void **state)
{
	struct bench *b = *state;
	int p[2];
	make_pipe(p);
	for (int stamps = 0; stamps < 2; stamps++) {
		const char *id = stamps ? "app/b" : "app/a";
		const char *file = stamps ? "app/b.log" : "app/a.log";
		struct limits lim = {.flags = stamps ? STAMPS : 0};
		add(b, 1, id, p[0], lim);
		sleep_ms(50);
		put(p[1], "begin");
		wait_for(b, file, "begin");
		sleep_ms(20);
		role_kill(&b->role);
		put(p[1], " end\n");
		start(b);
		add(b, 1, id, p[0], lim);
		wait_for(b, file, "begin end\n");
		order(b, MSG_LOG_DROP, 1);
	}
	stop_writing(p);
}

/* The file of app/NAME as an earlier logger left it. */
static void
leave(const struct bench *b, const char *name, const char *text)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/app", b->log);
	assert_int_equal(fd_mkdirs(path, 0750, NULL), 0);
	(void)snprintf(path, sizeof path, "%s/app/%s.log", b->log, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	put(fd, text);
	close(fd);
}

/* A kill between write and consume, made by hand: the file has what the pipe has. */
static void
a_torn_line_is_finished_before_its_chunk_comes_again(void **state)
{
	struct bench *b = *state;
	int p[2];
	make_pipe(p);
	leave(b, "torn", "first\nsecond\nthi");
	put(p[1], "second\nthird\nfourth\n");
	add(b, 1, "app/torn", p[0], (struct limits){0});
	wait_for(b, "app/torn.log", "fourth\n");
	char *text = slurp(b, "app/torn.log");
	assert_string_equal(text, "first\nsecond\nthird\nsecond\nthird\nfourth\n");
	free(text);
	stop_writing(p);
}

#define SOME_TIME "2026-11-21T11:00:00.123456Z "

static void
a_line_torn_in_its_time_goes(void **state)
{
	struct bench *b = *state;
	for (size_t n = 1; n <= STAMP_LEN; n += 9) {
		char id[32], file[32], left[128];
		int p[2];
		make_pipe(p);
		(void)snprintf(id, sizeof id, "app/t%zu", n);
		(void)snprintf(file, sizeof file, "app/t%zu.log", n);
		(void)snprintf(
		    left, sizeof left, SOME_TIME "first\n%.*s", (int)n, SOME_TIME);
		leave(b, id + 4, left);
		put(p[1], "first\nsecond\n");
		add(b, 1, id, p[0], (struct limits){.flags = STAMPS});
		wait_for(b, file, "second\n");
		char *text = slurp(b, file);
		const char *rest = skip_stamp(text);
		assert_memory_equal(rest, "first\n", 6);
		rest = skip_stamp(rest + 6);
		assert_memory_equal(rest, "first\n", 6);
		assert_string_equal(skip_stamp(rest + 6), "second\n");
		free(text);
		order(b, MSG_LOG_DROP, 1);
		stop_writing(p);
	}
}

static void
a_line_torn_in_its_text_keeps_its_time(void **state)
{
	struct bench *b = *state;
	int p[2];
	make_pipe(p);
	leave(b, "torn", SOME_TIME "fir");
	put(p[1], "first\nsecond\n");
	add(b, 1, "app/torn", p[0], (struct limits){.flags = STAMPS});
	wait_for(b, "app/torn.log", "second\n");
	char *text = slurp(b, "app/torn.log");
	assert_memory_equal(text, SOME_TIME "first\n", STAMP_LEN + 6);
	const char *rest = skip_stamp(text + STAMP_LEN + 6);
	assert_memory_equal(rest, "first\n", 6);
	assert_string_equal(skip_stamp(rest + 6), "second\n");
	free(text);
	stop_writing(p);
}

static void
long_lines_are_cut_and_marked(void **state)
{
	struct bench *b = *state;

	enum { LEN = 3 * LINE_MAX_BYTES / 2 };

	static char line[LEN + 2];
	int p[2];
	make_pipe(p);
	add(b, 1, "app/long", p[0], (struct limits){0});
	memset(line, 'x', LEN);
	line[LEN] = '\n';
	put(p[1], line);
	put(p[1], "short\n");
	wait_for(b, "app/long.log", "short\n");
	char *text = slurp(b, "app/long.log");
	const char *cut = strstr(text, LINE_CUT);
	assert_ptr_equal(cut, text + LINE_MAX_BYTES);
	assert_int_equal(
	    strcspn(cut + sizeof LINE_CUT - 1, "\n"), LEN - LINE_MAX_BYTES);
	free(text);
	stop_writing(p);
}

/* --- rotation ---------------------------------------------------------------------- */

static void
rotation_by_size_keeps_so_many(void **state)
{
	struct bench *b = *state;
	int p[2];
	make_pipe(p);
	add(b, 1, "app/r", p[0], (struct limits){.max_bytes = 10, .keep = 2});
	put(p[1], "aaaa\nbbbb\ncccc\ndddd\neeee\nffff\ngggg\n");
	wait_for(b, "app/r.log", "gggg\n");
	assert_true(holds(b, "app/r.log.1", "eeee\nffff\n"));
	assert_true(holds(b, "app/r.log.2", "cccc\ndddd\n"));
	assert_false(holds(b, "app/r.log.3", "a"));
	stop_writing(p);
}

static void
rotation_by_age_survives_a_new_logger(void **state)
{
	struct bench *b = *state;
	struct limits lim = {.max_age_ms = 6000, .keep = 3, .flags = STAMPS};
	int p[2];
	make_pipe(p);
	add(b, 1, "app/r", p[0], lim);
	put(p[1], "old\n");
	wait_for(b, "app/r.log", "old\n");
	role_kill(&b->role);
	start(b);
	add(b, 1, "app/r", p[0], lim);
	put(p[1], "soon\n");
	wait_for(b, "app/r.log", "soon\n");
	assert_true(holds(b, "app/r.log", "old\n"));
	sleep_ms(6100);
	put(p[1], "new\n");
	wait_for(b, "app/r.log", "new\n");
	assert_false(holds(b, "app/r.log", "old\n"));
	assert_true(holds(b, "app/r.log.1", "old\n"));
	stop_writing(p);
}

static void
rotate_and_reopen_on_demand(void **state)
{
	struct bench *b = *state;
	int p[2], q[2];
	char from[128], to[128];
	make_pipe(p);
	make_pipe(q);
	add(b, 1, "app/r", p[0], (struct limits){.keep = 3});
	add(b, SLOT_NONE, "node", q[0], (struct limits){.keep = 3});
	put(p[1], "one\n");
	put(q[1], "node one\n");
	wait_for(b, "app/r.log", "one\n");
	wait_for(b, "node.log", "node one\n");
	order(b, MSG_LOG_ROTATE, SLOT_NONE);
	wait_for(b, "app/r.log.1", "one\n");
	wait_for(b, "node.log.1", "node one\n");
	put(p[1], "two\n");
	wait_for(b, "app/r.log", "two\n");
	(void)snprintf(from, sizeof from, "%s/app/r.log", b->log);
	(void)snprintf(to, sizeof to, "%s/app/moved", b->log);
	assert_int_equal(rename(from, to), 0);
	order(b, MSG_LOG_REOPEN, SLOT_NONE);
	put_until(b, p[1], "three\n", "app/r.log", "three\n");
	put(p[1], "four\n");
	wait_for(b, "app/r.log", "four\n");
	assert_false(holds(b, "app/moved", "four\n"));
	stop_writing(p);
	stop_writing(q);
}

/* --- what goes wrong --------------------------------------------------------------- */

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
			fail_msg("no '%s' in the logger's own log: %s", wanted, text);
		sleep_ms(5);
	}
}

static void
bad_ids_and_messages_are_refused(void **state)
{
	static const char *const bad[] = {"", "x", "../x", "a/../b", "a/b/c", "a/.b",
	    "A/b", "a/b#", "a/b#x", "a/b ", "/a", "a/", "a/b.log",
	    "a/012345678901234567890123456789012"};
	struct bench *b = *state;
	struct msg odd = {.type = MSG_FACT};
	int p[2];
	make_pipe(p);
	for (size_t i = 0; i < COUNT(bad); i++)
		add(b, 1, bad[i], p[0], (struct limits){0});
	role_send(&b->role, &odd, sizeof odd, -1);
	role_send(&b->role, &odd, 7, -1);
	errors_hold(b, "no log for the id '../x'");
	errors_hold(b, "message of the master refused");
	add(b, 1, "a/b", p[0], (struct limits){0});
	put(p[1], "fine\n");
	wait_for(b, "a/b.log", "fine\n");
	stop_writing(p);
}

static void
a_link_in_place_of_a_file_is_not_followed(void **state)
{
	struct bench *b = *state;
	char path[128];
	int p[2];
	make_pipe(p);
	(void)snprintf(path, sizeof path, "%s/app", b->log);
	assert_int_equal(fd_mkdirs(path, 0750, NULL), 0);
	(void)snprintf(path, sizeof path, "%s/app/l.log", b->log);
	assert_int_equal(symlink("elsewhere", path), 0);
	add(b, 1, "app/l", p[0], (struct limits){0});
	put(p[1], "lost\nlost\n");
	errors_hold(b, "worker app/l: cannot write its log");
	assert_int_equal(unlink(path), 0);
	wait_for(b, "app/l.log", "-- 2 lines (10 bytes) dropped: ");
	put(p[1], "fine\n");
	wait_for(b, "app/l.log", "--\nfine\n");
	assert_false(holds(b, "app/elsewhere", "lost"));
	stop_writing(p);
}

static void
a_full_disk_never_blocks_a_worker_and_is_counted(void **state)
{
	struct bench *b = *state;
	static char fill[512 << 10];
	char path[128];
	unsigned lines, bytes;
	int p[2];
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	role_kill(&b->role);
	assert_int_equal(fd_mkdirs(b->log, 0750, NULL), 0);
	assert_int_equal(mount("none", b->log, "tmpfs", 0, "size=256k,mode=700"), 0);
	start(b);
	make_pipe(p);
	add(b, 1, "app/full", p[0], (struct limits){.flags = STAMPS});
	put(p[1], "before\n");
	wait_for(b, "app/full.log", "before\n");
	(void)snprintf(path, sizeof path, "%s/fill", b->log);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, fill, 1000) > 0)
		continue;
	close(fd);
	long begun = now_ms();
	for (int i = 0; i < 20000; i++)
		put(p[1], "some line on a full disk\n");
	assert_true(now_ms() - begun < PATIENCE_MS);
	errors_hold(b, "No space left on device");
	assert_int_equal(unlink(path), 0);
	wait_for(b, "app/full.log", "dropped: No space left on device --\n");
	put(p[1], "after\n");
	wait_for(b, "app/full.log", "after\n");
	char *text = slurp(b, "app/full.log");
	unsigned there = 0;
	for (const char *at = text; (at = strstr(at, "some line on a full disk\n"));
	     at++)
		there++;
	const char *note = strstr(text, "-- ");
	assert_int_equal(sscanf(note, "-- %u lines (%u bytes)", &lines, &bytes), 2);
	assert_int_equal(there + lines, 20000);
	free(text);
	stop_writing(p);
	role_kill(&b->role);
	assert_int_equal(umount(b->log), 0);
}

/* --- the master comes and goes ------------------------------------------------------ */

static int
listen_for_attach(const struct bench *b)
{
	int dir = open(b->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int sock = fd_unix_bind(dir, "attach.sock", SOCK_SEQPACKET, NULL);
	close(dir);
	assert_true(sock >= 0);
	assert_int_equal(listen(sock, 4), 0);
	return sock;
}

static void
takes_up_with_the_next_master(void **state)
{
	struct bench *b = *state;
	struct msg_log_have have;
	struct msg hello;
	struct stat st;
	int p[2], q[2], fd, found = 0;
	make_pipe(p);
	make_pipe(q);
	add(b, 5, "app/kept", p[0], (struct limits){0});
	add(b, 6, "app/gone", q[0], (struct limits){0});
	assert_int_equal(
	    role_recv(b->role.chan, &hello, sizeof hello, NULL, PATIENCE_MS),
	    sizeof hello);
	assert_int_equal(hello.type, MSG_HELLO);
	fd_close(&b->role.chan);
	put(p[1], "nobody is there\n");
	wait_for(b, "app/kept.log", "there\n");
	int sock = listen_for_attach(b);
	b->role.chan = accept4(sock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(b->role.chan >= 0);
	close(sock);
	assert_int_equal(
	    role_recv(b->role.chan, &hello, sizeof hello, NULL, PATIENCE_MS),
	    sizeof hello);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    role_recv(b->role.chan, &have, sizeof have, &fd, PATIENCE_MS),
		    sizeof have);
		assert_int_equal(have.m.type, MSG_LOG_HAVE);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(have.ino, st.st_ino);
		found |= have.m.slot == 5 && strcmp(have.id, "app/kept") == 0;
		close(fd);
	}
	assert_true(found);
	/* The slots of the new master may be others. */
	add(b, 6, "app/kept", p[0], (struct limits){.flags = STAMPS});
	put_until(b, p[1], "again\n", "app/kept.log", "Z again\n");
	close(q[0]);
	put(q[1], "last words\n");
	wait_for(b, "app/gone.log", "last words\n");
	struct pollfd closed = {.fd = q[1], .events = 0};
	assert_int_equal(poll(&closed, 1, PATIENCE_MS), 1);
	order(b, MSG_LOG_DROP, 6);
	fd_close(&b->role.chan);
	assert_int_equal(role_wait(&b->role, PATIENCE_MS), 0);
	stop_writing(p);
	close(q[1]);
}

static void
ends_when_all_was_dropped(void **state)
{
	struct bench *b = *state;
	int p[2];
	make_pipe(p);
	add(b, 1, "app/x", p[0], (struct limits){0});
	put(p[1], "a line\nand a piece");
	order(b, MSG_LOG_DROP, 1);
	fd_close(&b->role.chan);
	assert_int_equal(role_wait(&b->role, PATIENCE_MS), 0);
	assert_true(holds(b, "app/x.log", "a line\nand a piece"));
	stop_writing(p);
}

static void
a_second_logger_waits_for_the_first(void **state)
{
	struct bench *b = *state;
	struct role_proc first = b->role;
	struct msg hello;
	int p[2], left;
	make_pipe(p);
	/* It says hello when it has the lock. */
	assert_int_equal(role_recv(first.chan, &hello, sizeof hello, NULL, PATIENCE_MS),
	    sizeof hello);
	start(b);
	sleep_ms(100);
	add(b, 1, "app/x", p[0], (struct limits){0});
	put(p[1], "a line\n");
	sleep_ms(200);
	assert_int_equal(ioctl(p[0], FIONREAD, &left), 0);
	assert_int_equal(left, 7);
	role_kill(&first);
	wait_for(b, "app/x.log", "a line\n");
	stop_writing(p);
}

/* --- many, and idle ------------------------------------------------------------------ */

static long
status_field(pid_t pid, const char *field)
{
	char path[64], text[4096];
	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	assert_true(fd_read_file(AT_FDCWD, path, text, sizeof text) > 0);
	const char *at = strstr(text, field);
	assert_non_null(at);
	return strtol(at + strlen(field), NULL, 10);
}

static void
many_silent_pipes_cost_no_wake_up(void **state)
{
	struct bench *b = *state;

	enum { MANY = 3000 };

	static int p[MANY][2];
	struct rlimit rl;
	(void)getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
	if (rl.rlim_cur < 2 * MANY + 100)
		skip();
	for (unsigned i = 0; i < MANY; i++) {
		char id[32];
		make_pipe(p[i]);
		(void)snprintf(id, sizeof id, "many/w#%u", i);
		add(b, i, id, p[i][0], (struct limits){0});
	}
	put(p[MANY - 1][1], "here\n");
	wait_for(b, "many/w#2999.log", "here\n");
	assert_true(role_sleeps(&b->role, 1500));
	print_message(
	    "%d pipes: RssAnon %ld kB\n", MANY, status_field(b->role.pid, "RssAnon:"));
	for (unsigned i = 0; i < MANY; i++)
		put(p[i][1], "all\n");
	for (unsigned i = 0; i < MANY; i += 100) {
		char name[32];
		(void)snprintf(name, sizeof name, "many/w#%u.log", i);
		wait_for(b, name, "all\n");
	}
	for (unsigned i = 0; i < MANY; i++)
		stop_writing(p[i]);
}

static void
the_nodes_lines_go_to_the_terminal_too(void **state)
{
	struct bench *b = *state;
	const char *const argv[] = {"supervisord-logger", "--log", b->log, "--run",
	    b->dir, "--tee-fd", "4", NULL};
	char text[64];
	int p[2], tee[2];
	make_pipe(p);
	make_pipe(tee);
	role_kill(&b->role);
	role_start(&b->role, argv, tee[1], b->errors);
	add(b, SLOT_NONE, "node", p[0], (struct limits){.flags = STAMPS});
	put(p[1], "hello\n");
	wait_for(b, "node.log", "hello\n");
	struct pollfd there = {.fd = tee[0], .events = POLLIN};
	assert_int_equal(poll(&there, 1, PATIENCE_MS), 1);
	assert_int_equal(read(tee[0], text, sizeof text), 6);
	assert_memory_equal(text, "hello\n", 6);
	/* Nobody reads the terminal: the file gets all the same. */
	for (int i = 0; i < 20000; i++)
		put(p[1], "a line that the terminal does not take\n");
	put(p[1], "end\n");
	wait_for(b, "node.log", "end\n");
	stop_writing(p);
	stop_writing(tee);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_reach_the_file_in_order),
	    TEST(each_line_gets_one_stamp),
	    TEST(a_piece_is_continued_by_the_next_logger),
	    TEST(a_torn_line_is_finished_before_its_chunk_comes_again),
	    TEST(a_line_torn_in_its_time_goes),
	    TEST(a_line_torn_in_its_text_keeps_its_time),
	    TEST(long_lines_are_cut_and_marked),
	    TEST(rotation_by_size_keeps_so_many),
	    TEST(rotation_by_age_survives_a_new_logger),
	    TEST(rotate_and_reopen_on_demand),
	    TEST(bad_ids_and_messages_are_refused),
	    TEST(a_link_in_place_of_a_file_is_not_followed),
	    TEST(a_full_disk_never_blocks_a_worker_and_is_counted),
	    TEST(takes_up_with_the_next_master),
	    TEST(ends_when_all_was_dropped),
	    TEST(a_second_logger_waits_for_the_first),
	    TEST(many_silent_pipes_cost_no_wake_up),
	    TEST(the_nodes_lines_go_to_the_terminal_too),
	};
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
