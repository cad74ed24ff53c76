/*
 * relctl restart - stop and start, one after the other, waiting until each is ready
 */
#include "each.h"

static int
run(struct cmd *cmd)
{
	static const struct each each = {.method = "worker.restart",
	    .done = "restarted",
	    .already = NULL,
	    .pools_by_one = 1};
	return each_run(cmd, 0, &each);
}

const struct cmd_entry cmd_restart_entry = {.name = "restart",
    .args = "ID...",
    .help = "stop and start, one after the other, waiting until each is ready",
    .more =
	"Instances of a pool are restarted one by one.  Does not count towards the intensity, "
	"unless the new life fails to start: that is told with exit 1, and the supervisor goes "
	"on trying by its own rules.",
    .role = "operate",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
