/*
 * relctl tree - the supervision tree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "nodes.h"
#include "table.h"

enum { C_TREE, C_STATE, C_PID, C_FOR, C_INFO };

/* "rest_for_one 1/3": strategy, restarts used and allowed. */
static const char *
supervisor_info(const struct node *n, char *buf, size_t cap)
{
	char rest[160];
	(void)node_info(n, rest, sizeof rest);
	if (n->instances >= 0)
		(void)snprintf(buf, cap, "%s, %lld of %lld instances  %s",
		    n->strategy != NULL ? n->strategy : "", (long long)n->children,
		    (long long)n->instances, rest);
	else if (n->intensity >= 0)
		(void)snprintf(buf, cap, "%s, %lld/%lld restarts  %s",
		    n->strategy != NULL ? n->strategy : "", (long long)n->restarts,
		    (long long)n->intensity, rest);
	else
		(void)snprintf(
		    buf, cap, "%s  %s", n->strategy != NULL ? n->strategy : "", rest);
	return buf;
}

static enum table_colour
colour_of(const struct node *n)
{
	if (node_runs(n))
		return COLOUR_GREEN;
	return node_troubled(n) ? COLOUR_RED : COLOUR_YELLOW;
}

/* The last part of an id: the tree shows where it hangs. */
static const char *
last_part(const char *id)
{
	const char *slash = strrchr(id, '/');
	return slash != NULL ? slash + 1 : id;
}

static struct table_line *
add_line(struct table *t, const struct node *n, struct table_line *parent)
{
	char text[320];
	struct table_line *line = table_line(t, parent);
	table_cell(line, C_TREE, parent != NULL ? last_part(n->id) : n->id);
	table_cell(line, C_STATE, n->state);
	table_colour(line, C_STATE, colour_of(n));
	if (n->pid > 0) {
		(void)snprintf(text, sizeof text, "%lld", (long long)n->pid);
		table_cell(line, C_PID, text);
	}
	table_cell(line, C_FOR, time_short(n->since_ms, text, sizeof text));
	if (node_is_worker(n) || n->parent == NULL)
		(void)node_info(n, text, sizeof text);
	else
		(void)supervisor_info(n, text, sizeof text);
	table_cell(line, C_INFO, text);
	return line;
}

/*
 * Nodes come parents first, so the parent of each is on the path that leads to the one
 * before it.
 */
static void
print_tree(const struct nodes *nodes)
{
	struct table *t = table_new();
	struct table_line **lines = calloc(nodes->n + 1, sizeof(struct table_line *));
	size_t *path = calloc(nodes->n + 1, sizeof *path), depth = 0;
	must(lines != NULL && path != NULL);
	table_column(t, "TREE", TABLE_TREE);
	table_column(t, "STATE", 0);
	table_column(t, "PID", TABLE_RIGHT);
	table_column(t, "FOR", TABLE_RIGHT);
	table_column(t, "INFO", TABLE_CUT);
	for (size_t i = 0; i < nodes->n; i++) {
		const struct node *n = &nodes->node[i];
		while (depth > 0 &&
		       (n->parent == NULL ||
			   strcmp(nodes->node[path[depth - 1]].id, n->parent) != 0))
			depth--;
		lines[i] = add_line(t, n, depth > 0 ? lines[path[depth - 1]] : NULL);
		path[depth++] = i;
	}
	table_print(t);
	table_free(&t);
	free(lines);
	free(path);
}

static int
run(struct cmd *cmd)
{
	struct nodes nodes;
	const char *under = cmd->nwords > 0 ? cmd->words[0] : NULL;
	if (nodes_fetch(cmd, under, cmd->json, &nodes) < 0)
		return cmd_fail(cmd);
	if (cmd->json) {
		struct json *json = json_object();
		json_set(json, "nodes", nodes.json);
		nodes.json = NULL;
		cmd_print_json(json);
		json_free(&json);
	} else if (!cmd->quiet) {
		print_tree(&nodes);
	}
	nodes_clear(&nodes);
	return 0;
}

const struct cmd_entry cmd_tree_entry = {.name = "tree",
    .args = "[ID]",
    .help = "show the supervision tree",
    .more = NULL,
    .role = "read",
    .max = 1,
    .words = WORDS_IDS,
    .run = run};
