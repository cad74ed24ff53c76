/*
 * The verbs that do one thing with each of their ids, and nothing else: two rows a verb.
 */
#include "each.h"

static int run(struct cmd *cmd);

/* What all of them have in common. */
#define FOR_EACH                                                      \
	.args = "ID...", .role = "operate", .min = 1, .max = CMD_ANY, \
	.words = WORDS_IDS, .run = run

const struct cmd_entry cmd_each_entries[EACH_MAX] = {
    [EACH_START] = {FOR_EACH, .name = "start",
	.help = "start workers or supervisors, and end their hold",
	.more = "Waits until each is ready; --timeout bounds that."},
    [EACH_STOP] = {FOR_EACH, .name = "stop",
	.help = "stop workers or supervisors and hold them down",
	.more =
	    "What was stopped stays down until it is started again, also when its "
	    "siblings are restarted, the configuration is reloaded or the node itself is "
	    "replaced."},
    [EACH_RESTART] = {FOR_EACH, .name = "restart",
	.help = "stop and start, one after the other, waiting until each is ready",
	.more =
	    "Instances of a pool are restarted one by one.  Does not count towards the "
	    "intensity, unless the new life fails to start: that is told with exit 1, and "
	    "the supervisor goes on trying by its own rules."},
    [EACH_ENABLE] = {FOR_EACH, .name = "enable", .help = "start at boot again"},
    [EACH_DISABLE] = {FOR_EACH, .name = "disable",
	.help = "do not start at boot any more",
	.more = "What runs goes on running; use stop as well to end it."},
    [EACH_TERMINATE_CHILD] = {FOR_EACH, .name = "terminate-child",
	.help = "end a child, as supervisor:terminate_child of OTP",
	.more = "An instance of a pool is gone for ever afterwards."},
    [EACH_RESTART_CHILD] = {FOR_EACH, .name = "restart-child",
	.help = "start a terminated child again, as OTP does"},
    [EACH_DELETE_CHILD] = {FOR_EACH, .name = "delete-child",
	.help = "remove a terminated child, as OTP does"},
};

static const struct each methods[EACH_MAX] = {
    [EACH_START] = {.method = "worker.start",
	.done = "started",
	.already = "runs already"},
    [EACH_STOP] = {.method = "worker.stop",
	.done = "stopped",
	.already = "did not run"},
    [EACH_RESTART] = {.method = "worker.restart",
	.done = "restarted",
	.pools_by_one = 1},
    [EACH_ENABLE] = {.method = "worker.enable", .done = "enabled"},
    [EACH_DISABLE] = {.method = "worker.disable", .done = "disabled"},
    [EACH_TERMINATE_CHILD] = {.method = "supervisor.terminate_child",
	.done = "terminated"},
    [EACH_RESTART_CHILD] = {.method = "supervisor.restart_child", .done = "started"},
    [EACH_DELETE_CHILD] = {.method = "supervisor.delete_child", .done = "deleted"},
};

static int
run(struct cmd *cmd)
{
	return each_run(cmd, 0, &methods[cmd->entry - cmd_each_entries]);
}
