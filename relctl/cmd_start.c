/*
 * relctl start - start workers or supervisors, and end their hold
 */
#include "each.h"

static int
run(struct cmd *cmd)
{
	static const struct each each = {.method = "worker.start",
	    .done = "started",
	    .already = "runs already",
	    .pools_by_one = 0};
	return each_run(cmd, 0, &each);
}

const struct cmd_entry cmd_start_entry = {.name = "start",
    .args = "ID...",
    .help = "start workers or supervisors, and end their hold",
    .more = "Waits until each is ready; --timeout bounds that.",
    .role = "operate",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
