/* supervisord-load as a program: its answer to the master, its checks, its papers. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/chan.h"
#include "confine/user.h"
#include "load/paper.h"
#include "proto/proto.h"
#include "tests/unit/conf_help.h"

/* build/CC-SAN/unit/test_load stands beside build/CC-SAN/bin. */
static char program[4096];

static int
file_with(const char *text)
{
	int low = memfd_create("conf", 0);
	/* Out of the way of ROLE_CHANNEL_FD, which the child takes. */
	int fd = fcntl(low, F_DUPFD, 100);
	assert_true(fd >= 100);
	close(low);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

/* Runs it with the other end of the channel as its descriptor 3. */
static int
run_role(const char *text, struct msg_loaded *msg, int fds[CHAN_FDS], unsigned *n)
{
	int pair[2], status;
	char path[64];
	struct err err;
	int conf = file_with(text);
	assert_int_equal(chan_pair(pair, &err), 0);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", conf);
	pid_t pid = fork();
	if (pid == 0) {
		int high = fcntl(pair[1], F_DUPFD, 200);
		(void)dup2(high, ROLE_CHANNEL_FD);
		(void)execl(program, program, "--role", "--root", "", "--confine", "",
		    "--disabled", "/no/such/file", path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	ssize_t len = chan_recv(pair[0], msg, sizeof *msg, fds, n);
	assert_int_equal(len, sizeof *msg);
	assert_int_equal(
	    proto_check(msg, (size_t)len, *n, ROLE_LOAD, ROLE_MASTER, &err), 0);
	close(pair[0]);
	close(pair[1]);
	close(conf);
	return 0;
}

static void
the_master_gets_sealed_rows(void **state)
{
	struct msg_loaded msg;
	int fds[CHAN_FDS];
	unsigned n;
	struct rows rows = {0};
	struct err err = {0};
	char text[256];
	(void)state;
	(void)run_role("[worker a]\ncommand = no-such-program\n", &msg, fds, &n);
	assert_int_equal(msg.m.value, 0);
	assert_int_equal(n, 2);
	assert_int_equal(rows_map(fds[0], &rows, &err), 0);
	assert_int_equal(rows.head->nrows, 2);
	rows_unmap(&rows);
	assert_int_equal(write(fds[0], "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fds[0], 0), -1);
	ssize_t len = pread(fds[1], text, sizeof text - 1, 0);
	assert_true(len > 0);
	text[len] = '\0';
	assert_non_null(strstr(text, "warning: command: there is no program"));
	close(fds[0]);
	close(fds[1]);
}

static void
the_master_gets_the_errors(void **state)
{
	struct msg_loaded msg;
	int fds[CHAN_FDS];
	unsigned n;
	char text[256];
	(void)state;
	(void)run_role("[worker a]\nx = 1\n", &msg, fds, &n);
	assert_int_equal(msg.m.value, 2);
	assert_int_equal(n, 1);
	ssize_t len = pread(fds[0], text, sizeof text - 1, 0);
	assert_true(len > 0);
	text[len] = '\0';
	assert_non_null(strstr(text, ":1: error: [worker a] needs 'command = ...'"));
	assert_non_null(strstr(text, ":2: error: unknown key 'x' in [worker a]"));
	close(fds[0]);
}

/* Runs a command line, gives its exit status and what it wrote. */
static int
run(const char *arguments, char *out, size_t cap)
{
	char line[8192];
	(void)snprintf(line, sizeof line, "%s %s 2>&1", program, arguments);
	FILE *p = popen(line, "re");
	assert_non_null(p);
	out[fread(out, 1, cap - 1, p)] = '\0';
	return WEXITSTATUS(pclose(p));
}

static void
people_get_exit_codes(void **state)
{
	char line[128], out[4096];
	(void)state;
	int fd = file_with("[worker a]\ncommand = /bin/true\n");
	(void)snprintf(line, sizeof line, "--check /proc/self/fd/%d", fd);
	assert_int_equal(run(line, out, sizeof out), 0);
	assert_non_null(strstr(out, ": 1 application, 1 worker, fine\n"));
	(void)snprintf(line, sizeof line, "--check --json /proc/self/fd/%d", fd);
	assert_int_equal(run(line, out, sizeof out), 0);
	assert_non_null(strstr(out, "\"ok\":true"));
	assert_int_equal(ftruncate(fd, 5), 0);
	assert_int_equal(run(line, out, sizeof out), 78);
	assert_non_null(strstr(out, "\"line\":1,\"level\":\"error\""));
	assert_int_equal(run("--check /no/such/file", out, sizeof out), 78);
	assert_int_equal(run("", out, sizeof out), 2);
	assert_int_equal(run("--check", out, sizeof out), 2);
	assert_int_equal(run("--print nonsense", out, sizeof out), 2);
	assert_int_equal(run("--nonsense", out, sizeof out), 2);
	assert_int_equal(run("--help", out, sizeof out), 0);
	assert_int_equal(run("--check --confine no-such-user x", out, sizeof out), 1);
	close(fd);
}

/* The committed papers are those of the table; supervisord-load --print renews them. */
static void
same_as_printed(const char *paper, const char *path)
{
	char *printed = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&printed, &len);
	assert_non_null(out);
	assert_int_equal(paper_print(paper, out), 0);
	assert_int_equal(fclose(out), 0);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	char *there = malloc(len + 2);
	assert_non_null(there);
	size_t n = fread(there, 1, len + 1, f);
	assert_int_equal(fclose(f), 0);
	if (n != len || memcmp(there, printed, len) != 0)
		fail_msg(
		    "%s is not what supervisord-load --print %s prints", path, paper);
	free(there);
	free(printed);
}

static void
papers_are_those_of_the_table(void **state)
{
	(void)state;
	same_as_printed("man", "man/supervisord.conf.5");
	same_as_printed("conf", "conf/supervisord.conf");
}

/* With every comment sign before a key taken away, the examples must be known keys. */
static void
the_commented_configuration_is_right(void **state)
{
	struct loaded l;
	static char text[65536];
	FILE *f = fopen("conf/supervisord.conf", "re");
	size_t used = 0;
	char line[512];
	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		const char *p = line[0] == '#' && line[1] != ' ' ? line + 1 : line;
		used += (size_t)snprintf(text + used, sizeof text - used, "%s", p);
	}
	assert_int_equal(fclose(f), 0);
	(void)load_bytes(&l, text, used, &as_root);
	assert_null(strstr(l.said, "unknown key"));
	assert_null(strstr(l.said, "unknown section"));
	assert_null(strstr(l.said, " is not "));
	load_done(&l);
}

static void
confined_is_confined_for_good(void **state)
{
	struct err err;
	int status;
	(void)state;
	assert_int_equal(confine_user("no-such-user", &err), -1);
	if (geteuid() != 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		if (confine_user("nobody", &err) < 0 || getuid() != 65534)
			_exit(1);
		_exit(setuid(0) == 0 || seteuid(0) == 0 || getgroups(0, NULL) != 0 ? 2
										   : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_master_gets_sealed_rows),
	    cmocka_unit_test(the_master_gets_the_errors),
	    cmocka_unit_test(people_get_exit_codes),
	    cmocka_unit_test(papers_are_those_of_the_table),
	    cmocka_unit_test(the_commented_configuration_is_right),
	    cmocka_unit_test(confined_is_confined_for_good),
	};
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 64);
	if (n < 0)
		return 1;
	program[n] = '\0';
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(program, '/');
		if (slash == NULL)
			return 1;
		*slash = '\0';
	}
	(void)strcat(program, "/bin/supervisord-load");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
