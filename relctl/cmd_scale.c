/*
 * relctl scale - how many instances a pool has.
 */
#include "base/str.h"
#include "cmd.h"

static int
run(struct cmd *cmd)
{
	uint64_t n = 0;
	if (str_number(cmd->words[1], 0, 32000, &n, &cmd->err) < 0) {
		err_wrap(&cmd->err, "number of instances");
		cmd->err.kind = ERR_USAGE;
		return cmd_fail(cmd);
	}
	struct json *params = cmd_params("id", cmd->words[0]);
	json_set_u64(params, "instances", n);
	struct json *result = cmd_change(cmd, "pool.scale", params);
	if (result == NULL)
		return cmd_fail(cmd);
	cmd_say(cmd, "%s: %llu instances", json_get_str(result, "id", cmd->words[0]),
	    (unsigned long long)n);
	if (cmd->json)
		cmd_print_json(result);
	json_free(&result);
	return 0;
}

const struct cmd_entry cmd_scale_entry = {.name = "scale",
    .args = "POOL N",
    .help = "start or stop instances until the pool has N",
    .more = "The instances that stay are not touched.",
    .role = "operate",
    .min = 2,
    .max = 2,
    .words = WORDS_POOLS,
    .run = run};
