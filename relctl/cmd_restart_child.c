/*
 * relctl restart-child - start a terminated child again, as OTP does
 */
#include "each.h"

static int
run(struct cmd *cmd)
{
	static const struct each each = {.method = "supervisor.restart_child",
	    .done = "started",
	    .already = NULL,
	    .pools_by_one = 0};
	return each_run(cmd, 0, &each);
}

const struct cmd_entry cmd_restart_child_entry = {.name = "restart-child",
    .args = "ID...",
    .help = "start a terminated child again, as OTP does",
    .more = NULL,
    .role = "operate",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
