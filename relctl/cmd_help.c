/*
 * relctl help - the verbs, or one of them.
 */
#include <stdio.h>

#include "cmd.h"

static int
run(struct cmd *cmd)
{
	if (cmd->nwords > 0) {
		const struct cmd_entry *e = cmd_find(cmd->words[0], &cmd->err);
		if (e == NULL)
			return cmd_fail(cmd);
		cmd_usage(e, 0);
		return 0;
	}
	(void)puts("usage: relctl [OPTION...] VERB [ARGUMENT...]\n");
	for (size_t i = 0; i < cmd_table_n; i++)
		if (!cmd_table[i]->hidden)
			(void)printf(
			    "  %-16s %s\n", cmd_table[i]->name, cmd_table[i]->help);
	(void)puts("\noptions of every verb:");
	for (size_t i = 0; i < cmd_global_options_n; i++)
		(void)printf("  --%-14s %s\n", cmd_global_options[i].name,
		    cmd_global_options[i].help);
	(void)puts("\n`relctl help VERB` says more; relctl(1) says it all.");
	return 0;
}

const struct cmd_entry cmd_help_entry = {.name = "help",
    .args = "[VERB]",
    .help = "explain the verbs",
    .role = "",
    .max = 1,
    .words = WORDS_VERBS,
    .run = run};
