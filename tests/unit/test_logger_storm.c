/*
 * No line is lost: the real supervisord-logger killed again and again under load, each
 * line of each writer counted.
 */
#include "tests/unit/logger_bench.h"

/* Writes lines "N <pad>" in pieces that do not care for lines, as stdio does. */
static pid_t
start_writer(int fd, unsigned lines, unsigned seed, int pause_us)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	char buf[8192];
	size_t n = 0, next = 1;
	for (unsigned i = 0; i < lines; i++) {
		seed = seed * 1103515245 + 12345;
		int pad = (int)(seed >> 16) % 120;
		n += (size_t)snprintf(
		    buf + n, sizeof buf - n, "%u %0*d\n", i, pad + 1, 0);
		if (n < next && i + 1 < lines)
			continue;
		(void)fd_write_all(fd, buf, n > next && i + 1 < lines ? next : n);
		n = n > next && i + 1 < lines ? n - next : 0;
		memmove(buf, buf + next, n);
		next = 1 + (seed >> 8) % 4000;
		if (next <= n)
			next = n + 1;
		if (pause_us > 0)
			(void)usleep((unsigned)pause_us);
	}
	_exit(0);
}

/* Whether text has each line 0..lines-1 whole; a chunk may come twice. */
static void
count_lines(const char *text, unsigned lines, int stamps, unsigned *doubles)
{
	unsigned char *seen = calloc(lines, 1);
	unsigned missing = 0, first = UINT_MAX;
	*doubles = 0;
	for (const char *p = text; *p != '\0';) {
		const char *nl = strchr(p, '\n');
		const char *line = p;
		char *end;
		if (nl == NULL)
			break;
		p = nl + 1;
		if (stamps && nl - line > STAMP_LEN && lines_is_stamp(line, STAMP_LEN))
			line += STAMP_LEN;
		unsigned long n = strtoul(line, &end, 10);
		if (end == line || *end != ' ' || n >= lines ||
		    strspn(end + 1, "0") != (size_t)(nl - end - 1))
			continue;
		if (seen[n] && n % 16 == 0)
			(*doubles)++;
		seen[n] = 1;
	}
	for (unsigned i = 0; i < lines; i++)
		if (!seen[i]) {
			missing++;
			first = MIN(first, i);
		}
	free(seen);
	if (missing > 0)
		fail_msg("%u of %u lines are missing, the first is %u", missing, lines,
		    first);
}

/* The files of one log, the oldest first, as one text. */
static char *
slurp_all(const struct bench *b, const char *id, unsigned keep, unsigned *files)
{
	size_t cap = 1 << 20, n = 0;
	char *all = malloc(cap);
	*files = 0;
	for (unsigned i = keep + 1; i-- > 0;) {
		char name[128];
		if (i > 0)
			(void)snprintf(name, sizeof name, "%s.log.%u", id, i);
		else
			(void)snprintf(name, sizeof name, "%s.log", id);
		char *text = slurp(b, name);
		size_t len = strlen(text);
		while (n + len + 1 > cap)
			all = realloc(all, cap *= 2);
		memcpy(all + n, text, len);
		n += len;
		*files += len > 0;
		free(text);
	}
	all[n] = '\0';
	return all;
}

static void
storm(struct bench *b, struct limits lim, int kills)
{
	enum { WRITERS = 4, LINES = 60000 };

	int p[WRITERS][2];
	pid_t pids[WRITERS];
	char id[WRITERS][32];
	unsigned doubles, all_doubles = 0, files;
	for (int i = 0; i < WRITERS; i++) {
		make_pipe(p[i]);
		(void)snprintf(id[i], sizeof id[i], "app/w%d", i);
		add(b, (uint32_t)i, id[i], p[i][0], lim);
		pids[i] = start_writer(p[i][1], LINES, (unsigned)i * 77 + 1, i * 100);
		close(p[i][1]);
	}
	for (int k = 0; k < kills; k++) {
		sleep_ms(rand() % 40);
		role_kill(&b->role);
		start(b);
		for (int i = 0; i < WRITERS; i++)
			add(b, (uint32_t)i, id[i], p[i][0], lim);
	}
	for (int i = 0; i < WRITERS; i++)
		(void)waitpid(pids[i], NULL, 0);
	for (int i = 0; i < WRITERS; i++) {
		order(b, MSG_LOG_DROP, (uint32_t)i);
		close(p[i][0]);
	}
	fd_close(&b->role.chan);
	assert_int_equal(role_wait(&b->role, PATIENCE_MS), 0);
	for (int i = 0; i < WRITERS; i++) {
		char *text = slurp_all(b, id[i], lim.keep, &files);
		count_lines(text, LINES, lim.flags & STAMPS, &doubles);
		all_doubles += doubles;
		assert_true(lim.max_bytes == 0 || files > 5);
		free(text);
	}
	print_message(
	    "%d kills: 0 lines lost, about %u doubled\n", kills, all_doubles * 16);
}

static void
no_line_is_lost_in_a_storm_of_kills(void **state)
{
	storm(*state, (struct limits){0}, 60);
}

static void
no_stamped_line_is_lost_in_a_storm_of_kills_and_rotations(void **state)
{
	struct limits lim = {.max_bytes = 200000, .keep = 500, .flags = STAMPS};
	storm(*state, lim, 60);
}

static void
no_line_is_lost_when_kills_meet_compression(void **state)
{
	struct bench *b = *state;
	struct limits lim = {.max_bytes = 100000, .keep = 500, .flags = STAMPS | ZSTD};
	int p[2];
	char command[256];
	unsigned doubles, files;
	make_pipe(p);
	add(b, 1, "app/z", p[0], lim);
	pid_t pid = start_writer(p[1], 60000, 5, 300);
	sleep_ms(300);
	for (int k = 0; k < 30; k++) {
		sleep_ms(rand() % 40);
		role_kill(&b->role);
		start(b);
		add(b, 1, "app/z", p[0], lim);
	}
	(void)waitpid(pid, NULL, 0);
	order(b, MSG_LOG_DROP, 1);
	fd_close(&b->role.chan);
	assert_int_equal(role_wait(&b->role, PATIENCE_MS), 0);
	(void)snprintf(command, sizeof command,
	    "cd %s/app && ls *.log.*.zst >/dev/null && unzstd -q --rm -f *.zst",
	    b->log);
	assert_int_equal(system(command), 0);
	char *text = slurp_all(b, "app/z", lim.keep, &files);
	count_lines(text, 60000, 1, &doubles);
	assert_true(files > 5);
	free(text);
	stop_writing(p);
}

static int
is_there(const struct bench *b, const char *format, unsigned n)
{
	char path[128];
	size_t len = (size_t)snprintf(path, sizeof path, "%s/app/z.log", b->log);
	if (format != NULL)
		(void)snprintf(path + len, sizeof path - len, ".%u%s", n, format);
	else
		(void)snprintf(path + len, sizeof path - len, ".zst.tmp");
	return access(path, F_OK) == 0;
}

static int
all_are_compressed(const struct bench *b, unsigned keep)
{
	for (unsigned n = 1; n <= keep; n++)
		if (is_there(b, "", n) || (n < keep && !is_there(b, ".zst", n)))
			return 0;
	return !is_there(b, NULL, 0);
}

static void
all_old_files_are_compressed_in_the_end(void **state)
{
	struct bench *b = *state;
	struct limits lim = {.max_bytes = 1000, .keep = 5, .flags = ZSTD};
	char path[128];
	int p[2];
	make_pipe(p);
	/* What an earlier logger left: a plain file, and half of a compression. */
	(void)snprintf(path, sizeof path, "%s/app", b->log);
	assert_int_equal(fd_mkdirs(path, 0750, NULL), 0);
	(void)snprintf(path, sizeof path, "%s/app/z.log.1", b->log);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
	(void)snprintf(path, sizeof path, "%s/app/z.log.zst.tmp", b->log);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
	add(b, 1, "app/z", p[0], lim);
	for (int i = 0; i < 100; i++)
		put(p[1], "some forty bytes of text, and a newline\n");
	long end = now_ms() + PATIENCE_MS;
	while (!all_are_compressed(b, lim.keep) && now_ms() < end)
		sleep_ms(10);
	assert_true(all_are_compressed(b, lim.keep));
	stop_writing(p);
}

static void
a_flood_does_not_starve_the_others(void **state)
{
	struct bench *b = *state;
	int p[2], q[2];
	make_pipe(p);
	make_pipe(q);
	add(b, 1, "app/flood", p[0], (struct limits){.max_bytes = 1 << 20, .keep = 2});
	add(b, 2, "app/quiet", q[0], (struct limits){0});
	pid_t pid = fork();
	if (pid == 0) {
		static char much[65536];
		memset(much, 'y', sizeof much - 1);
		for (size_t i = 63; i < sizeof much - 1; i += 64)
			much[i] = '\n';
		for (;;)
			put(p[1], much);
	}
	for (int i = 0; i < 20; i++) {
		char line[32];
		long before = now_ms();
		(void)snprintf(line, sizeof line, "line %d\n", i);
		put(q[1], line);
		wait_for(b, "app/quiet.log", line);
		assert_true(now_ms() - before < 1000);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	stop_writing(p);
	stop_writing(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_line_is_lost_in_a_storm_of_kills),
	    TEST(no_stamped_line_is_lost_in_a_storm_of_kills_and_rotations),
	    TEST(no_line_is_lost_when_kills_meet_compression),
	    TEST(all_old_files_are_compressed_in_the_end),
	    TEST(a_flood_does_not_starve_the_others),
	};
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
