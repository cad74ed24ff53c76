/*
 * relctl stop - stop workers or supervisors and hold them down
 */
#include "each.h"

static int
run(struct cmd *cmd)
{
	static const struct each each = {.method = "worker.stop",
	    .done = "stopped",
	    .already = "did not run",
	    .pools_by_one = 0};
	return each_run(cmd, 0, &each);
}

const struct cmd_entry cmd_stop_entry = {.name = "stop",
    .args = "ID...",
    .help = "stop workers or supervisors and hold them down",
    .more =
	"What was stopped stays down until it is started again, also when its siblings are restarted, the configuration is reloaded or the node itself is replaced.",
    .role = "operate",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
