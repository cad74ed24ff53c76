/*
 * relctl children - the children of a supervisor, as OTP shows them.
 */
#include <stdio.h>

#include "cmd.h"
#include "table.h"

static int
run(struct cmd *cmd)
{
	struct json *result =
	    cmd_call(cmd, "which_children", cmd_params("id", cmd->words[0]));
	if (result == NULL)
		return cmd_fail(cmd);
	if (cmd->json) {
		cmd_print_json(result);
		json_free(&result);
		return 0;
	}
	struct table *t = table_new();
	table_column(t, "ID", 0);
	table_column(t, "CHILD", 0);
	table_column(t, "TYPE", 0);
	const struct json *list = json_get(result, "children");
	for (const struct json *c = json_first(list); c != NULL; c = json_next(c)) {
		struct table_line *line = table_line(t, NULL);
		char pid[24];
		(void)snprintf(
		    pid, sizeof pid, "%lld", (long long)json_get_int(c, "child", 0));
		table_cell(line, 0, json_get_str(c, "id", "?"));
		table_cell(line, 1, json_get_str(c, "child", pid));
		table_cell(line, 2, json_get_str(c, "type", "?"));
	}
	table_print(t);
	table_free(&t);
	json_free(&result);
	return 0;
}

const struct cmd_entry cmd_children_entry = {.name = "children",
    .args = "ID",
    .help = "list a supervisor's children, as supervisor:which_children of OTP",
    .role = "read",
    .min = 1,
    .max = 1,
    .words = WORDS_IDS,
    .run = run};
