#include "control/nodes.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static const char *const kind_names[SLOT_KIND_MAX] = {
    [SLOT_FREE] = "free",
    [SLOT_ROOT] = "root",
    [SLOT_APP] = "application",
    [SLOT_SUP] = "supervisor",
    [SLOT_WORKER] = "worker",
};
_Static_assert(COUNT(kind_names) == SLOT_KIND_MAX, "one name a kind");

/* What a flag means to an operator; flags of the core's own are not shown. */
static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
    {SF_HELD, "held"},
    {SF_DISABLED, "disabled"},
    {SF_FORGOTTEN, "forgotten"},
    {SF_DYNAMIC, "dynamic"},
    {SF_SIGNIFICANT, "significant"},
    {SF_LOADED, "loaded"},
    {SF_ADOPTED, "adopted"},
    {SF_NEVER_UP, "never_up"},
    {SF_RELOADING, "reloading"},
    {SF_SAID_STOPPING, "said_stopping"},
    {SF_IN_CGROUP, "cgroup"},
    {SF_FAILED, "gave_up"},
};

struct json *
nodes_reason(const struct reason *re)
{
	char text[160];
	struct json *json = json_object();
	(void)reason_format(re, text, sizeof text);
	json_set_str(json, "reason", text);
	(void)reason_words(re, text, sizeof text);
	json_set_str(json, "words", text);
	return json;
}

void
nodes_set_ms(struct json *object, const char *key, uint64_t ms)
{
	if (ms == MS_INFINITY)
		json_set_str(object, key, "infinity");
	else
		json_set_u64(object, key, ms);
}

int
nodes_active(const struct slot *s)
{
	return s->child == CH_PID || s->child == CH_RESTARTING;
}

static uint64_t
ago(uint64_t then_ms, uint64_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

static void
set_flags(struct json *node, uint32_t flags)
{
	struct json *list = json_array();
	for (size_t i = 0; i < COUNT(flag_names); i++)
		if ((flags & flag_names[i].flag) != 0)
			json_push_str(list, flag_names[i].name);
	json_set(node, "flags", list);
}

static void
set_worker(const struct view *v, uint32_t i, const struct slot *s, struct json *node,
    uint64_t now_ms)
{
	char status[STATUS_TEXT];
	json_set_i64(node, "pid", s->pid);
	json_set_u64(node, "gen", s->gen);
	json_set_u64(node, "starts", s->starts);
	json_set_u64(node, "restarts", s->restarts);
	if (s->phase == PH_UP)
		json_set_u64(node, "up_ms", ago(s->up_ms, now_ms));
	if (s->phase == PH_BACKOFF && s->timer_ms != 0)
		json_set_u64(
		    node, "retry_ms", s->timer_ms > now_ms ? s->timer_ms - now_ms : 0);
	if (s->resource_tries > 0)
		json_set_u64(node, "resource_tries", s->resource_tries);
	memcpy(status, v->st->status[i], sizeof status);
	status[sizeof status - 1] = '\0';
	if (status[0] != '\0' && s->pid != 0)
		json_set_str(node, "status", status);
}

static void
set_supervisor(
    const struct view *v, const struct slot *s, struct json *node, uint64_t now_ms)
{
	const struct row *row = view_row(v, s);
	json_set_u64(node, "children", s->nchildren);
	if (row == NULL)
		return;
	json_set_str(node, "strategy", strategy_names[row->strategy]);
	json_set_u64(node, "restarts", view_window(v, s, now_ms));
	if (row->intensity == INTENSITY_INFINITY)
		json_set_str(node, "intensity", "infinity");
	else
		json_set_u64(node, "intensity", row->intensity);
	nodes_set_ms(node, "period_ms", row->period_ms);
	json_set_u64(node, "gave_up", s->gave_up);
	if (row->strategy == SIMPLE_ONE_FOR_ONE)
		json_set_u64(node, "instances", s->target);
	if (s->kind == SLOT_APP && row->version != 0)
		json_set_str(
		    node, "version", rows_string(view_rows(v, s), row->version));
}

struct json *
nodes_json(const struct view *v, uint32_t i, const struct slot *s, uint64_t now_ms)
{
	char id[ROW_ID_MAX];
	struct json *node = json_object();
	slot_id(view_rows(v, s), s, id);
	json_set_str(node, "id", id);
	json_set_str(node, "kind", kind_names[s->kind]);
	if (s->kind == SLOT_ROOT) {
		json_set_null(node, "parent");
	} else {
		view_id(v, s->parent, id);
		json_set_str(node, "parent", id);
	}
	json_set_str(node, "state", phase_names[s->phase]);
	if (s->since_ms == 0) /* nothing has happened to it yet */
		json_set_null(node, "since_ms");
	else
		json_set_u64(node, "since_ms", ago(s->since_ms, now_ms));
	if (s->kind != SLOT_ROOT)
		json_set_str(
		    node, "restart", restart_type_names[view_row(v, s)->restart]);
	if (s->kind == SLOT_WORKER)
		set_worker(v, i, s, node, now_ms);
	else
		set_supervisor(v, s, node, now_ms);
	if (s->last.type != RE_NONE) {
		struct json *last = nodes_reason(&s->last);
		json_set_u64(last, "ago_ms", ago(s->last_ms, view_wall_ms()));
		json_set(node, "last", last);
	}
	set_flags(node, s->flags);
	return node;
}

static struct json *
string_list(const struct rows *rows, uint32_t list, uint32_t n)
{
	struct json *json = json_array();
	for (uint32_t i = 0; i < n; i++)
		json_push_str(json, rows_list_string(rows, list, i));
	return json;
}

/* The environment is left out: it may hold secrets. */
static struct json *
exec_json(const struct rows *rows, const struct row_exec *e)
{
	struct json *json = json_object();
	const char *name = sigabbrev_np(e->stop_signal);
	json_set(json, "argv", string_list(rows, e->argv, e->argc));
	if (e->npre > 0)
		json_set(json, "pre_start", string_list(rows, e->pre, e->npre));
	if (e->npost > 0)
		json_set(json, "post_stop", string_list(rows, e->post, e->npost));
	json_set_str(json, "cwd", rows_string(rows, e->cwd));
	if ((e->flags & EXECF_USER) != 0) {
		json_set_u64(json, "uid", e->uid);
		json_set_u64(json, "gid", e->gid);
	}
	if (name != NULL)
		json_set_str(json, "stop_signal", name);
	struct json *socks = json_array();
	for (uint32_t i = 0; i < e->nsocks; i++)
		json_push_str(socks,
		    rows_string(rows, rows->sock[rows->word[e->socks + i]].name));
	json_set(json, "sockets", socks);
	return json;
}

static void
config_worker(const struct rows *rows, const struct row *row, struct json *config)
{
	nodes_set_ms(config, "start_timeout_ms", row->start_ms);
	json_set_u64(config, "watchdog_ms", row->watchdog_ms);
	json_set_u64(config, "backoff_min_ms", row->backoff_min_ms);
	json_set_u64(config, "backoff_max_ms", row->backoff_max_ms);
	json_set_str(config, "ready", ready_names[row->ready]);
	json_set_bool(config, "oneshot", (row->flags & ROWF_ONESHOT) != 0);
	if (row->exec < rows->head->nexecs)
		json_set(config, "exec", exec_json(rows, &rows->exec[row->exec]));
}

void
nodes_config(const struct view *v, const struct slot *s, struct json *node)
{
	const struct row *row = view_row(v, s);
	if (row == NULL)
		return;
	const struct rows *rows = view_rows(v, s);
	struct json *config = json_object(), *after = json_array();
	json_set_str(config, "description", rows_string(rows, row->about));
	nodes_set_ms(config, "shutdown_ms", row->stop_ms);
	json_set_bool(config, "enabled", (row->flags & ROWF_DISABLED) == 0);
	for (uint32_t i = 0; i < row->nafter; i++)
		json_push_str(after, rows_string(&v->rows,
					 v->rows.row[v->rows.word[row->after + i]].id));
	json_set(config, "after", after);
	if (s->kind == SLOT_WORKER) {
		config_worker(rows, row, config);
	} else {
		json_set_str(
		    config, "auto_shutdown", auto_shutdown_names[row->auto_shutdown]);
		json_set_str(config, "stop_order",
		    stop_order_names[(row->flags & ROWF_STOP_ANY) != 0]);
		nodes_set_ms(config, "lifespan_ms", row->lifespan_ms);
	}
	json_set(node, "config", config);
}
