/*
 * relctl signal - send a signal to the main process of a worker.
 */
#include <string.h>

#include "each.h"

static void
add_signal(const struct cmd *cmd, struct json *params)
{
	const char *sig = cmd->words[cmd->nwords];
	json_set_str(params, "signal", sig[0] == '-' ? sig + 1 : sig);
}

static int
run(struct cmd *cmd)
{
	static const struct each each = {.method = "worker.signal",
	    .done = "signalled",
	    .pools_by_one = 1,
	    .add = add_signal};
	/* The last word is the signal, all before it are ids. */
	cmd->nwords--;
	return each_run(cmd, 0, &each);
}

const struct cmd_entry cmd_signal_entry = {.name = "signal",
    .args = "ID... SIGNAL",
    .help = "send a signal to the main process of workers",
    .more = "SIGNAL is a name (HUP, SIGHUP) or a number.",
    .role = "operate",
    .min = 2,
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
