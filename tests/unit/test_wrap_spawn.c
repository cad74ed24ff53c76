/*
 * A birth under faults: no memory for its plan, no pipe, no process to be had.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "master/birth.h"
#include "tests/unit/wrap.h"

static struct node node;

/* main.c is not linked into tests, and nothing here boots. */
void
node_boot(struct node *n, int rows_fd)
{
	(void)n;
	(void)rows_fd;
}

static void
birth_over(struct birth *b)
{
	ev_io_stop(node.loop, &b->io);
	fd_close(&b->pipe);
	node.births--;
}

static int
spawn_one(struct err *err)
{
	char *argv[] = {(char[]){"true"}, NULL};
	const int fds[5] = {-1, -1, -1, PLAN_GAP, PLAN_GAP};
	int32_t pid = 0;
	int status = -1;
	if (spawn_program(&node, "/bin/true", argv, fds, &pid) < 0)
		return pid == 0 ? err_sys(err, "no birth")
				: err_set(err, ERR_NONE, "%s", "");
	pid_t got;
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	birth_over(&node.birth[0]);
	if (got != pid || status != 0)
		return err_set(err, ERR_FAILED, "pid %d ended with %d", pid, status);
	return 0;
}

static const struct wrap_case cases[] = {
    {"a program is started", spawn_one, NULL, false, 0},
};

static void
births_bear_every_fault(void **state)
{
	unsigned faults = 0;
	(void)state;
	node.loop = ev_loop_new(EVBACKEND_SELECT);
	for (unsigned i = 0; i < BIRTHS_MAX; i++)
		node.birth[i].pipe = -1;
	for (size_t i = 0; i < COUNT(cases); i++)
		faults += wrap_walk(&cases[i]);
	ev_loop_destroy(node.loop);
	assert_int_equal(faults, 5); /* mmap; two errors each of pipe2 and clone */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(births_bear_every_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
