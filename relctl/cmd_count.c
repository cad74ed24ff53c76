/*
 * relctl count - how many children a supervisor has, as OTP counts them.
 */
#include "cmd.h"

static int
run(struct cmd *cmd)
{
	static const char *const keys[] = {"specs", "active", "supervisors", "workers"};
	struct json *result =
	    cmd_call(cmd, "count_children", cmd_params("id", cmd->words[0]));
	if (result == NULL)
		return cmd_fail(cmd);
	if (cmd->json)
		cmd_print_json(result);
	for (size_t i = 0; i < COUNT(keys); i++)
		cmd_say(cmd, "%-12s %lld", keys[i],
		    (long long)json_get_int(result, keys[i], 0));
	json_free(&result);
	return 0;
}

const struct cmd_entry cmd_count_entry = {.name = "count",
    .args = "ID",
    .help = "count a supervisor's children, as supervisor:count_children of OTP",
    .role = "read",
    .min = 1,
    .max = 1,
    .words = WORDS_IDS,
    .run = run};
