#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "keeper/keeper.h"

enum {
	QUICK_MS = 1000,
	DELAY_MIN_MS = 10,
	DELAY_MAX_MS = 500, /* a second later at most all is adopted */
	LOCK_FD = 4,
	CHANNEL_FD = 3
};

static NORETURN void
master_exec(struct keeper *k, int theirs)
{
	char path[DIRS_PATH], *argv[DIRS_ARGS];
	sigset_t none;
	dirs_master_args(&k->dirs, k->init, argv);
	(void)setsid(); /* a terminal's ^C is for the keeper to hear */
	sigemptyset(&none);
	int lock = fcntl(k->lock_fd, F_DUPFD, 10);
	int chan = fcntl(theirs, F_DUPFD, 10);
	if (dup2(chan, CHANNEL_FD) < 0 || dup2(lock, LOCK_FD) < 0)
		_exit(1);
	close(lock);
	close(chan);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (k->use_proven)
		(void)fexecve(k->proven_fd, argv, environ);
	struct err err;
	if (dirs_program("supervisord-master", path, sizeof path, &err) < 0)
		log_error("%s", err.msg);
	else
		(void)execv(path, argv);
	_exit(127);
}

static void
master_later(struct keeper *k, const char *what)
{
	unsigned delay = (unsigned)DELAY_MIN_MS << MIN(k->quick_deaths, 7U);
	delay = MIN(delay, (unsigned)DELAY_MAX_MS);
	log_error("%s; trying again in %u ms", what, delay);
	k->quick_deaths++;
	k->retry_ms = clock_ms(CLOCK_MONOTONIC) + delay;
}

/* All that is kept, what was reaped, and go: to a new master, or to one that has put
 * another program into its own place. */
void
master_send_all(struct keeper *k)
{
	k->sent_n = k->acked_n;
	struct keep_msg go = {.type = KEEP_GO, .value = (uint64_t)getpid()};
	int flags = fcntl(k->chan, F_GETFL);
	(void)fcntl(k->chan, F_SETFL, flags & ~O_NONBLOCK); /* all of it, in order */
	if (store_send_all(k->chan) == 0) {
		reaped_send(k);
		(void)chan_send(k->chan, &go, KEEP_MSG_SIZE(0), NULL, 0);
	}
	(void)fcntl(k->chan, F_SETFL, flags);
}

void
master_start(struct keeper *k)
{
	int pair[2];
	struct err err;
	k->retry_ms = 0;
	if (chan_pair(pair, &err) < 0) {
		master_later(k, err.msg);
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		master_exec(k, pair[1]);
	fd_close(&pair[1]);
	if (pid < 0) {
		fd_close(&pair[0]);
		master_later(k, "cannot start the master: no process to be had");
		return;
	}
	k->master = pid;
	k->chan = pair[0];
	k->master_ready = 0;
	k->started_ms = clock_ms(CLOCK_MONOTONIC);
	master_send_all(k);
}

void
master_died(struct keeper *k, int status)
{
	fd_close(&k->chan);
	k->go_due = k->lost_due = 0;
	if (k->bye)
		return;
	if (k->stop_signal != 0 && !k->master_ready) {
		k->bye = 1; /* told to stop, and no master comes up to do it */
		k->status = 1;
		return;
	}
	if (WIFSIGNALED(status))
		log_warn(
		    "the master (pid gone) was killed by signal %d", WTERMSIG(status));
	else
		log_warn("the master exited with status %d", WEXITSTATUS(status));
	if (!k->master_ready)
		k->use_proven = k->proven_fd >= 0 && !k->use_proven;
	else
		k->use_proven = 0;
	if (clock_ms(CLOCK_MONOTONIC) - k->started_ms >= QUICK_MS)
		k->quick_deaths = 0;
	if (k->quick_deaths++ < 3)
		master_start(k);
	else
		master_later(k, "the master dies as soon as it is started");
}

/* What came of KEEP_REEXEC. */
void
keeper_answer(const struct keeper *k, enum keep_reexec what)
{
	struct keep_msg m = {.type = KEEP_REEXECED, .value = what};
	if (k->chan >= 0 && chan_send(k->chan, &m, KEEP_MSG_SIZE(0), NULL, 0) < 0)
		log_error("the master does not hear what came of the reexec");
}

/* Does the program come up at all?  Its exit status, as waitpid has it. */
static int
self_test(const char *path)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		alarm(5);
		execl(path, "supervisord", "--self-test", (char *)NULL);
		_exit(127);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid ? -1 : status;
}

/* Returns why the keeper stays, if it does. */
static enum keep_reexec
exec_anew(struct keeper *k)
{
	char path[DIRS_PATH], fd_text[16], *argv[DIRS_ARGS];
	struct err err;
	if (dirs_program("supervisord", path, sizeof path, &err) < 0) {
		log_error("the keeper stays: %s", err.msg);
		return REEXEC_NO_PROGRAM;
	}
	if (self_test(path) != 0) {
		log_error("the keeper stays: %s fails its self-test", path);
		return REEXEC_SELF_TEST;
	}
	int fd = inherit_write(k);
	if (fd < 0) {
		log_error("the keeper stays: no memory for what it holds");
		return REEXEC_MEMORY;
	}
	(void)snprintf(fd_text, sizeof fd_text, "%d", fd);
	dirs_keeper_args(&k->dirs, k->init, fd_text, argv);
	(void)execv(path, argv);
	log_error("the keeper stays: cannot execute %s", path);
	inherit_stay(k);
	fd_close(&fd);
	return REEXEC_EXEC;
}

/* Puts the keeper's own program, perhaps a new one, in its place. */
void
keeper_exec(struct keeper *k)
{
	keeper_answer(k, exec_anew(k));
}
