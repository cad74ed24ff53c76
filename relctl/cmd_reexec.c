/*
 * relctl reexec - a new master or keeper from the binary on disk.
 */
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "client.h"
#include "cmd.h"

enum { STEP_MS = 20, LOOKS_MAX = 1500, KEEPER_MS = 30000 };

static int64_t
masters(struct cmd *cmd)
{
	struct json *info = cmd_call(cmd, "node.info", NULL);
	int64_t n = json_get_int(info, "masters", -1);
	json_free(&info);
	return n;
}

/* Waits until another master answers; the connection breaks meanwhile. */
static int
wait_for_new(struct cmd *cmd, int64_t before)
{
	const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
	uint64_t looks =
	    cmd->timeout_ms > 0 ? cmd->timeout_ms / STEP_MS + 1 : LOOKS_MAX;
	for (uint64_t i = 0; i < looks; i++) {
		(void)nanosleep(&step, NULL);
		client_close(&cmd->client);
		if (masters(cmd) > before) {
			cmd->err.kind = ERR_NONE;
			return 0;
		}
	}
	err_set(&cmd->err, ERR_FAILED,
	    "no new master has answered yet; see `relctl logs node`");
	return cmd_fail(cmd);
}

static int
run(struct cmd *cmd)
{
	const char *which = cmd->nwords > 0 ? cmd->words[0] : "master";
	int keeper = strcmp(which, "keeper") == 0;
	int64_t before = masters(cmd);
	if (before < 0)
		return cmd_fail(cmd);
	if (keeper && cmd->timeout_ms == 0)
		cmd->timeout_ms =
		    KEEPER_MS; /* one of another version may say nothing */
	struct json *result =
	    cmd_change(cmd, "node.reexec", cmd_params("which", which));
	if (result == NULL)
		return cmd_fail(cmd);
	if (cmd->json)
		cmd_print_json(result);
	json_free(&result);
	/* A keeper's successor answers itself, and has its pid. */
	int code = cmd->wait && !keeper ? wait_for_new(cmd, before) : 0;
	if (code == 0)
		cmd_say(cmd, "%s: %s", which,
		    cmd->wait || keeper ? "replaced" : "is being replaced");
	return code;
}

const struct cmd_entry cmd_reexec_entry = {.name = "reexec",
    .args = "[master|keeper]",
    .help = "put a new master (or keeper) in place from the binary on disk",
    .more =
	"Workers keep their pids.  A new program that fails its check is refused with exit 1, "
	"and the old one stays.  Of a keeper it returns when the new one serves, of a master "
	"when it has passed the check, with --wait when it answers.",
    .role = "admin",
    .max = 1,
    .run = run};
