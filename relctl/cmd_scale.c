/*
 * relctl scale - how many instances a pool has.
 */
#include <stdio.h>
#include <string.h>

#include "await.h"
#include "base/str.h"
#include "nodes.h"

static int
knew(const struct nodes *before, const char *id)
{
	for (size_t i = 0; i < before->n; i++)
		if (strcmp(before->node[i].id, id) == 0)
			return 1;
	return 0;
}

/* What has come of the new instances so far: 1 all have come or failed, and those that
 * were too many have gone; 0 not yet.  *failed becomes the first that failed, or null. */
static int
settled(const struct nodes *before, const struct nodes *now, size_t want,
    const struct node **failed)
{
	*failed = NULL;
	/* A pool that does not run has its instances when it starts. */
	if (now->n == 0 || strcmp(now->node[0].state, "down") == 0)
		return 1;
	int all = now->n - 1 <= want;
	for (size_t i = 1; i < now->n; i++) {
		const struct node *n = &now->node[i];
		if (knew(before, n->id) || node_runs(n))
			continue;
		if (node_troubled(n) && *failed == NULL)
			*failed = n;
		else if (!node_troubled(n) && strcmp(n->state, "down") != 0)
			all = 0;
	}
	return all;
}

static int
tell_failed(struct cmd *cmd, const struct node *n)
{
	char words[200];
	err_set(&cmd->err, ERR_FAILED,
	    "'%s' did not start: it %s; `relctl why %s` says more", n->id,
	    node_info(n, words, sizeof words), n->id);
	return cmd_fail(cmd);
}

/* As start does: until each is ready, or known to have failed. */
static int
wait_for(struct cmd *cmd, const char *pool, const struct nodes *before, size_t want,
    uint64_t until)
{
	for (;;) {
		struct nodes now;
		const struct node *failed;
		if (nodes_fetch(cmd, pool, 0, &now) < 0)
			return cmd_fail(cmd);
		int is = settled(before, &now, want, &failed);
		int code = is && failed != NULL ? tell_failed(cmd, failed) : 0;
		nodes_clear(&now);
		if (is)
			return code;
		int n = await_event(cmd, until);
		if (n > 0)
			continue;
		if (n == 0)
			err_set(&cmd->err, ERR_FAILED,
			    "'%s' has no %zu instances after the time given; it goes on",
			    pool, want);
		return cmd_fail(cmd);
	}
}

static int
scale(struct cmd *cmd, uint64_t n)
{
	struct nodes before;
	uint64_t until = await_until(cmd);
	if (await_subscribe(cmd, 0) < 0 ||
	    nodes_fetch(cmd, cmd->words[0], 0, &before) < 0)
		return cmd_fail(cmd);
	struct json *params = cmd_params("id", cmd->words[0]);
	json_set_u64(params, "instances", n);
	struct json *result = cmd_change(cmd, "pool.scale", params);
	const char *id = json_get_str(result, "id", cmd->words[0]);
	int code = result == NULL ? cmd_fail(cmd)
				  : wait_for(cmd, id, &before, (size_t)n, until);
	if (code == 0)
		cmd_say(cmd, "%s: %llu instances", id, (unsigned long long)n);
	if (code == 0 && cmd->json)
		cmd_print_json(result);
	nodes_clear(&before);
	json_free(&result);
	return code;
}

static int
run(struct cmd *cmd)
{
	uint64_t n = 0;
	if (str_number(cmd->words[1], 0, 32000, &n, &cmd->err) < 0) {
		err_wrap(&cmd->err, "number of instances");
		cmd->err.kind = ERR_USAGE;
		return cmd_fail(cmd);
	}
	return scale(cmd, n);
}

const struct cmd_entry cmd_scale_entry = {.name = "scale",
    .args = "POOL N",
    .help = "start or stop instances until the pool has N",
    .more =
	"The instances that stay are not touched.  Waits until each new one is ready or has "
	"failed (exit 1), and those that were too many have gone; --timeout bounds that.",
    .role = "operate",
    .min = 2,
    .max = 2,
    .words = WORDS_POOLS,
    .run = run};
