/*
 * relctl wait - until something is ready, or down.
 */
#include <string.h>
#include <time.h>

#include "client.h"
#include "cmd.h"

enum { O_FOR };

static uint64_t
now_ms(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

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
		struct json *event = NULL;
		int is = look(cmd, id, down);
		if (is != 0)
			return is < 0 ? cmd_fail(cmd) : 0;
		uint64_t now = now_ms();
		uint64_t left = until == MS_INFINITY ? until : until - MIN(now, until);
		int n = client_next(cmd->client, left, &event, &cmd->err);
		json_free(&event);
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

/* The subscription comes first: what happens after the look is not missed.  A node that
 * is on its way up is waited for, if there is an end to the waiting. */
static int
subscribe(struct cmd *cmd, uint64_t until)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	for (;;) {
		struct json *result = cmd_call(cmd, "events.subscribe", NULL);
		if (result != NULL) {
			json_free(&result);
			return 0;
		}
		if (cmd->err.kind != ERR_UNREACHABLE || until == MS_INFINITY ||
		    now_ms() >= until)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
}

static int
run(struct cmd *cmd)
{
	const char *what = cmd->option[O_FOR] != NULL ? cmd->option[O_FOR] : "ready";
	int down = strcmp(what, "down") == 0, code = 0;
	uint64_t until = cmd->timeout_ms > 0 ? now_ms() + cmd->timeout_ms : MS_INFINITY;
	if (!down && strcmp(what, "ready") != 0) {
		err_set(
		    &cmd->err, ERR_USAGE, "--for is 'ready' or 'down', not '%s'", what);
		return cmd_fail(cmd);
	}
	if (subscribe(cmd, until) < 0)
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
