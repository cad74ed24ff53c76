/*
 * relctl app - applications: list, info, load, unload, start, stop, env, setenv.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client.h"
#include "cmd.h"
#include "nodes.h"
#include "table.h"

enum { O_TYPE };

static int
app_list(struct cmd *cmd)
{
	struct json *result = cmd_call(cmd, "app.list", NULL);
	if (result == NULL)
		return cmd_fail(cmd);
	if (cmd->json) {
		cmd_print_json(result);
		json_free(&result);
		return 0;
	}
	static const char *const columns[] = {
	    "app", "version", "state", "start", "workers", "description"};
	static const char *const heads[] = {
	    "APP", "VERSION", "STATE", "START", "UP", "DESCRIPTION"};
	struct table *t = table_new();
	for (size_t i = 0; i < COUNT(heads); i++)
		table_column(t, heads[i], i == 5 ? TABLE_CUT : 0);
	const struct json *list = json_get(result, "applications");
	for (const struct json *a = json_first(list); a != NULL; a = json_next(a)) {
		struct table_line *line = table_line(t, NULL);
		char up[48];
		(void)snprintf(up, sizeof up, "%lld/%lld",
		    (long long)json_get_int(a, "up", 0),
		    (long long)json_get_int(a, "workers", 0));
		for (size_t i = 0; i < COUNT(columns); i++)
			table_cell(line, i, json_get_str(a, columns[i], up));
	}
	if (!cmd->quiet)
		table_print(t);
	table_free(&t);
	json_free(&result);
	return 0;
}

static int
app_info(struct cmd *cmd)
{
	static const char *const keys[] = {
	    "app", "description", "version", "state", "start"};
	struct json *result =
	    cmd_call(cmd, "app.info", cmd_params("app", cmd->words[1]));
	if (result == NULL)
		return cmd_fail(cmd);
	if (cmd->json)
		cmd_print_json(result);
	const struct json *app = json_get(result, "application");
	for (size_t i = 0; i < COUNT(keys); i++)
		cmd_say(cmd, "%-12s %s", keys[i], json_get_str(app, keys[i], ""));
	cmd_say(cmd, "%-12s %lld of %lld up", "workers",
	    (long long)json_get_int(app, "up", 0),
	    (long long)json_get_int(app, "workers", 0));
	const struct json *needs = json_get(app, "needs");
	for (const struct json *n = json_first(needs); n != NULL; n = json_next(n))
		cmd_say(
		    cmd, "%-12s %s", "needs", json_str(n) != NULL ? json_str(n) : "?");
	const char *last = json_get_str(json_get(app, "last"), "words", NULL);
	if (last != NULL)
		cmd_say(cmd, "%-12s %s", "last", last);
	json_free(&result);
	return 0;
}

static int
app_env(struct cmd *cmd)
{
	struct json *result =
	    cmd_call(cmd, "app.env", cmd_params("app", cmd->words[1]));
	if (result == NULL)
		return cmd_fail(cmd);
	if (cmd->json)
		cmd_print_json(result);
	const struct json *env = json_get(result, "env");
	for (const struct json *v = json_first(env); v != NULL; v = json_next(v))
		cmd_say(
		    cmd, "%s=%s", json_key(v), json_str(v) != NULL ? json_str(v) : "");
	json_free(&result);
	return 0;
}

/* load, unload, start and stop differ in a word only. */
static int
app_change(struct cmd *cmd, const char *method, const char *done)
{
	struct json *params = cmd_params("app", cmd->words[1]);
	if (cmd->option[O_TYPE] != NULL)
		json_set_str(params, "type", cmd->option[O_TYPE]);
	struct json *result = cmd_change(cmd, method, params);
	if (result == NULL)
		return cmd_fail(cmd);
	if (cmd->json)
		cmd_print_json(result);
	cmd_say(cmd, "%s: %s", cmd->words[1], done);
	json_free(&result);
	return 0;
}

static int
app_load(struct cmd *cmd)
{
	return app_change(cmd, "app.load", "loaded");
}

static int
app_unload(struct cmd *cmd)
{
	return app_change(cmd, "app.unload", "unloaded");
}

static int
app_start(struct cmd *cmd)
{
	return app_change(cmd, "app.start", "started");
}

static int
app_stop(struct cmd *cmd)
{
	return app_change(cmd, "app.stop", "stopped");
}

/* NAME=VALUE sets, NAME alone unsets. */
static int
app_setenv(struct cmd *cmd)
{
	for (unsigned i = 2; i < cmd->nwords; i++) {
		char name[256];
		const char *word = cmd->words[i], *equals = strchr(word, '=');
		size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
		(void)snprintf(name, sizeof name, "%.*s", (int)MIN(len, 255u), word);
		struct json *params = cmd_params("app", cmd->words[1]);
		json_set_str(params, "name", name);
		if (equals != NULL)
			json_set_str(params, "value", equals + 1);
		struct json *result = cmd_change(cmd, "app.setenv", params);
		if (result == NULL)
			return cmd_fail(cmd);
		if (cmd->json)
			cmd_print_json(result);
		cmd_say(cmd, "%s: %s %s for workers that start from now on",
		    cmd->words[1], name, equals != NULL ? "is set" : "is unset");
		json_free(&result);
	}
	return 0;
}

static const struct {
	const char *name;
	unsigned min, max;
	int (*run)(struct cmd *cmd);
} verbs[] = {
    {"list", 1, 1, app_list},
    {"info", 2, 2, app_info},
    {"load", 2, 2, app_load},
    {"unload", 2, 2, app_unload},
    {"start", 2, 2, app_start},
    {"stop", 2, 2, app_stop},
    {"env", 2, 2, app_env},
    {"setenv", 3, CMD_ANY, app_setenv},
};

static int
run(struct cmd *cmd)
{
	const char *names[COUNT(verbs)];
	for (size_t i = 0; i < COUNT(verbs); i++) {
		names[i] = verbs[i].name;
		if (strcmp(verbs[i].name, cmd->words[0]) != 0)
			continue;
		if (cmd->nwords >= verbs[i].min && cmd->nwords <= verbs[i].max)
			return verbs[i].run(cmd);
		err_set(&cmd->err, ERR_USAGE,
		    "'app %s' wants %s; see `relctl help app`", verbs[i].name,
		    verbs[i].min == 1	? "no more words"
		    : verbs[i].min == 2 ? "one application"
					: "an application and NAME=VALUE");
		return cmd_fail(cmd);
	}
	const char *near = str_nearest(cmd->words[0], names, COUNT(names));
	err_set(&cmd->err, ERR_USAGE, "'app' has no verb '%.60s'; did you mean '%s'?",
	    cmd->words[0], near != NULL ? near : "list");
	return cmd_fail(cmd);
}

const struct cmd_entry cmd_app_entry = {.name = "app",
    .args = "list | info|load|unload|stop|env APP | start [--type TYPE] APP | "
	    "setenv APP NAME[=VALUE]...",
    .help = "applications: list, look, load, start, stop, environment",
    .more =
	"Starting loads it first and starts the applications it needs before it.  TYPE is "
	"temporary, transient or permanent: the end of a permanent application ends the "
	"node.  NAME without =VALUE is unset.",
    .role = "read, operate or admin",
    .min = 1,
    .max = CMD_ANY,
    .words = WORDS_APPS,
    .options = {[O_TYPE] = {"type", 't', "TYPE",
		    "start type, instead of the configured"}},
    .run = run};
