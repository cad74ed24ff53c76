#include "control/read.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "control/events.h"
#include "control/find.h"
#include "control/nodes.h"

enum { LIMIT_DEFAULT = 500, LIMIT_MAX = 1000 };

static uint32_t
limit_of(const struct call *call)
{
	int64_t n = json_get_int(call->params, "limit", LIMIT_DEFAULT);
	return (uint32_t)MAX(1, MIN(n, LIMIT_MAX));
}

static struct json *
roles_json(const struct state_head *head)
{
	struct json *list = json_array();
	for (unsigned i = ROLE_CONTROL; i < ROLE_LOAD; i++) {
		struct json *role = json_object();
		json_set_str(role, "name", role_names[i]);
		json_set_i64(role, "pid", head->role[i].pid);
		json_set_u64(role, "restarts", head->role[i].restarts);
		json_push(list, role);
	}
	return list;
}

/* Does an operator have to look at this worker? */
static int
is_failed(const struct slot *s)
{
	return s->phase == PH_BACKOFF ||
	       (s->phase == PH_DOWN && s->last.type > RE_SHUTDOWN &&
		   (s->flags & SF_HELD) == 0);
}

static struct json *
counts_json(const struct view *v)
{
	uint64_t n[SLOT_KIND_MAX] = {0}, up = 0, failed = 0;
	struct slot s;
	for (uint32_t i = 0; i < view_used(v); i++) {
		if (view_slot(v, i, &s) < 0)
			continue;
		n[s.kind]++;
		up += s.kind == SLOT_WORKER && (s.phase == PH_UP || s.phase == PH_DONE);
		failed += s.kind == SLOT_WORKER && is_failed(&s);
	}
	struct json *counts = json_object();
	json_set_u64(counts, "applications", n[SLOT_APP]);
	json_set_u64(counts, "supervisors", n[SLOT_SUP]);
	json_set_u64(counts, "workers", n[SLOT_WORKER]);
	json_set_u64(counts, "up", up);
	json_set_u64(counts, "failed", failed);
	return counts;
}

int
read_node_info(struct call *call, struct json *result, struct fault *f)
{
	const struct control *c = call->control;
	const struct state_head *head = &c->view.st->head;
	uint64_t now_ms = view_wall_ms();
	(void)f;
	json_set_str(
	    result, "name", rows_string(&c->view.rows, c->view.rows.head->node.name));
	json_set_str(result, "version", VERSION);
	json_set_u64(result, "started_ms", head->started_ms);
	json_set_u64(result, "uptime_ms",
	    now_ms > head->started_ms ? now_ms - head->started_ms : 0);
	json_set_str(result, "state",
	    head->core.stopping ? "stopping"
	    : head->ready	? "up"
				: "starting");
	json_set_i64(result, "keeper_pid", head->keeper_pid);
	json_set_i64(result, "master_pid", head->master_pid);
	json_set_u64(result, "masters", head->masters);
	json_set(result, "roles", roles_json(head));
	struct json *dirs = json_object();
	json_set_str(dirs, "run", c->run_dir);
	if (c->log_dir != NULL)
		json_set_str(dirs, "log", c->log_dir);
	json_set(result, "dirs", dirs);
	json_set_u64(result, "rows_seq", c->view.rows_seq);
	json_set(result, "counts", counts_json(&c->view));
	json_set_u64(result, "newest_event", view_newest(&c->view));
	json_set_u64(result, "clients", clients_count(c->clients));
	json_set_u64(result, "missed_events", c->gap_events);
	struct json *you = json_object();
	json_set_u64(you, "uid", call->uid);
	json_set_str(you, "role", caller_role_names[client_role(call->client)]);
	json_set(result, "you", you);
	return METHOD_DONE;
}

/* --- the tree -------------------------------------------------------------------- */

/*
 * A cursor is "POSITION.SLOT": the slot given last and where it stood.  If the tree has
 * changed in between the slot is looked for, and only if it has gone the position counts.
 */
static int
cursor_parse(const char *text, uint64_t *position, uint64_t *slot)
{
	char first[24];
	const char *dot = strchr(text, '.');
	if (dot == NULL || (size_t)(dot - text) >= sizeof first)
		return -1;
	memcpy(first, text, (size_t)(dot - text));
	first[dot - text] = '\0';
	if (str_number(first, 0, SLOT_MAX, position, NULL) < 0)
		return -1;
	return str_number(dot + 1, 0, SLOT_MAX, slot, NULL);
}

static int
cursor_start(const struct call *call, const uint32_t *list, uint32_t n, uint32_t *at,
    struct fault *f)
{
	const char *text = json_get_str(call->params, "cursor", NULL);
	uint64_t position = 0, slot = 0;
	*at = 0;
	if (text == NULL)
		return 0;
	if (cursor_parse(text, &position, &slot) < 0)
		return fault_set(f, RPC_INVALID_PARAMS,
		    "'cursor' is the next_cursor of an earlier page, taken as it is");
	*at = MIN((uint32_t)position, n);
	for (uint32_t i = 0; i < n; i++)
		if (list[i] == slot)
			*at = i + 1;
	return 0;
}

int
read_tree_list(struct call *call, struct json *result, struct fault *f)
{
	static uint32_t list[SLOT_MAX];
	const struct view *v = &call->control->view;
	const char *under = json_get_str(call->params, "under", NULL);
	uint32_t from = ROOT, at = 0, limit = limit_of(call);
	uint64_t now_ms = view_now_ms();
	struct slot s;
	if (under != NULL && find_slot(v, under, &from, &s, f) < 0)
		return METHOD_FAULT;
	uint32_t n = view_walk(v, from, list);
	if (cursor_start(call, list, n, &at, f) < 0)
		return METHOD_FAULT;
	struct json *nodes = json_array();
	for (; at < n && limit > 0; at++, limit--)
		if (view_slot(v, list[at], &s) == 0)
			json_push(nodes, nodes_json(v, list[at], &s, now_ms));
	json_set(result, "nodes", nodes);
	json_set_u64(result, "total", n);
	if (at < n) {
		char cursor[32];
		(void)snprintf(cursor, sizeof cursor, "%u.%u", at, list[at - 1]);
		json_set_str(result, "next_cursor", cursor);
	}
	return METHOD_DONE;
}

/* Moves all members of one object into another. */
static void
move_members(struct json *to, struct json **from)
{
	const struct json *m;
	while ((m = json_first(*from)) != NULL) {
		char key[64];
		(void)snprintf(key, sizeof key, "%s", json_key(m));
		json_set(to, key, json_take(*from, key));
	}
	json_free(from);
}

int
read_tree_get(struct call *call, struct json *result, struct fault *f)
{
	const struct view *v = &call->control->view;
	const char *id = json_get_str(call->params, "id", NULL);
	int64_t pid = json_get_int(call->params, "pid", 0);
	char text[24];
	uint32_t i = 0;
	struct slot s;
	if ((id == NULL) == (pid == 0))
		return fault_set(
		    f, RPC_INVALID_PARAMS, "'tree.get' needs either 'id' or 'pid'");
	(void)snprintf(text, sizeof text, "%lld", (long long)pid);
	if (find_slot(v, id != NULL ? id : text, &i, &s, f) < 0)
		return METHOD_FAULT;
	struct json *node = nodes_json(v, i, &s, view_now_ms());
	nodes_config(v, &s, node);
	move_members(result, &node);
	return METHOD_DONE;
}

/* --- OTP's view of a supervisor -------------------------------------------------- */

static int
find_supervisor(struct call *call, uint32_t *i, struct slot *s, struct fault *f)
{
	const char *id = json_get_str(call->params, "id", "");
	if (find_slot(&call->control->view, id, i, s, f) < 0)
		return -1;
	if (s->kind == SLOT_WORKER)
		return fault_set(f, RPC_INVALID_PARAMS,
		    "'%s' is a worker; a supervisor has children", id);
	return 0;
}

int
read_which_children(struct call *call, struct json *result, struct fault *f)
{
	const struct view *v = &call->control->view;
	char id[ROW_ID_MAX];
	uint32_t i = 0, steps = 0;
	struct slot sup, s;
	if (find_supervisor(call, &i, &sup, f) < 0)
		return METHOD_FAULT;
	struct json *children = json_array();
	for (i = sup.first; view_slot(v, i, &s) == 0 && steps < SLOT_MAX; i = s.next) {
		struct json *child = json_object();
		steps++;
		slot_id(view_rows(v, &s), &s, id);
		json_set_str(child, "id", id);
		if (s.child == CH_PID && s.kind == SLOT_WORKER)
			json_set_i64(child, "child", s.pid);
		else if (s.child == CH_PID)
			json_set_str(child, "child", phase_names[s.phase]);
		else
			json_set_str(child, "child", child_state_names[s.child]);
		json_set_str(
		    child, "type", s.kind == SLOT_WORKER ? "worker" : "supervisor");
		json_push(children, child);
	}
	json_set(result, "children", children);
	return METHOD_DONE;
}

int
read_count_children(struct call *call, struct json *result, struct fault *f)
{
	const struct view *v = &call->control->view;
	uint32_t i = 0, specs = 0, active = 0, sups = 0, workers = 0;
	struct slot sup, s;
	if (find_supervisor(call, &i, &sup, f) < 0)
		return METHOD_FAULT;
	for (i = sup.first; view_slot(v, i, &s) == 0 && specs < SLOT_MAX; i = s.next) {
		specs++;
		active += s.child == CH_PID;
		sups += s.kind != SLOT_WORKER;
		workers += s.kind == SLOT_WORKER;
	}
	const struct row *row = view_row(v, &sup);
	/* All instances of a pool have one specification. */
	if (row != NULL && row->strategy == SIMPLE_ONE_FOR_ONE)
		specs = 1;
	json_set_u64(result, "specs", specs);
	json_set_u64(result, "active", active);
	json_set_u64(result, "supervisors", sups);
	json_set_u64(result, "workers", workers);
	return METHOD_DONE;
}

/* --- events ---------------------------------------------------------------------- */

static int
filter_of(struct call *call, struct events_filter *filter, struct fault *f)
{
	const char *under = json_get_str(call->params, "under", NULL);
	struct fault unknown = {.error = RPC_INTERNAL};
	uint32_t i = 0;
	struct slot s;
	memset(filter, 0, sizeof *filter);
	if (under == NULL || strcmp(under, "root") == 0)
		return 0;
	if (find_slot(&call->control->view, under, &i, &s, &unknown) == 0) {
		slot_id(view_rows(&call->control->view, &s), &s, filter->under);
		return 0;
	}
	json_free(&unknown.data);
	/* It may have been removed since; its events are still there. */
	if (strlen(under) >= sizeof filter->under)
		return fault_set(
		    f, RPC_INVALID_PARAMS, "'under' is too long for an id");
	memcpy(filter->under, under, strlen(under) + 1);
	return 0;
}

int
read_events_list(struct call *call, struct json *result, struct fault *f)
{
	const struct view *v = &call->control->view;
	uint32_t limit = limit_of(call);
	uint64_t n = (uint64_t)json_get_int(call->params, "from", 0);
	struct events_filter filter;
	struct event e;
	if (filter_of(call, &filter, f) < 0)
		return METHOD_FAULT;
	struct json *events = json_array();
	n = MAX(n, view_oldest(v));
	for (; n <= view_newest(v) && limit > 0; n++) {
		if (view_event(v, n, &e) < 0 || !events_wanted(&filter, &e))
			continue;
		json_push(events, events_json(&e));
		limit--;
	}
	json_set(result, "events", events);
	json_set_u64(result, "next", n);
	json_set_u64(result, "oldest", view_oldest(v));
	json_set_u64(result, "newest", view_newest(v));
	return METHOD_DONE;
}

int
read_events_subscribe(struct call *call, struct json *result, struct fault *f)
{
	uint64_t from = (uint64_t)json_get_int(call->params, "from", 0);
	uint64_t newest = view_newest(&call->control->view);
	struct events_filter filter;
	if (filter_of(call, &filter, f) < 0)
		return METHOD_FAULT;
	if (from == 0 || from > newest + 1)
		from = newest + 1;
	json_set_u64(result, "next", from);
	/* What it replays is sent when the client is next writable, behind the answer. */
	events_subscribe(call->control, call->client, from, &filter);
	return METHOD_DONE;
}

int
read_events_unsubscribe(struct call *call, struct json *result, struct fault *f)
{
	(void)result;
	(void)f;
	events_unsubscribe(call->control, call->client);
	return METHOD_DONE;
}
