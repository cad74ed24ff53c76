/*
 * relctl events - what happened, and what happens.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client.h"
#include "nodes.h"
#include "table.h"

enum { O_FOLLOW, O_SINCE };

/* Events that say that something went wrong. */
static int
is_bad(const char *type)
{
	static const char *const bad[] = {"exited", "start_failed", "gave_up",
	    "killing", "watchdog", "resources", "role_died", "backoff"};
	for (size_t i = 0; i < COUNT(bad); i++)
		if (strcmp(bad[i], type) == 0)
			return 1;
	return 0;
}

static void
print_event(const struct cmd *cmd, const struct json *e)
{
	const char *type = json_get_str(e, "type", "?");
	const char *words = json_get_str(json_get(e, "reason"), "words", NULL);
	int64_t pid = json_get_int(e, "pid", 0), value = json_get_int(e, "value", -1);
	int colour = table_colours() && is_bad(type);
	if (cmd->json) {
		cmd_print_json(e);
		return;
	}
	(void)printf("%s %6" PRId64 "  %-20s %s%-14s%s", json_get_str(e, "time", "?"),
	    json_get_int(e, "n", 0), json_get_str(e, "id", ""),
	    colour ? "\033[31m" : "", type, colour ? "\033[0m" : "");
	if (words != NULL)
		(void)printf(" %s", words);
	if (pid > 0)
		(void)printf(" (pid %" PRId64 ")", pid);
	if (value >= 0)
		(void)printf(" %" PRId64, value);
	(void)putchar('\n');
}

/* A name without events may be a typing error; cmd->err says so then. */
static int
known(struct cmd *cmd, const char *under)
{
	struct nodes nodes;
	if (under == NULL)
		return 1;
	if (nodes_fetch(cmd, under, 0, &nodes) < 0)
		return 0;
	nodes_clear(&nodes);
	return 1;
}

static int
list_all(struct cmd *cmd, uint64_t from, const char *under)
{
	uint64_t newest = from;
	size_t seen = 0;
	for (;;) {
		struct json *params = json_object();
		json_set_u64(params, "from", from);
		if (under != NULL)
			json_set_str(params, "under", under);
		struct json *page = cmd_call(cmd, "events.list", params);
		if (page == NULL)
			return cmd_fail(cmd);
		const struct json *list = json_get(page, "events");
		for (const struct json *e = json_first(list); e != NULL;
		     e = json_next(e), seen++)
			print_event(cmd, e);
		from = (uint64_t)json_get_int(page, "next", 0);
		newest = (uint64_t)json_get_int(page, "newest", 0);
		json_free(&page);
		if (from > newest)
			return seen > 0 || known(cmd, under) ? 0 : cmd_fail(cmd);
	}
}

static int
follow(struct cmd *cmd, uint64_t from, const char *under)
{
	struct json *params = json_object(), *event = NULL;
	if (from > 0)
		json_set_u64(params, "from", from);
	if (under != NULL)
		json_set_str(params, "under", under);
	struct json *result = cmd_call(cmd, "events.subscribe", params);
	if (result == NULL)
		return cmd_fail(cmd);
	json_free(&result);
	uint64_t wait_ms = cmd->timeout_ms > 0 ? cmd->timeout_ms : MS_INFINITY;
	int n;
	while ((n = client_next(cmd->client, wait_ms, &event, &cmd->err)) > 0) {
		const struct json *body = json_get(event, "params");
		if (strcmp(json_get_str(event, "method", ""), "gap") == 0)
			cmd_complain("%" PRId64 " events were missed",
			    json_get_int(body, "missed", 0));
		else
			print_event(cmd, body);
		json_free(&event);
		if (!client_pending(cmd->client) && fflush(stdout) != 0)
			return 0;
	}
	return n < 0 ? cmd_fail(cmd) : 0;
}

static int
run(struct cmd *cmd)
{
	uint64_t from = 0;
	const char *since = cmd->option[O_SINCE];
	const char *under = cmd->nwords > 0 ? cmd->words[0] : NULL;
	if (since != NULL && str_number(since, 1, INT64_MAX, &from, &cmd->err) < 0) {
		err_wrap(&cmd->err, "--since is the number of an event");
		cmd->err.kind = ERR_USAGE;
		return cmd_fail(cmd);
	}
	if (cmd->option[O_FOLLOW] != NULL)
		return follow(cmd, from, under);
	return list_all(cmd, from, under);
}

const struct cmd_entry cmd_events_entry = {.name = "events",
    .args = "[-f] [--since N] [ID]",
    .help = "show what happened",
    .more =
	"Without -f all events the node still has (about 2000).  With -f those that "
	"come, from number N on if --since is given.  With --json one object a line.",
    .role = "read",
    .max = 1,
    .words = WORDS_IDS,
    .options = {[O_FOLLOW] = {"follow", 'f', NULL, "go on with what happens from now"},
	[O_SINCE] = {"since", 0, "N", "begin with event number N"}},
    .run = run};
