/*
 * relctl enable - start at boot again
 */
#include "each.h"

static int
run(struct cmd *cmd)
{
	static const struct each each = {.method = "worker.enable",
	    .done = "enabled",
	    .already = NULL,
	    .pools_by_one = 0};
	return each_run(cmd, 0, &each);
}

const struct cmd_entry cmd_enable_entry = {.name = "enable",
    .args = "ID...",
    .help = "start at boot again",
    .more = NULL,
    .role = "operate",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
