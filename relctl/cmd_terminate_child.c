/*
 * relctl terminate-child - end a child, as supervisor:terminate_child of OTP
 */
#include "each.h"

static int
run(struct cmd *cmd)
{
	static const struct each each = {.method = "supervisor.terminate_child",
	    .done = "terminated",
	    .already = NULL,
	    .pools_by_one = 0};
	return each_run(cmd, 0, &each);
}

const struct cmd_entry cmd_terminate_child_entry = {.name = "terminate-child",
    .args = "ID...",
    .help = "end a child, as supervisor:terminate_child of OTP",
    .more = "An instance of a pool is gone for ever afterwards.",
    .role = "operate",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
