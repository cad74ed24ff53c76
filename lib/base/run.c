#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <unistd.h>

#include "base/util.h"

/*
 * Two rounds, since a descriptor may be one of 0, 1, 2 itself: first all go above the
 * highest of them, then to their places.  What is above 2 is closed last.
 */
static int
plan_fds(posix_spawn_file_actions_t *plan, const int fds[3])
{
	int rc = 0, above = 3;
	for (int i = 0; i < 3; i++)
		above = MAX(above, fds[i] + 1);
	for (int i = 0; i < 3 && rc == 0; i++)
		rc = fds[i] < 0
			 ? posix_spawn_file_actions_addopen(
			       plan, above + i, "/dev/null", O_RDWR, 0)
			 : posix_spawn_file_actions_adddup2(plan, fds[i], above + i);
	for (int i = 0; i < 3 && rc == 0; i++)
		rc = posix_spawn_file_actions_adddup2(plan, above + i, i);
	return rc != 0 ? rc : posix_spawn_file_actions_addclosefrom_np(plan, 3);
}

static int
plan_signals(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &all);
	return rc != 0 ? rc
		       : posix_spawnattr_setflags(
			     attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

int
run_start(const char *const argv[], const int fds[3], pid_t *pid, struct err *err)
{
	posix_spawn_file_actions_t plan;
	posix_spawnattr_t attr;
	errno = posix_spawn_file_actions_init(&plan);
	if (errno != 0)
		return err_sys(err, "cannot start %s", argv[0]);
	errno = posix_spawnattr_init(&attr);
	if (errno != 0) {
		(void)posix_spawn_file_actions_destroy(&plan);
		return err_sys(err, "cannot start %s", argv[0]);
	}
	int rc = plan_fds(&plan, fds);
	if (rc == 0)
		rc = plan_signals(&attr);
	if (rc == 0)
		rc = posix_spawn(pid, argv[0], &plan, &attr, unconst(argv), environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&plan);
	errno = rc;
	return rc == 0 ? 0 : err_sys(err, "cannot start %s", argv[0]);
}
