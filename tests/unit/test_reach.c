#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/util.h"
#include "confine/reach.h"
#include "confine/user.h"

static char path[64];
static int dir = -1;

/* Which of some things a confined process can do, as bits. */
enum { READS = 1, WRITES = 2, REMOVES = 4, OUTSIDE = 8, DEVICES = 16, ENTERED = 32 };

static unsigned
try_all(int may_write)
{
	const struct reach_rules rules = {
	    .in_own = may_write ? REACH_KEEP | REACH_LINK : REACH_READ};
	char lacks[REACH_LACKS];
	unsigned can = 0;
	if (confine_user(NULL, NULL) < 0 || reach_enter(&rules, dir, lacks, NULL) < 0)
		return 0;
	can |= ENTERED;
	can |= openat(dir, "file", O_RDONLY | O_CLOEXEC) >= 0 ? READS : 0;
	can |=
	    openat(dir, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 ? WRITES : 0;
	can |= unlinkat(dir, "new", 0) == 0 ? REMOVES : 0;
	can |= open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? OUTSIDE : 0;
	can |= mkfifoat(dir, "fifo", 0600) == 0 ? DEVICES : 0;
	return can;
}

static unsigned
confined(int may_write)
{
	int status = 0;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit((int)try_all(may_write));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	(void)unlinkat(dir, "fifo", 0);
	(void)unlinkat(dir, "new", 0);
	return (unsigned)WEXITSTATUS(status);
}

static void
what_was_given_stays_in_reach(void **state)
{
	(void)state;
	unsigned can = confined(1);
	assert_true((can & ENTERED) != 0);
	if ((can & OUTSIDE) != 0)
		skip(); /* a kernel without Landlock, or a build with a sanitizer */
	assert_int_equal(can, ENTERED | READS | WRITES | REMOVES);
	assert_int_equal(confined(0), ENTERED | READS);
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof path, "/tmp/steward-reach-XXXXXX");
	if (mkdtemp(path) == NULL)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(dir, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fd_close(&fd);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlinkat(dir, "file", 0);
	fd_close(&dir);
	return rmdir(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_given_stays_in_reach),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
