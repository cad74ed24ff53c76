/*
 * relctl shutdown - stops everything and ends the node.
 */
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "client.h"
#include "cmd.h"

enum { O_STATUS };

static int
open_pid(int64_t pid)
{
	return pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
}

/* The keeper is the last to go. */
static int
wait_gone(struct cmd *cmd, int pidfd, int64_t pid)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int ms =
	    cmd->timeout_ms > 0 ? (int)MIN(cmd->timeout_ms, (uint64_t)INT32_MAX) : -1;
	if (pidfd < 0 || poll(&p, 1, ms) > 0)
		return 0;
	err_set(&cmd->err, ERR_FAILED,
	    "the node (keeper %lld) has not ended in time; it goes on stopping",
	    (long long)pid);
	return cmd_fail(cmd);
}

static int
run(struct cmd *cmd)
{
	uint64_t status = 0;
	if (cmd->option[O_STATUS] != NULL &&
	    str_number(cmd->option[O_STATUS], 0, 255, &status, &cmd->err) < 0) {
		err_wrap(&cmd->err, "--status");
		cmd->err.kind = ERR_USAGE;
		return cmd_fail(cmd);
	}
	/* Held before it goes, so that the pid cannot be somebody else's. */
	struct json *info = cmd_call(cmd, "node.info", NULL);
	if (info == NULL)
		return cmd_fail(cmd);
	int64_t keeper = json_get_int(info, "keeper_pid", 0);
	int pidfd = open_pid(keeper);
	json_free(&info);
	struct json *params = json_object();
	json_set_u64(params, "status", status);
	struct json *result = cmd_change(cmd, "node.shutdown", params);
	if (result == NULL && cmd->err.kind != ERR_UNREACHABLE)
		return cmd_fail(cmd);
	cmd->err.kind = ERR_NONE; /* it may have gone before it could answer */
	int code = cmd->wait ? wait_gone(cmd, pidfd, keeper) : 0;
	if (code == 0 && cmd->json && result != NULL)
		cmd_print_json(result);
	if (code == 0)
		cmd_say(cmd, cmd->wait ? "the node has ended" : "the node is stopping");
	json_free(&result);
	if (pidfd >= 0)
		close(pidfd);
	return code;
}

const struct cmd_entry cmd_shutdown_entry = {.name = "shutdown",
    .args = "[--status N]",
    .help = "stop everything and end the node",
    .more = "With --wait it returns when the last process of the node has gone; with "
	    "--timeout it gives up waiting then, exit code 1.",
    .role = "admin",
    .options = {[O_STATUS] = {"status", 0, "N", "exit status of the node (0)"}},
    .run = run};
