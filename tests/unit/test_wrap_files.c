/*
 * Files and descriptors under faults: run/state, lib/disabled, what the keeper holds,
 * channels, sockets, directories, a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/run.h"
#include "base/util.h"
#include "keeper/keeper.h"
#include "master/node.h"
#include "rows/rows_build.h"
#include "tests/unit/wrap.h"

static char dir[64];
static int dir_fd;

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/test_wrap.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(dir_fd);
	return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- run/state --------------------------------------------------------------------- */

static bool
state_is_whole(void)
{
	struct stat sb;
	return fstatat(dir_fd, "state", &sb, 0) < 0 ||
	       sb.st_size == (off_t)sizeof(struct state);
}

static int
open_state(struct err *err)
{
	static struct node n;
	n = (struct node){.run_dir = dir_fd, .state_fd = -1};
	int rc = state_open(&n, err);
	if (n.st != NULL)
		(void)munmap(n.st, sizeof(struct state));
	fd_close(&n.state_fd);
	return rc < 0 ? -1 : 0;
}

static int
make_state(struct err *err)
{
	(void)unlinkat(dir_fd, "state", 0);
	return open_state(err);
}

/* --- lib/disabled ------------------------------------------------------------------ */

enum { DISABLED = 600 }; /* more than one write */

static struct state *slots;
static struct rows_build *made;
static struct rows rows;
static bool disabled_new; /* which of the two lists was asked for last */

static int
make_slots(void)
{
	char id[32];
	const void *block;
	size_t size;
	struct err err;
	made = rows_build_new();
	const char *argv[] = {"/bin/true"};
	struct row_exec e = {.argc = 1,
	    .argv = rows_build_strings(made, argv, 1),
	    .stop_signal = SIGTERM,
	    .umask = 022};
	uint32_t exec = rows_build_exec(made, &e);
	struct row app = {.id = rows_build_string(made, "a"),
	    .kind = ROW_APP,
	    .parent = ROW_NONE,
	    .exec = ROW_NONE,
	    .intensity = 1,
	    .period_ms = 5000,
	    .stop_ms = 5000,
	    .start_ms = 10000,
	    .lifespan_ms = MS_INFINITY,
	    .success = {1}};
	(void)rows_build_row(made, &app);
	for (int i = 0; i < DISABLED; i++) {
		(void)snprintf(id, sizeof id, "a/worker-%d", i);
		struct row r = {.id = rows_build_string(made, id),
		    .kind = ROW_WORKER,
		    .parent = 0,
		    .exec = exec,
		    .intensity = 1,
		    .period_ms = 5000,
		    .stop_ms = 5000,
		    .start_ms = 10000,
		    .lifespan_ms = MS_INFINITY,
		    .success = {1}};
		(void)rows_build_row(made, &r);
	}
	rows_build_node(made)->name = rows_build_string(made, "n");
	if (rows_build_finish(made, &block, &size, &err) < 0 ||
	    rows_check(block, size, &rows, &err) < 0) {
		print_message("%s\n", err.msg);
		return -1;
	}
	slots = mmap(NULL, sizeof *slots, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return slots == MAP_FAILED ? -1 : 0;
}

static bool
disabled_is_whole(void)
{
	char path[128], last[32];
	static char text[65536];
	(void)snprintf(path, sizeof path, "%s/disabled", dir);
	ssize_t n = fd_read_file(AT_FDCWD, path, text, sizeof text);
	if (n < 0)
		return errno == ENOENT;
	(void)snprintf(last, sizeof last, "a/worker-%d\n", DISABLED - 1);
	const char *end = strstr(text, last);
	return n == 0 || (end != NULL && end[strlen(last)] == '\0' &&
			     strncmp(text, "a/worker-0\n", 11) == 0);
}

static int
save_disabled(struct err *err)
{
	static struct node n;
	struct stat sb;
	n = (struct node){.st = slots, .rows = rows};
	(void)snprintf(n.disabled_path, sizeof n.disabled_path, "%s/disabled", dir);
	disabled_new = !disabled_new;
	slots->head.core.slots_used = DISABLED + 1;
	for (uint32_t i = 1; i <= DISABLED; i++)
		slots->slot[i] = (struct slot){.kind = SLOT_WORKER,
		    .row = i,
		    .flags = disabled_new ? SF_DISABLED : 0};
	disabled_save(&n); /* says what is wrong in the log */
	(void)snprintf(n.disabled_path, sizeof n.disabled_path, "%s/disabled.new", dir);
	if (stat(n.disabled_path, &sb) == 0)
		return err_set(err, ERR_FAILED, "%s", "");
	return 0;
}

/* --- the keeper's store --------------------------------------------------------------- */

static struct keeper keeper, heir;

static void
drop_all(void)
{
	struct keep_msg m = {.n = 3,
	    .key = {{.kind = KEEP_LOG_READ, .number = 3},
		{.kind = KEEP_LOG_WRITE, .number = 3},
		{.kind = KEEP_SOCK, .number = 99}}};
	store_drop(&m);
}

static int
keep_some(struct err *err)
{
	struct keep_msg m = {.n = 3,
	    .key = {{.kind = KEEP_LOG_READ, .number = 3},
		{.kind = KEEP_LOG_WRITE, .number = 3},
		{.kind = KEEP_SOCK, .number = 99}}};
	int fds[3];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "no pipe");
	fds[2] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fds[2] < 0) {
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		return err_sys(err, "no socket");
	}
	store_take(&m, fds, 3);
	return 0;
}

static int
hand_over(struct err *err)
{
	if (keep_some(err) < 0)
		return -1;
	keeper = (struct keeper){.chan = -1, .lock_fd = -1};
	for (int i = 1; i <= 5; i++)
		reaped_add(&keeper, 100 + i, i << 8);
	int fd = inherit_write(&keeper);
	int rc = fd < 0 ? err_sys(err, "nothing is inherited") : 0;
	if (rc == 0) {
		heir = (struct keeper){.chan = -1, .lock_fd = -1};
		/* the descriptors are the same ones: they are not to be closed twice */
		rc = lseek(fd, 0, SEEK_SET) == 0 ? 0 : err_sys(err, "no seek");
		fd_close(&fd);
	}
	drop_all();
	return rc;
}

static int
send_kept(struct err *err)
{
	int pair[2], fds[CHAN_FDS], rc = -1;
	unsigned nfds = 0;
	struct keep_msg m;
	if (keep_some(err) < 0)
		return -1;
	if (chan_pair(pair, err) < 0) {
		drop_all();
		return -1;
	}
	if (store_send_all(pair[0]) < 0)
		(void)err_sys(err, "the channel takes nothing");
	else if (chan_recv(pair[1], &m, sizeof m, fds, &nfds) <= 0)
		(void)err_sys(err, "the channel gives nothing");
	else
		rc = nfds == 3 ? 0 : err_set(err, ERR_FAILED, "%u descriptors", nfds);
	for (unsigned i = 0; i < nfds; i++)
		fd_close(&fds[i]);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	drop_all();
	return rc;
}

/* --- small helpers ------------------------------------------------------------------- */

static int
bind_and_connect(struct err *err)
{
	int fd = fd_unix_bind(dir_fd, "s", SOCK_STREAM, err);
	if (fd < 0)
		return -1;
	int rc = listen(fd, 1) < 0 ? err_sys(err, "no listen") : 0;
	int other = rc == 0 ? fd_unix_connect(dir_fd, "s", SOCK_STREAM, err) : -1;
	rc = other < 0 ? -1 : 0;
	fd_close(&other);
	fd_close(&fd);
	return rc;
}

static int
make_directories(struct err *err)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/a/b/c", dir);
	int rc = fd_mkdirs(path, 0700, err);
	(void)unlinkat(dir_fd, "a/b/c", AT_REMOVEDIR);
	(void)unlinkat(dir_fd, "a/b", AT_REMOVEDIR);
	(void)unlinkat(dir_fd, "a", AT_REMOVEDIR);
	return rc;
}

static int
read_a_file(struct err *err)
{
	char text[256];
	if (fd_read_file(AT_FDCWD, "/proc/self/stat", text, sizeof text) < 0 &&
	    errno != EFBIG)
		return err_sys(err, "cannot read");
	return 0;
}

static const struct wrap_case cases[] = {
    {"run/state is opened", open_state, state_is_whole, false, 0},
    {"run/state is made", make_state, state_is_whole, false, 0},
    {"lib/disabled is saved", save_disabled, disabled_is_whole, false, 0},
    {"the keeper hands over", hand_over, NULL, false, 0},
    {"the keeper sends what it holds", send_kept, NULL, false, 0},
    {"a socket is bound and connected", bind_and_connect, NULL, false, 0},
    {"directories are made", make_directories, NULL, false, 0},
    {"a small file is read", read_a_file, NULL, false, 0},
};

static void
each_operation_bears_every_fault(void **state)
{
	unsigned faults = 0;
	(void)state;
	assert_int_equal(make_slots(), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		faults += wrap_walk(&cases[i]);
	assert_true(faults > 30);
	rows_build_free(&made);
	(void)munmap(slots, sizeof *slots);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		each_operation_bears_every_fault, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
