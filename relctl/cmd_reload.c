/*
 * relctl reload - the configuration is read again and the difference applied.
 */
#include <stdio.h>

#include "cmd.h"

enum { O_CHECK };

static size_t
print_list(
    const struct cmd *cmd, const struct json *result, const char *key, const char *sign)
{
	const struct json *list = json_get(result, key);
	for (const struct json *j = json_first(list); j != NULL; j = json_next(j))
		cmd_say(cmd, "%s %s", sign, json_str(j) != NULL ? json_str(j) : "?");
	return json_count(list);
}

static int
run(struct cmd *cmd)
{
	int check = cmd->option[O_CHECK] != NULL;
	struct json *params = json_object();
	json_set_bool(params, "check", check);
	struct json *result = cmd_change(cmd, "node.reload", params);
	if (result == NULL)
		return cmd_fail(cmd);
	if (cmd->json)
		cmd_print_json(result);
	size_t n =
	    print_list(cmd, result, "added", "+") +
	    print_list(cmd, result, "removed", "-") +
	    print_list(
		cmd, result, "restarted", check ? "! would restart" : "! restart") +
	    print_list(cmd, result, "swapped", check ? "= would swap" : "= swap") +
	    print_list(cmd, result, "changed", "~") +
	    print_list(cmd, result, "sockets", "~ socket");
	if (json_get(result, "swap") != NULL)
		cmd_say(cmd, "%s", json_get_str(result, "swap", ""));
	if (n == 0)
		cmd_say(cmd, "nothing differs from what runs");
	else
		cmd_say(cmd, check ? "(nothing was changed: --check)" : "applied");
	json_free(&result);
	return 0;
}

const struct cmd_entry cmd_reload_entry = {.name = "reload",
    .args = "[--check]",
    .help = "read the configuration again and apply what differs",
    .more =
	"Prints + for what came, - for what went, ! for workers that are restarted "
	"because what is started differs, = for handlers whose module is swapped while they run, ~ for what changed in place.  With errors in "
	"the configuration all of them are printed, nothing is changed, and the exit "
	"code is 78.  When a module cannot be swapped, all stays as it was, and the exit code is 6.",
    .role = "admin",
    .options = {[O_CHECK] = {"check", 0, NULL, "only show what would be done"}},
    .run = run};
