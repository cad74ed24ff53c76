/*
 * relctl check - validates a configuration without a node.
 *
 * supervisord-load does it: the very program that would read it for the node.  It is
 * looked for beside relctl, then where it is installed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/run.h"
#include "cmd.h"

#ifndef LIBEXECDIR
#define LIBEXECDIR "/usr/lib/steward"
#endif

/* DIR/supervisord-load, if it can be executed. */
static int
is_there(char *buf, size_t cap, int dir_len, const char *dir, const char *below)
{
	int n = snprintf(buf, cap, "%.*s%s/supervisord-load", dir_len, dir, below);
	return n > 0 && (size_t)n < cap && access(buf, X_OK) == 0;
}

static int
find_loader(char *buf, size_t cap)
{
	char self[1024];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n > 0) {
		self[n] = '\0';
		const char *slash = strrchr(self, '/');
		int len = slash != NULL ? (int)(slash - self) : 0;
		if (is_there(buf, cap, len, self, "") ||
		    is_there(buf, cap, len, self, "/../lib/steward"))
			return 0;
	}
	return is_there(buf, cap, (int)strlen(LIBEXECDIR), LIBEXECDIR, "") ? 0 : -1;
}

static int
run(struct cmd *cmd)
{
	char loader[1200];
	const char *argv[8] = {loader, "--check"};
	const int fds[3] = {
	    STDIN_FILENO, cmd->quiet ? -1 : STDOUT_FILENO, STDERR_FILENO};
	unsigned n = 2;
	int status = 0;
	pid_t pid = 0;
	if (find_loader(loader, sizeof loader) < 0) {
		err_set(&cmd->err, ERR_FAILED,
		    "supervisord-load is neither beside relctl nor in %s; install Steward "
		    "whole",
		    LIBEXECDIR);
		return cmd_fail(cmd);
	}
	if (cmd->json)
		argv[n++] = "--json";
	if (cmd->root != NULL) {
		argv[n++] = "--root";
		argv[n++] = cmd->root;
	}
	argv[n++] = cmd->words[0];
	argv[n] = NULL;
	(void)fflush(stdout);
	if (run_start(argv, fds, &pid, &cmd->err) < 0)
		return cmd_fail(cmd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* It has said everything itself. */
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

const struct cmd_entry cmd_check_entry = {.name = "check",
    .args = "FILE",
    .help = "validate a configuration without a node",
    .more = "Prints every error with file and line.  Exits with 78 if there is one.",
    .role = "",
    .min = 1,
    .max = 1,
    .words = WORDS_FILES,
    .run = run};
