#include "control/find.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/util.h"

enum { SUGGESTIONS = 8 };

/* Does this id end in "/name", or is it name? */
static int
short_match(const char *id, const char *name)
{
	const char *slash = strrchr(id, '/');
	return slash != NULL && strcmp(slash + 1, name) == 0;
}

/* The worker with this pid, SLOT_NONE if the name is no number or nobody has it. */
static uint32_t
by_pid(const struct view *v, const char *name)
{
	uint64_t pid = 0;
	struct slot s;
	if (str_number(name, 1, INT32_MAX, &pid, NULL) < 0)
		return SLOT_NONE;
	for (uint32_t i = 0; i < view_used(v); i++)
		if (view_slot(v, i, &s) == 0 && s.kind == SLOT_WORKER &&
		    s.pid == (int32_t)pid)
			return i;
	return SLOT_NONE;
}

/* The only template with this whole or short id. */
static uint32_t
template_row(const struct view *v, const char *name)
{
	uint32_t found = ROW_NONE;
	for (uint32_t r = 0; r < v->rows.head->nrows; r++) {
		const char *id = rows_string(&v->rows, v->rows.row[r].id);
		if (v->rows.row[r].kind != ROW_TEMPLATE)
			continue;
		if (strcmp(id, name) == 0)
			return r;
		if (!short_match(id, name))
			continue;
		if (found != ROW_NONE)
			return ROW_NONE;
		found = r;
	}
	return found;
}

/* A template has no slot of its own; its pool stands for it. */
static uint32_t
by_template(const struct view *v, const char *name)
{
	struct slot s;
	uint32_t row = template_row(v, name);
	if (row == ROW_NONE)
		return SLOT_NONE;
	for (uint32_t i = 0; i < view_used(v); i++)
		if (view_slot(v, i, &s) == 0 &&
		    (s.kind == SLOT_SUP || s.kind == SLOT_APP) &&
		    view_rows(v, &s) == &v->rows && s.row == v->rows.row[row].parent)
			return i;
	return SLOT_NONE;
}

/* Exact ids first, then the short name; *n counts those that match. */
static uint32_t
by_id(const struct view *v, const char *name, unsigned *n, struct json *ids)
{
	uint32_t found = SLOT_NONE;
	char id[ROW_ID_MAX];
	struct slot s;
	*n = 0;
	for (uint32_t i = 0; i < view_used(v); i++) {
		if (view_slot(v, i, &s) < 0)
			continue;
		slot_id(view_rows(v, &s), &s, id);
		if (strcmp(id, name) == 0) {
			*n = 1;
			return i;
		}
		if (!short_match(id, name))
			continue;
		if ((*n)++ < SUGGESTIONS)
			json_push_str(ids, id);
		found = i;
	}
	return found;
}

/* The ids nearest to `name`, best first, each at most once. */
static struct json *
suggestions(const struct view *v, const char *name)
{
	char best[SUGGESTIONS][ROW_ID_MAX];
	unsigned far[SUGGESTIONS], n = 0;
	char id[ROW_ID_MAX];
	struct slot s;
	size_t len = strlen(name);
	for (uint32_t i = 1; i < view_used(v) && len < ROW_ID_MAX; i++) {
		if (view_slot(v, i, &s) < 0)
			continue;
		slot_id(view_rows(v, &s), &s, id);
		const char *slash = strrchr(id, '/');
		unsigned d = str_distance(name, id);
		if (slash != NULL && strchr(name, '/') == NULL)
			d = MIN(d, str_distance(name, slash + 1));
		if (d > 1 + len / 3)
			continue;
		unsigned at = n;
		while (at > 0 && far[at - 1] > d)
			at--;
		if (at >= SUGGESTIONS)
			continue;
		n = MIN(n + 1, (unsigned)SUGGESTIONS);
		memmove(best + at + 1, best + at, (n - 1 - at) * sizeof best[0]);
		memmove(far + at + 1, far + at, (n - 1 - at) * sizeof far[0]);
		memcpy(best[at], id, sizeof best[at]);
		far[at] = d;
	}
	struct json *list = json_array();
	for (unsigned i = 0; i < n; i++)
		json_push_str(list, best[i]);
	return list;
}

/* Says why a configured name has no slot. */
static int
configured_only(const struct view *v, uint32_t row, const char *name, struct fault *f)
{
	uint32_t app = row;
	while (v->rows.row[app].parent < v->rows.head->nrows)
		app = v->rows.row[app].parent;
	const char *app_id = rows_string(&v->rows, v->rows.row[app].id);
	if (app == row)
		return fault_set(f, RPC_UNKNOWN,
		    "application '%s' is configured but not loaded; `relctl app start %s` "
		    "loads and starts it",
		    name, name);
	return fault_set(f, RPC_UNKNOWN,
	    "'%s' is configured but not in the tree; its application '%s' may not be "
	    "loaded, or it starts by start_child only",
	    name, app_id);
}

static int
unknown(const struct view *v, const char *name, struct fault *f)
{
	char shown[100];
	uint32_t row = rows_find(&v->rows, name);
	if (row < v->rows.head->nrows)
		return configured_only(v, row, name, f);
	struct json *list = suggestions(v, name);
	const char *first = json_str(json_first(list));
	(void)str_printable(name, shown, sizeof shown);
	if (first != NULL)
		fault_set(f, RPC_UNKNOWN, "nothing is called '%s'; did you mean '%s'?",
		    shown, first);
	else
		fault_set(f, RPC_UNKNOWN,
		    "nothing is called '%s'; `relctl tree` shows what there is", shown);
	fault_data(f, "suggestions", list);
	return -1;
}

int
find_slot(const struct view *v, const char *name, uint32_t *slot, struct slot *s,
    struct fault *f)
{
	unsigned n = 0;
	struct json *ids = json_array();
	uint32_t i = by_id(v, name, &n, ids);
	if (n > 1) {
		fault_set(f, RPC_AMBIGUOUS,
		    "%u have the short name '%s', for instance '%s'; give the whole id",
		    n, name, json_str(json_first(ids)));
		fault_data(f, "suggestions", ids);
		return -1;
	}
	json_free(&ids);
	if (i == SLOT_NONE)
		i = by_template(v, name);
	if (i == SLOT_NONE)
		i = by_pid(v, name);
	if (i == SLOT_NONE || view_slot(v, i, s) < 0)
		return unknown(v, name, f);
	*slot = i;
	return 0;
}

static int
unknown_app(const struct view *v, const char *name, struct fault *f)
{
	const char **names = calloc(v->rows.head->nrows + 1, sizeof *names);
	char shown[100];
	size_t n = 0;
	must(names != NULL);
	for (uint32_t r = 0; r < v->rows.head->nrows; r++)
		if (v->rows.row[r].kind == ROW_APP)
			names[n++] = rows_string(&v->rows, v->rows.row[r].id);
	const char *near = str_nearest(name, names, n);
	free(names);
	(void)str_printable(name, shown, sizeof shown);
	if (near == NULL)
		return fault_set(f, RPC_UNKNOWN,
		    "no application is called '%s'; `relctl app list` shows all",
		    shown);
	fault_set(f, RPC_UNKNOWN, "no application is called '%s'; did you mean '%s'?",
	    shown, near);
	struct json *list = json_array();
	json_push_str(list, near);
	fault_data(f, "suggestions", list);
	return -1;
}

int
find_app(const struct view *v, const char *name, uint32_t *row, uint32_t *slot,
    struct fault *f)
{
	struct slot s;
	uint32_t r = rows_find(&v->rows, name);
	if (r >= v->rows.head->nrows || v->rows.row[r].kind != ROW_APP)
		return unknown_app(v, name, f);
	*row = r;
	*slot = SLOT_NONE;
	for (uint32_t i = 0; i < view_used(v); i++)
		if (view_slot(v, i, &s) == 0 && s.kind == SLOT_APP && s.row == r &&
		    view_rows(v, &s) == &v->rows)
			*slot = i;
	return 0;
}

int
find_child_row(const struct view *v, const struct slot *sup, const char *name,
    uint32_t *row, struct fault *f)
{
	char shown[100];
	for (uint32_t r = 0; r < v->rows.head->nrows; r++) {
		const char *id = rows_string(&v->rows, v->rows.row[r].id);
		if (v->rows.row[r].parent != sup->row)
			continue;
		if (strcmp(id, name) != 0 && !short_match(id, name))
			continue;
		*row = r;
		return 0;
	}
	return fault_set(f, RPC_UNKNOWN,
	    "the configuration has no child '%s' of this supervisor; add it to the "
	    "configuration and reload",
	    str_printable(name, shown, sizeof shown));
}
