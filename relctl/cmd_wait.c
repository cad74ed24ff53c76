/*
 * relctl wait - until something is ready, or down.
 */
#include <string.h>

#include "await.h"

enum { O_FOR };

/* 1 it is, 0 not yet, -1 with cmd->err. */
static int
look(struct cmd *cmd, const char *id, int down)
{
	struct json *node = cmd_call(cmd, "tree.get", cmd_params("id", id));
	if (node == NULL)
		return down && cmd->err.kind == ERR_UNKNOWN_NAME ? 1 : -1;
	const char *state = json_get_str(node, "state", "");
	int ret = down ? strcmp(state, "down") == 0 || strcmp(state, "done") == 0
		       : strcmp(state, "up") == 0 || strcmp(state, "done") == 0;
	json_free(&node);
	return ret;
}

/* Looks, and looks again after each event about it. */
static int
wait_one(struct cmd *cmd, const char *id, int down, uint64_t until)
{
	for (;;) {
		int is = look(cmd, id, down);
		if (is != 0)
			return is < 0 ? cmd_fail(cmd) : 0;
		int n = await_event(cmd, until);
		if (n < 0)
			return cmd_fail(cmd);
		if (n == 0) {
			err_set(&cmd->err, ERR_FAILED,
			    "'%s' is not %s after the time given; `relctl why %s` says more",
			    id, down ? "down" : "ready", id);
			return cmd_fail(cmd);
		}
	}
}

static int
run(struct cmd *cmd)
{
	const char *what = cmd->option[O_FOR] != NULL ? cmd->option[O_FOR] : "ready";
	int down = strcmp(what, "down") == 0, code = 0;
	uint64_t until = await_until(cmd);
	if (!down && strcmp(what, "ready") != 0) {
		err_set(
		    &cmd->err, ERR_USAGE, "--for is 'ready' or 'down', not '%s'", what);
		return cmd_fail(cmd);
	}
	if (await_subscribe(cmd, until) < 0)
		return cmd_fail(cmd);
	for (unsigned i = 0; i < cmd->nwords && code == 0; i++)
		code = wait_one(cmd, cmd->words[i], down, until);
	if (code == 0 && cmd->json) {
		struct json *json = json_object();
		json_set_str(json, "state", what);
		cmd_print_json(json);
		json_free(&json);
	}
	return code;
}

const struct cmd_entry cmd_wait_entry = {.name = "wait",
    .args = "[--for ready|down] ID...",
    .help = "wait until all are ready (or down)",
    .more =
	"With --timeout it gives up then, exit code 1; until then it also waits for a node that is not up yet.",
    .role = "read",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .options = {[O_FOR] = {"for", 0, "STATE", "ready (the default) or down"}},
    .run = run};
