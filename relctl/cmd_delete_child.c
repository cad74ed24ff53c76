/*
 * relctl delete-child - remove a terminated child, as OTP does
 */
#include "each.h"

static int
run(struct cmd *cmd)
{
	static const struct each each = {.method = "supervisor.delete_child",
	    .done = "deleted",
	    .already = NULL,
	    .pools_by_one = 0};
	return each_run(cmd, 0, &each);
}

const struct cmd_entry cmd_delete_child_entry = {.name = "delete-child",
    .args = "ID...",
    .help = "remove a terminated child, as OTP does",
    .more = NULL,
    .role = "operate",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
