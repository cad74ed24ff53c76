/*
 * stepkill - kills a process at its N-th step, a step being the entry to or the exit from
 * a system call: truly every one, however it is made.
 *
 *   stepkill PID PROGRAM N
 *
 * PID is traced.  If it runs PROGRAM (the last part of its /proc/PID/exe), its own steps
 * count from now on; else its children and theirs are followed through the programs in
 * `way` until one becomes PROGRAM by exec, and the steps of that one count.  Whom it does
 * not follow it lets go.  A call at whose entry the process is killed does not happen.
 *
 * Standard output: "ready" when PID is traced, then one line: "killed PID CALL in MS" or
 * "killed PID RESULT out MS" (MS: wall clock), or, when there was nothing to kill till
 * SIGTERM or till PROGRAM's end, "passed STEPS".
 * Whoever is still traced then is let go and runs on.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { AT_CALL = SIGTRAP | 0x80 };

static const char *const way[] = {"supervisord", "supervisord-master"};
static const long follow = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
			   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			   PTRACE_O_TRACECLONE;

static const char *program;
static long wanted;
static long steps;
static pid_t target;

/* The last part of the path of what pid runs; "" when it is gone. */
static const char *
program_of(pid_t pid)
{
	static char path[4096];
	char link[64];
	(void)snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
	ssize_t n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static long
trace(enum __ptrace_request what, pid_t pid, long data)
{
	return ptrace(what, pid, NULL, data);
}

static void
finish(void)
{
	(void)printf("passed %ld\n", steps);
	exit(0);
}

static void
kill_it(void)
{
	struct __ptrace_syscall_info info = {0};
	struct timespec ts;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	long long now = (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	(void)ptrace(PTRACE_GET_SYSCALL_INFO, target, sizeof info, &info);
	bool in = info.op == PTRACE_SYSCALL_INFO_ENTRY;
	(void)kill(target, SIGKILL);
	(void)waitpid(target, NULL, __WALL);
	(void)printf("killed %d %lld %s %lld\n", (int)target,
	    in ? (long long)info.entry.nr : (long long)info.exit.rval,
	    in ? "in" : "out", now);
	exit(0);
}

/* The one whose steps count: its own children are nobody's business any more. */
static void
take(pid_t pid)
{
	target = pid;
	(void)trace(PTRACE_SETOPTIONS, pid, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC);
}

static void
on_exec(pid_t pid)
{
	const char *name = program_of(pid);
	if (pid == target)
		return;
	if (target == 0 && strcmp(name, program) == 0) {
		take(pid);
		return;
	}
	for (size_t i = 0; i < sizeof way / sizeof way[0]; i++)
		if (target == 0 && strcmp(name, way[i]) == 0)
			return;
	(void)trace(PTRACE_DETACH, pid, 0);
}

static void
on_stop(pid_t pid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16, pass = 0;
	if (pid == target && sig == AT_CALL && ++steps == wanted)
		kill_it();
	if (event == PTRACE_EVENT_EXEC)
		on_exec(pid);
	else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		(void)trace(PTRACE_LISTEN, pid, 0);
		return;
	} else if (event == 0 && sig != AT_CALL)
		pass = sig;
	(void)trace(pid == target ? PTRACE_SYSCALL : PTRACE_CONT, pid, pass);
}

static int
attach(pid_t pid)
{
	int status;
	if (trace(PTRACE_SEIZE, pid, follow) < 0 ||
	    trace(PTRACE_INTERRUPT, pid, 0) < 0 ||
	    waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) {
		(void)fprintf(stderr, "stepkill: %d: %s\n", (int)pid, strerror(errno));
		return -1;
	}
	if (strcmp(program_of(pid), program) == 0)
		take(pid);
	(void)puts("ready");
	on_stop(pid, status);
	return 0;
}

int
main(int argc, char **argv)
{
	sigset_t set;
	int status;
	pid_t pid;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 4)
		return 2;
	program = argv[2];
	wanted = strtol(argv[3], NULL, 10);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (attach((pid_t)strtol(argv[1], NULL, 10)) < 0)
		return 1;
	while (sigwaitinfo(&set, NULL) != SIGTERM)
		while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
			if (WIFSTOPPED(status))
				on_stop(pid, status);
			else if (pid == target)
				finish();
	finish();
}
