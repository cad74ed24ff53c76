#include "each.h"

#include <string.h>

#include "client.h"

static int
is_already(const struct cmd *cmd)
{
	const char *name = json_get_str(client_error_data(cmd->client), "name", "");
	return strcmp(name, "already") == 0 || strcmp(name, "not_running") == 0;
}

static void
say_done(const struct cmd *cmd, const struct each *each, const struct json *result,
    const char *id)
{
	int64_t pid = json_get_int(result, "pid", 0);
	const char *whole = json_get_str(result, "id", id);
	if (pid > 0)
		cmd_say(cmd, "%s: %s, pid %lld", whole, each->done, (long long)pid);
	else
		cmd_say(cmd, "%s: %s", whole, each->done);
}

/* One id.  Its exit code; adds to the list of results. */
static int
one(struct cmd *cmd, const struct each *each, const char *id, struct json *results)
{
	struct json *params = cmd_params("id", id);
	if (each->add != NULL)
		each->add(cmd, params);
	struct json *result = cmd_change(cmd, each->method, params);
	int code = 0;
	if (result != NULL) {
		say_done(cmd, each, result, id);
	} else if (cmd->client == NULL) {
		return cmd_fail(cmd);
	} else {
		result = cmd_params("id", id);
		if (each->already != NULL && is_already(cmd)) {
			cmd_say(cmd, "%s: %s", id, each->already);
			json_set_bool(result, "already", 1);
		} else {
			code = cmd_fail(cmd);
			json_set_str(result, "error", cmd->err.msg);
		}
	}
	json_push(results, result);
	return code;
}

/* A pool becomes its instances; another id stays itself. */
static int
unfold(struct cmd *cmd, const char *id, struct ids *ids)
{
	struct json *node = cmd_call(cmd, "tree.get", cmd_params("id", id));
	if (node == NULL)
		return -1;
	const char *whole = json_get_str(node, "id", id);
	int pool =
	    strcmp(json_get_str(node, "strategy", ""), "simple_one_for_one") == 0;
	struct json *reply =
	    pool ? cmd_call(cmd, "which_children", cmd_params("id", whole)) : NULL;
	if (!pool)
		ids_add(ids, whole);
	const struct json *children = json_get(reply, "children");
	for (const struct json *c = json_first(children); c != NULL; c = json_next(c))
		ids_add(ids, json_get_str(c, "id", ""));
	json_free(&node);
	int ret = pool && reply == NULL ? -1 : 0;
	json_free(&reply);
	return ret;
}

/*
 * Complains of each failure but leaves the last for main, so that every failure is told
 * exactly once.
 */
static void
note(struct cmd *cmd, int code, int *first, struct err *kept)
{
	if (code == 0)
		return;
	if (*first != 0)
		cmd_complain("%s", kept->msg);
	else
		*first = code;
	*kept = cmd->err;
}

int
each_run(struct cmd *cmd, unsigned from, const struct each *each)
{
	struct ids ids, all = {NULL, 0};
	struct err kept = {.kind = ERR_NONE};
	int first = 0;
	if (ids_expand(cmd, from, 0, &ids) < 0)
		return cmd_fail(cmd);
	for (size_t i = 0; i < ids.n; i++) {
		if (!each->pools_by_one)
			ids_add(&all, ids.id[i]);
		else if (unfold(cmd, ids.id[i], &all) < 0)
			note(cmd, cmd_fail(cmd), &first, &kept);
	}
	struct json *results = json_array();
	for (size_t i = 0; i < all.n && (i == 0 || cmd->client != NULL); i++)
		note(cmd, one(cmd, each, all.id[i], results), &first, &kept);
	if (cmd->json && first == 0) {
		struct json *json = json_object();
		json_set(json, "results", json_copy(results));
		cmd_print_json(json);
		json_free(&json);
	}
	cmd->err = kept;
	json_free(&results);
	ids_clear(&ids);
	ids_clear(&all);
	return first;
}
