/*
 * relctl status - what runs, as a table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "nodes.h"
#include "table.h"

enum { C_ID, C_STATE, C_PID, C_FOR, C_RESTARTS, C_INFO };

static enum table_colour
colour_of(const struct node *n)
{
	if (node_runs(n))
		return COLOUR_GREEN;
	if (node_troubled(n))
		return COLOUR_RED;
	return strcmp(n->state, "down") == 0 ? COLOUR_GREY : COLOUR_YELLOW;
}

static void
add_line(struct table *t, const struct node *n)
{
	char text[256];
	struct table_line *line = table_line(t, NULL);
	table_cell(line, C_ID, n->id);
	table_cell(line, C_STATE, n->state);
	table_colour(line, C_STATE, colour_of(n));
	if (n->pid > 0) {
		(void)snprintf(text, sizeof text, "%lld", (long long)n->pid);
		table_cell(line, C_PID, text);
	}
	table_cell(line, C_FOR, time_short(n->since_ms, text, sizeof text));
	(void)snprintf(text, sizeof text, "%lld", (long long)n->restarts);
	table_cell(line, C_RESTARTS, text);
	table_cell(line, C_INFO, node_info(n, text, sizeof text));
}

static void
print_table(const struct nodes *nodes, int workers_only)
{
	struct table *t = table_new();
	table_column(t, "ID", 0);
	table_column(t, "STATE", 0);
	table_column(t, "PID", TABLE_RIGHT);
	table_column(t, "FOR", TABLE_RIGHT);
	table_column(t, "RESTARTS", TABLE_RIGHT);
	table_column(t, "INFO", TABLE_CUT);
	for (size_t i = 0; i < nodes->n; i++)
		if (!workers_only || node_is_worker(&nodes->node[i]))
			add_line(t, &nodes->node[i]);
	table_print(t);
	table_free(&t);
}

/* One line about the node itself. */
static void
print_head(const struct json *info)
{
	char time[24];
	const struct json *counts = json_get(info, "counts");
	const long long workers = json_get_int(counts, "workers", 0);
	(void)printf("node %s: %s for %s; %lld worker%s, %lld up, %lld in trouble; "
		     "master %lld, keeper %lld\n",
	    json_get_str(info, "name", "?"), json_get_str(info, "state", "?"),
	    time_short(json_get_int(info, "uptime_ms", 0), time, sizeof time), workers,
	    workers == 1 ? "" : "s", (long long)json_get_int(counts, "up", 0),
	    (long long)json_get_int(counts, "failed", 0),
	    (long long)json_get_int(info, "master_pid", 0),
	    (long long)json_get_int(info, "keeper_pid", 0));
}

static int
whole_node(struct cmd *cmd)
{
	struct nodes nodes;
	struct json *info = cmd_call(cmd, "node.info", NULL);
	if (info == NULL)
		return cmd_fail(cmd);
	if (nodes_fetch(cmd, NULL, cmd->json, &nodes) < 0) {
		json_free(&info);
		return cmd_fail(cmd);
	}
	if (cmd->json) {
		struct json *json = json_object();
		json_set(json, "node", info);
		info = NULL; /* moved */
		json_set(json, "nodes", nodes.json);
		nodes.json = NULL;
		cmd_print_json(json);
		json_free(&json);
	} else if (!cmd->quiet) {
		print_head(info);
		print_table(&nodes, 1);
	}
	json_free(&info);
	nodes_clear(&nodes);
	return 0;
}

/* What is known of one id: itself first, then all below it. */
static int
one_id(struct cmd *cmd, const char *id, struct json *list)
{
	struct nodes nodes;
	if (nodes_fetch(cmd, id, cmd->json, &nodes) < 0)
		return cmd_fail(cmd);
	int code = nodes.n > 0 && node_runs(&nodes.node[0]) ? 0 : 3;
	if (cmd->json)
		for (const struct json *j = json_first(nodes.json); j != NULL;
		     j = json_next(j))
			json_push(list, json_copy(j));
	else if (!cmd->quiet)
		print_table(&nodes, 0);
	nodes_clear(&nodes);
	return code;
}

/* As systemctl: 0 when all run, 3 when one does not, 4 when one is not known. */
static int
run(struct cmd *cmd)
{
	struct ids ids;
	int worst = 0;
	if (cmd->nwords == 0)
		return whole_node(cmd);
	if (ids_expand(cmd, 0, 1, &ids) < 0)
		return cmd_fail(cmd);
	struct json *json = json_object(), *list = json_array();
	for (size_t i = 0; i < ids.n && cmd->err.kind != ERR_UNREACHABLE; i++) {
		int code = one_id(cmd, ids.id[i], list);
		worst = MAX(worst, code);
	}
	json_set(json, "nodes", list);
	if (cmd->json && cmd->err.kind == ERR_NONE)
		cmd_print_json(json);
	json_free(&json);
	ids_clear(&ids);
	return worst;
}

const struct cmd_entry cmd_status_entry = {.name = "status",
    .args = "[ID...]",
    .help = "show what runs",
    .more =
	"Without ID all workers; with ID that point of the tree and what is below it.  "
	"Exits with 3 if one of the IDs does not run, with 4 if one is not known.",
    .role = "read",
    .max = CMD_ANY,
    .words = WORDS_IDS,
    .run = run};
