/*
 * relctl disable - do not start at boot any more
 */
#include "each.h"

static int
run(struct cmd *cmd)
{
	static const struct each each = {.method = "worker.disable",
	    .done = "disabled",
	    .already = NULL,
	    .pools_by_one = 0};
	return each_run(cmd, 0, &each);
}

const struct cmd_entry cmd_disable_entry = {.name = "disable",
    .args = "ID...",
    .help = "do not start at boot any more",
    .more = "What runs goes on running; use stop as well to end it.",
    .role = "operate",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
