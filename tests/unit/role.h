/*
 * role - drives a built role program from a test, as the master would: starts it with
 * a channel as descriptor 3, sends it messages, reads its answers.
 *
 * The program stands beside the test: build/X/unit/test_y, build/X/bin/NAME.  All is
 * in this header since a test is one file.
 */
#ifndef TESTS_UNIT_ROLE_H
#define TESTS_UNIT_ROLE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"

struct role_proc {
	pid_t pid; /* 0: not running */
	int chan;  /* the master's end */
};

/* How long a condition is waited for: machines may be slow, and busy. */
enum { PATIENCE_MS = 60000 };

UNUSED static long
now_ms(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

UNUSED static void
sleep_ms(int ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	(void)nanosleep(&ts, NULL);
}

static void
role_program(const char *name, char *path, size_t cap)
{
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	must(n > 0);
	self[n] = '\0';
	for (int up = 0; up < 2; up++)
		*strrchr(self, '/') = '\0';
	(void)snprintf(path, cap, "%s/bin/%s", self, name);
}

/* Runs the program with chan as 3 and tee (or -1) as 4; log: its descriptor 2. */
UNUSED static pid_t
role_spawn(const char *const argv[], int chan, int tee, int log)
{
	char path[4096];
	role_program(argv[0], path, sizeof path);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int a = fcntl(chan, F_DUPFD, 20), b = tee < 0 ? -1 : fcntl(tee, F_DUPFD, 20);
	int c = log < 0 ? -1 : fcntl(log, F_DUPFD, 20);
	(void)dup2(a, 3);
	(void)(b < 0 ? close(4) : dup2(b, 4));
	if (c >= 0)
		(void)dup2(c, 2);
	closefrom(5);
	(void)execv(path, (char *const *)(uintptr_t)argv);
	_exit(127);
}

UNUSED static void
role_start(struct role_proc *role, const char *const argv[], int tee, int log)
{
	int pair[2];
	struct err err;
	if (chan_pair(pair, &err) < 0)
		fatal("%s", err.msg);
	role->pid = role_spawn(argv, pair[1], tee, log);
	must(role->pid > 0);
	close(pair[1]);
	role->chan = pair[0];
}

UNUSED static void
role_send(const struct role_proc *role, const void *msg, size_t len, int fd)
{
	struct pollfd p = {.fd = role->chan, .events = POLLOUT};
	while (chan_send(role->chan, msg, len, &fd, fd >= 0) < 0) {
		must(errno == EAGAIN || errno == ETOOMANYREFS);
		(void)poll(&p, 1, 100);
	}
}

/* The next message within ms: its length, 0 at the end, -1 for none. */
UNUSED static ssize_t
role_recv(int chan, void *msg, size_t cap, int *fd, int ms)
{
	struct pollfd p = {.fd = chan, .events = POLLIN};
	int fds[CHAN_FDS];
	unsigned nfds;
	if (poll(&p, 1, ms) != 1)
		return -1;
	ssize_t n = chan_recv(chan, msg, cap, fds, &nfds);
	if (fd != NULL)
		*fd = -1;
	for (unsigned i = 0; n >= 0 && i < nfds; i++)
		if (fd != NULL && i == 0)
			*fd = fds[i];
		else
			close(fds[i]);
	return n;
}

/* Waits at most ms for its end: the wait status, or -1. */
UNUSED static int
role_wait(struct role_proc *role, int ms)
{
	int status;
	long end = now_ms() + ms;
	while (waitpid(role->pid, &status, WNOHANG) != role->pid) {
		if (now_ms() > end)
			return -1;
		sleep_ms(2);
	}
	role->pid = 0;
	return status;
}

/* Waits until the process has slept through so many milliseconds without a wake-up. */
UNUSED static int
role_sleeps(const struct role_proc *role, int ms)
{
	char path[64], text[4096];
	long seen = -1, end = now_ms() + PATIENCE_MS;
	static const char field[] = "\nvoluntary_ctxt_switches:";
	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)role->pid);
	while (now_ms() < end) {
		must(fd_read_file(AT_FDCWD, path, text, sizeof text) > 0);
		const char *at = strstr(text, field);
		must(at != NULL);
		long now = strtol(at + sizeof field - 1, NULL, 10);
		if (now == seen)
			return 1;
		seen = now;
		sleep_ms(ms);
	}
	return 0;
}

UNUSED static void
role_kill(struct role_proc *role)
{
	if (role->pid > 0) {
		(void)kill(role->pid, SIGKILL);
		(void)waitpid(role->pid, NULL, 0);
	}
	role->pid = 0;
	fd_close(&role->chan);
}

#endif
