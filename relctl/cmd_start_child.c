/*
 * relctl start-child - one more instance of a pool, or a configured child.
 */
#include <string.h>

#include "cmd.h"

enum { O_CHILD };

static int
run(struct cmd *cmd)
{
	struct json *params = cmd_params("id", cmd->words[0]), *args = json_array();
	for (unsigned i = 1; i < cmd->nwords; i++)
		json_push_str(args, cmd->words[i]);
	if (json_count(args) > 0)
		json_set(params, "args", args);
	else
		json_free(&args);
	if (cmd->option[O_CHILD] != NULL)
		json_set_str(params, "child", cmd->option[O_CHILD]);
	struct json *result = cmd_change(cmd, "supervisor.start_child", params);
	if (result == NULL)
		return cmd_fail(cmd);
	if (cmd->json)
		cmd_print_json(result);
	else
		cmd_say(cmd, "%s: started, pid %lld", json_get_str(result, "id", "?"),
		    (long long)json_get_int(result, "pid", 0));
	json_free(&result);
	return 0;
}

const struct cmd_entry cmd_start_child_entry = {.name = "start-child",
    .args = "[--child NAME] SUPERVISOR [ARG...]",
    .help = "start one more child, as supervisor:start_child of OTP",
    .more =
	"A pool starts an instance with ARGs behind those of its template.  "
	"Another supervisor starts the child of its configuration that --child names.",
    .role = "operate",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_POOLS,
    .raw = 1,
    .options = {[O_CHILD] = {"child", 'c', "NAME", "the configured child to start"}},
    .run = run};
