#include "nodes.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { PAGE = 500 };

static char *
copy(const char *text)
{
	char *s = text != NULL ? strdup(text) : NULL;
	must(text == NULL || s != NULL);
	return s;
}

/* Flags worth a word to an operator, joined by blanks; null if there are none. */
static char *
flags_text(const struct json *flags)
{
	static const char *const shown[] = {
	    "held", "disabled", "forgotten", "gave_up", "reloading"};
	char buf[128] = "";
	size_t at = 0;
	for (const struct json *f = json_first(flags); f != NULL; f = json_next(f))
		for (size_t i = 0; i < COUNT(shown) && json_str(f) != NULL; i++)
			if (strcmp(json_str(f), shown[i]) == 0 && at + 12 < sizeof buf)
				at += (size_t)snprintf(buf + at, sizeof buf - at,
				    "%s%s", at > 0 ? " " : "", shown[i]);
	return at > 0 ? copy(buf) : NULL;
}

static void
fill(struct node *n, const struct json *j)
{
	*n = (struct node){
	    .id = copy(json_get_str(j, "id", "?")),
	    .kind = copy(json_get_str(j, "kind", "?")),
	    .parent = copy(json_get_str(j, "parent", NULL)),
	    .state = copy(json_get_str(j, "state", "?")),
	    .last = copy(json_get_str(json_get(j, "last"), "words", NULL)),
	    .status = copy(json_get_str(j, "status", NULL)),
	    .strategy = copy(json_get_str(j, "strategy", NULL)),
	    .flags = flags_text(json_get(j, "flags")),
	    .pid = json_get_int(j, "pid", 0),
	    .gen = json_get_int(j, "gen", 0),
	    .since_ms = json_get_int(j, "since_ms", -1),
	    .restarts = json_get_int(j, "restarts", 0),
	    .retry_ms = json_get_int(j, "retry_ms", -1),
	    .instances = json_get_int(j, "instances", -1),
	    .children = json_get_int(j, "children", 0),
	    .intensity = json_get_int(j, "intensity", -1),
	    .gave_up = json_get_int(j, "gave_up", 0),
	};
}

void
nodes_clear(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		struct node *n = &nodes->node[i];
		char *texts[] = {n->id, n->kind, n->parent, n->state, n->last,
		    n->status, n->flags, n->strategy};
		for (size_t k = 0; k < COUNT(texts); k++)
			free(texts[k]);
	}
	free(nodes->node);
	json_free(&nodes->json);
	*nodes = (struct nodes){NULL, 0, NULL};
}

static void
take_page(struct nodes *all, const struct json *page)
{
	const struct json *list = json_get(page, "nodes");
	size_t more = json_count(list);
	all->node = realloc(all->node, (all->n + more + 1) * sizeof *all->node);
	must(all->node != NULL);
	for (const struct json *j = json_first(list); j != NULL; j = json_next(j)) {
		fill(&all->node[all->n++], j);
		if (all->json != NULL)
			json_push(all->json, json_copy(j));
	}
}

int
nodes_fetch(struct cmd *cmd, const char *under, int keep_json, struct nodes *ret)
{
	char *cursor = NULL;
	*ret = (struct nodes){NULL, 0, keep_json ? json_array() : NULL};
	do {
		struct json *params = json_object();
		json_set_i64(params, "limit", PAGE);
		if (under != NULL)
			json_set_str(params, "under", under);
		if (cursor != NULL)
			json_set_str(params, "cursor", cursor);
		free(cursor);
		struct json *page = cmd_call(cmd, "tree.list", params);
		if (page == NULL) {
			nodes_clear(ret);
			return -1;
		}
		take_page(ret, page);
		cursor = copy(json_get_str(page, "next_cursor", NULL));
		json_free(&page);
	} while (cursor != NULL);
	return 0;
}

int
node_runs(const struct node *n)
{
	return strcmp(n->state, "up") == 0 || strcmp(n->state, "done") == 0;
}

int
node_is_worker(const struct node *n)
{
	return n->kind != NULL && strcmp(n->kind, "worker") == 0;
}

int
node_troubled(const struct node *n)
{
	if (node_runs(n))
		return 0;
	if (n->flags != NULL && strstr(n->flags, "gave_up") != NULL)
		return 1;
	return strcmp(n->state, "backoff") == 0 ||
	       (strcmp(n->state, "down") == 0 && n->last != NULL &&
		   strstr(n->last, "as asked") == NULL &&
		   strstr(n->last, "normally") == NULL);
}

const char *
node_info(const struct node *n, char *buf, size_t cap)
{
	char time[24];
	int at = 0;
	buf[0] = '\0';
	if (n->status != NULL)
		at = snprintf(buf, cap, "%s", n->status);
	else if (n->retry_ms >= 0)
		at = snprintf(buf, cap, "%s; next try in %s",
		    n->last != NULL ? n->last : "waits",
		    time_short(n->retry_ms, time, sizeof time));
	else if (!node_runs(n) && n->last != NULL)
		at = snprintf(buf, cap, "%s", n->last);
	if (n->flags != NULL && at >= 0 && (size_t)at < cap)
		(void)snprintf(
		    buf + at, cap - (size_t)at, "%s[%s]", at > 0 ? " " : "", n->flags);
	return buf;
}

const char *
time_short(int64_t ms, char *buf, size_t cap)
{
	long long s = ms / 1000;
	if (ms < 0)
		(void)snprintf(buf, cap, "-");
	else if (ms < 1000)
		(void)snprintf(buf, cap, "%lldms", (long long)ms);
	else if (s < 10)
		(void)snprintf(buf, cap, "%lld.%llds", s, (long long)(ms / 100 % 10));
	else if (s < 120)
		(void)snprintf(buf, cap, "%llds", s);
	else if (s < 7200)
		(void)snprintf(buf, cap, "%lldm", s / 60);
	else if (s < 172800)
		(void)snprintf(buf, cap, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		(void)snprintf(buf, cap, "%lldd", s / 86400);
	return buf;
}

/* --- ids ------------------------------------------------------------------------- */

void
ids_add(struct ids *ids, const char *id)
{
	if (id == NULL)
		return;
	for (size_t i = 0; i < ids->n; i++)
		if (strcmp(ids->id[i], id) == 0)
			return;
	ids->id = realloc(ids->id, (ids->n + 1) * sizeof *ids->id);
	must(ids->id != NULL);
	ids->id[ids->n++] = copy(id);
}

void
ids_clear(struct ids *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		free(ids->id[i]);
	free(ids->id);
	*ids = (struct ids){NULL, 0};
}

static int
add_matches(
    const struct nodes *nodes, const char *pattern, int all_kinds, struct ids *ids)
{
	size_t before = ids->n;
	for (size_t i = 0; i < nodes->n; i++)
		if ((all_kinds || node_is_worker(&nodes->node[i])) &&
		    fnmatch(pattern, nodes->node[i].id, FNM_PATHNAME) == 0)
			ids_add(ids, nodes->node[i].id);
	return ids->n > before ? 0 : -1;
}

int
ids_expand(struct cmd *cmd, unsigned from, int all_kinds, struct ids *ret)
{
	struct nodes nodes = {NULL, 0, NULL};
	int fetched = 0;
	*ret = (struct ids){NULL, 0};
	for (unsigned i = from; i < cmd->nwords; i++) {
		const char *word = cmd->words[i];
		if (strpbrk(word, "*?[") == NULL) {
			ids_add(ret, word);
			continue;
		}
		if (!fetched && nodes_fetch(cmd, NULL, 0, &nodes) < 0)
			goto fail;
		fetched = 1;
		if (add_matches(&nodes, word, all_kinds, ret) < 0) {
			err_set(&cmd->err, ERR_UNKNOWN_NAME,
			    "nothing matches '%s'; `relctl tree` shows what there is",
			    word);
			goto fail;
		}
	}
	nodes_clear(&nodes);
	return 0;
fail:
	nodes_clear(&nodes);
	ids_clear(ret);
	return -1;
}
