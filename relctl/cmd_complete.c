/*
 * relctl __complete - what could stand where the cursor is, for the shells.
 *
 * The words are those of the command line behind `relctl`, the last being the one that is
 * typed, maybe empty.  Prints candidates, one a line; never complains.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "nodes.h"

enum { ASK_MS = 1000 };

static void
offer(const char *candidate, const char *typed)
{
	if (str_starts(candidate, typed))
		(void)puts(candidate);
}

static void
offer_options(const struct cmd_entry *e, const char *typed)
{
	char text[64];
	for (size_t i = 0; e != NULL && i < CMD_OPTIONS && e->options[i].name != NULL;
	     i++) {
		(void)snprintf(text, sizeof text, "--%s", e->options[i].name);
		offer(text, typed);
	}
	for (size_t i = 0; i < cmd_global_options_n; i++) {
		(void)snprintf(text, sizeof text, "--%s", cmd_global_options[i].name);
		offer(text, typed);
	}
}

static void
offer_verbs(const char *typed)
{
	for (size_t i = 0; i < cmd_table_n; i++)
		if (!cmd_table[i]->hidden)
			offer(cmd_table[i]->name, typed);
}

static void
offer_ids(struct cmd *cmd, int pools, const char *typed)
{
	struct nodes nodes;
	if (nodes_fetch(cmd, NULL, 0, &nodes) < 0)
		return;
	for (size_t i = 0; i < nodes.n; i++)
		if (nodes.node[i].parent != NULL &&
		    (!pools || nodes.node[i].instances >= 0))
			offer(nodes.node[i].id, typed);
	nodes_clear(&nodes);
}

static void
offer_apps(struct cmd *cmd, const char *typed)
{
	static const char *const verbs[] = {
	    "list", "info", "load", "unload", "start", "stop", "env", "setenv"};
	if (cmd->nwords <= 2) {
		for (size_t i = 0; i < COUNT(verbs); i++)
			offer(verbs[i], typed);
		return;
	}
	struct json *result = cmd_call(cmd, "app.list", NULL);
	const struct json *list = json_get(result, "applications");
	for (const struct json *a = json_first(list); a != NULL; a = json_next(a))
		offer(json_get_str(a, "app", ""), typed);
	json_free(&result);
}

static int
run(struct cmd *cmd)
{
	const char *typed = cmd->nwords > 0 ? cmd->words[cmd->nwords - 1] : "";
	const struct cmd_entry *entry = NULL;
	/* The options before decide which node is asked. */
	for (unsigned i = 0; i + 1 < cmd->nwords; i++) {
		if (strcmp(cmd->words[i], "--root") == 0)
			cmd->root = cmd->words[++i];
		else if (str_starts(cmd->words[i], "--root="))
			cmd->root = cmd->words[i] + 7;
		else if (entry == NULL && cmd->words[i][0] != '-')
			entry = cmd_find(cmd->words[i], NULL);
	}
	cmd_dirs(cmd);
	cmd->timeout_ms = ASK_MS;
	if (typed[0] == '-')
		offer_options(entry, typed);
	else if (entry == NULL || entry->words == WORDS_VERBS)
		offer_verbs(typed);
	else if (entry->words == WORDS_IDS || entry->words == WORDS_POOLS)
		offer_ids(cmd, entry->words == WORDS_POOLS, typed);
	else if (entry->words == WORDS_APPS)
		offer_apps(cmd, typed);
	return 0;
}

const struct cmd_entry cmd_complete_entry = {.name = "__complete",
    .args = "WORD...",
    .help = "candidates for the shells",
    .role = "read",
    .max = CMD_ANY,
    .raw = 1,
    .hidden = 1,
    .run = run};
