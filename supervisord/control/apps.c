#include "control/apps.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "control/find.h"
#include "control/nodes.h"

/* The application row that a row lies below. */
static uint32_t
app_of(const struct rows *rows, uint32_t row)
{
	while (rows->row[row].parent < rows->head->nrows)
		row = rows->row[row].parent;
	return row;
}

static void
set_counts(const struct view *v, uint32_t app_row, struct json *app)
{
	uint64_t workers = 0, up = 0;
	struct slot s;
	for (uint32_t i = 0; i < view_used(v); i++) {
		if (view_slot(v, i, &s) < 0 || s.kind != SLOT_WORKER ||
		    view_rows(v, &s) != &v->rows || app_of(&v->rows, s.row) != app_row)
			continue;
		workers++;
		up += s.phase == PH_UP || s.phase == PH_DONE;
	}
	json_set_u64(app, "workers", workers);
	json_set_u64(app, "up", up);
}

static struct json *
app_json(const struct view *v, uint32_t r, uint32_t slot)
{
	const struct row *row = &v->rows.row[r];
	struct json *app = json_object();
	struct slot s;
	unsigned start = row->restart;
	const char *state = "not loaded";
	json_set_str(app, "app", rows_string(&v->rows, row->id));
	json_set_str(app, "description", rows_string(&v->rows, row->about));
	json_set_str(app, "version", rows_string(&v->rows, row->version));
	if (slot != SLOT_NONE && view_slot(v, slot, &s) == 0) {
		state = s.phase == PH_DOWN ? "loaded" : phase_names[s.phase];
		if (s.start_type > 0 && s.start_type <= RESTART_TYPE_MAX)
			start = s.start_type - 1;
		json_set_u64(app, "since_ms",
		    view_now_ms() > s.since_ms ? view_now_ms() - s.since_ms : 0);
		if (s.last.type != RE_NONE)
			json_set(app, "last", nodes_reason(&s.last));
	}
	json_set_str(app, "state", state);
	json_set_str(app, "start", restart_type_names[start]);
	set_counts(v, r, app);
	return app;
}

int
apps_list(struct call *call, struct json *result, struct fault *f)
{
	const struct view *v = &call->control->view;
	struct json *list = json_array();
	for (uint32_t r = 0; r < v->rows.head->nrows; r++) {
		uint32_t row = 0, slot = SLOT_NONE;
		if (v->rows.row[r].kind != ROW_APP)
			continue;
		(void)find_app(
		    v, rows_string(&v->rows, v->rows.row[r].id), &row, &slot, f);
		json_push(list, app_json(v, r, slot));
	}
	json_set(result, "applications", list);
	return METHOD_DONE;
}

int
apps_info(struct call *call, struct json *result, struct fault *f)
{
	const struct view *v = &call->control->view;
	uint32_t r = 0, slot = SLOT_NONE;
	struct slot s;
	const char *name = json_get_str(call->params, "app", "");
	if (find_app(v, name, &r, &slot, f) < 0)
		return METHOD_FAULT;
	const struct row *row = &v->rows.row[r];
	struct json *app = app_json(v, r, slot), *needs = json_array();
	for (uint32_t i = 0; i < row->nafter; i++)
		json_push_str(needs, rows_string(&v->rows,
					 v->rows.row[v->rows.word[row->after + i]].id));
	json_set(app, "needs", needs);
	nodes_set_ms(app, "lifespan_ms", row->lifespan_ms);
	if (slot != SLOT_NONE && view_slot(v, slot, &s) == 0)
		json_set(app, "node", nodes_json(v, slot, &s, view_now_ms()));
	json_set(result, "application", app);
	return METHOD_DONE;
}

/* --- the environment ------------------------------------------------------------- */

static int
has_variable(const struct rows *rows, const struct row_exec *e, const char *text)
{
	for (uint32_t i = 0; i < e->nenv; i++)
		if (strcmp(rows_list_string(rows, e->env, i), text) == 0)
			return 1;
	return 0;
}

/* Do all workers of the application have this variable with this value? */
static int
all_have(const struct rows *rows, uint32_t app, const char *text)
{
	for (uint32_t r = 0; r < rows->head->nrows; r++) {
		const struct row *row = &rows->row[r];
		if (row->exec >= rows->head->nexecs || app_of(rows, r) != app)
			continue;
		if (!has_variable(rows, &rows->exec[row->exec], text))
			return 0;
	}
	return 1;
}

static void
set_variable(struct json *env, const char *text)
{
	char name[256];
	const char *equals = strchr(text, '=');
	if (equals == NULL || (size_t)(equals - text) >= sizeof name)
		return;
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = '\0';
	if (json_get(env, name) == NULL)
		json_set_str(env, name, equals + 1);
}

/* What app.setenv has set since; it wins. */
static void
set_overlay(const struct view *v, uint32_t slot, struct json *env)
{
	const struct state_head *head = &v->st->head;
	uint32_t n = MIN(head->nenvs, (uint32_t)ENVS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		struct state_env set;
		memcpy(&set, &head->env[i], sizeof set);
		set.text[sizeof set.text - 1] = '\0';
		if (set.app != slot)
			continue;
		char *equals = strchr(set.text, '=');
		if (equals == NULL)
			continue;
		*equals = '\0';
		struct json *old = json_take(env, set.text);
		json_free(&old);
		json_set_str(env, set.text, equals + 1);
	}
}

int
apps_env(struct call *call, struct json *result, struct fault *f)
{
	const struct view *v = &call->control->view;
	const struct rows *rows = &v->rows;
	uint32_t app = 0, slot = SLOT_NONE;
	const char *name = json_get_str(call->params, "app", "");
	if (find_app(v, name, &app, &slot, f) < 0)
		return METHOD_FAULT;
	struct json *env = json_object();
	/* What the first worker has and all others too, is the application's. */
	for (uint32_t r = 0; r < rows->head->nrows; r++) {
		const struct row *row = &rows->row[r];
		if (row->exec >= rows->head->nexecs || app_of(rows, r) != app)
			continue;
		const struct row_exec *e = &rows->exec[row->exec];
		for (uint32_t i = 0; i < e->nenv; i++) {
			const char *text = rows_list_string(rows, e->env, i);
			if (all_have(rows, app, text))
				set_variable(env, text);
		}
		break;
	}
	if (slot != SLOT_NONE)
		set_overlay(v, slot, env);
	json_set(result, "env", env);
	return METHOD_DONE;
}
