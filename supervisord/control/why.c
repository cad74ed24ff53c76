#include "control/why.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "control/find.h"
#include "control/nodes.h"
#include "control/why_story.h"

enum { STOPPED_MAX = 32 };

/* Does sibling b stand behind sibling a? */
static int
stands_behind(const struct view *v, uint32_t a, uint32_t b)
{
	struct slot s;
	for (uint32_t n = 0; n < SLOT_MAX && a != b && view_slot(v, a, &s) == 0; n++)
		a = s.next;
	return a == b;
}

/* Did the last restart that this supervisor made touch its child `branch`? */
static int
touched(const struct story *st, const struct slot *sup, uint32_t branch)
{
	const struct row *row = view_row(st->v, sup);
	if (row == NULL || sup->cause_ms == 0)
		return 0;
	if (sup->cause == branch || row->strategy == ONE_FOR_ALL)
		return 1;
	return row->strategy == REST_FOR_ONE &&
	       stands_behind(st->v, sup->cause, branch);
}

/*
 * Its supervisor, or itself if it is one; and whose end made a supervisor restart it
 * last: its own one, or one above, whichever came last.
 */
static void
look_around(struct story *st)
{
	struct slot s;
	uint32_t i = st->i, branch = st->i;
	uint64_t latest_ms = 0;
	st->sup_i = st->s.kind == SLOT_WORKER ? st->s.parent : st->i;
	st->has_sup =
	    view_slot(st->v, st->sup_i, &st->sup) == 0 && st->sup.kind != SLOT_ROOT;
	for (uint32_t up = 0; up < SLOT_MAX && view_slot(st->v, i, &s) == 0; up++) {
		int itself = i == st->i && s.kind != SLOT_WORKER && s.cause_ms != 0;
		if ((itself || (i != branch && touched(st, &s, branch))) &&
		    s.cause_ms >= latest_ms) {
			latest_ms = s.cause_ms;
			st->by_i = i;
			st->by = s;
		}
		if (s.kind == SLOT_ROOT)
			break;
		branch = i;
		i = s.parent;
	}
	if (latest_ms == 0)
		return;
	st->cause_i = st->by.cause;
	st->has_cause = view_slot(st->v, st->cause_i, &st->cause) == 0 &&
			st->cause.last.type != RE_NONE;
}

static void
set_cause(const struct story *st, struct json *result)
{
	char id[ROW_ID_MAX];
	if (!st->has_cause)
		return;
	struct json *cause = nodes_reason(&st->cause.last);
	slot_id(view_rows(st->v, &st->cause), &st->cause, id);
	json_set_str(cause, "id", id);
	json_set_u64(cause, "ago_ms", why_ago(st->by.cause_ms, st->wall_ms));
	json_set(result, "cause", cause);
}

static void
set_supervisor(const struct story *st, struct json *result)
{
	const struct row *row = view_row(st->v, &st->sup);
	char id[ROW_ID_MAX];
	if (!st->has_sup || row == NULL)
		return;
	struct json *sup = json_object();
	slot_id(view_rows(st->v, &st->sup), &st->sup, id);
	json_set_str(sup, "id", id);
	json_set_str(sup, "strategy", strategy_names[row->strategy]);
	json_set_u64(sup, "restarts", view_window(st->v, &st->sup, st->now_ms));
	if (row->intensity == INTENSITY_INFINITY)
		json_set_str(sup, "intensity", "infinity");
	else
		json_set_u64(sup, "intensity", row->intensity);
	nodes_set_ms(sup, "period_ms", row->period_ms);
	json_set_u64(sup, "gave_up", st->sup.gave_up);
	json_set(result, "supervisor", sup);
}

static int
is_below(const struct view *v, uint32_t i, uint32_t top)
{
	struct slot s;
	for (uint32_t up = 0; up < SLOT_MAX && view_slot(v, i, &s) == 0; up++) {
		if (s.parent == top)
			return 1;
		i = s.parent;
	}
	return 0;
}

/* Those the supervisor stopped since the cause ended, as the events tell. */
static void
set_stopped_with(const struct story *st, struct json *result)
{
	struct json *list = json_array();
	uint32_t told[STOPPED_MAX];
	unsigned n = 0;
	struct event e;
	uint64_t newest = view_newest(st->v);
	for (uint64_t k = view_oldest(st->v); st->has_cause && k <= newest; k++) {
		if (view_event(st->v, k, &e) < 0 || e.real_ms < st->by.cause_ms ||
		    e.slot == st->cause_i)
			continue;
		if (e.type != EV_STOPPED && e.type != EV_STOPPING)
			continue;
		int known = 0;
		for (unsigned j = 0; j < n; j++)
			known |= told[j] == e.slot;
		if (known || n == STOPPED_MAX || !is_below(st->v, e.slot, st->by_i))
			continue;
		told[n++] = e.slot;
		json_push_str(list, e.id);
	}
	json_set(result, "stopped_with", list);
}

/* The worker's log file below the log directory; instances have their own. */
static void
set_log(const struct story *st, struct json *result)
{
	char name[ROW_ID_MAX + 8];
	if (st->s.kind != SLOT_WORKER)
		return;
	(void)snprintf(name, sizeof name, "%s.log", st->id);
	json_set_str(result, "log", name);
}

int
why(struct call *call, struct json *result, struct fault *f)
{
	struct story st = {.v = &call->control->view,
	    .now_ms = view_now_ms(),
	    .wall_ms = view_wall_ms()};
	const char *id = json_get_str(call->params, "id", "");
	if (find_slot(st.v, id, &st.i, &st.s, f) < 0)
		return METHOD_FAULT;
	slot_id(view_rows(st.v, &st.s), &st.s, st.id);
	look_around(&st);
	json_set(result, "node", nodes_json(st.v, st.i, &st.s, st.now_ms));
	if (st.s.last.type != RE_NONE) {
		struct json *last = nodes_reason(&st.s.last);
		json_set_u64(last, "ago_ms", why_ago(st.s.last_ms, st.wall_ms));
		json_set(result, "last", last);
	}
	set_cause(&st, result);
	set_supervisor(&st, result);
	set_stopped_with(&st, result);
	if (st.s.phase == PH_BACKOFF && st.s.timer_ms > st.now_ms)
		json_set_u64(result, "next_retry_ms", st.s.timer_ms - st.now_ms);
	if (st.s.resource_tries > 0) {
		struct json *resources = json_object();
		json_set_u64(resources, "tries", st.s.resource_tries);
		json_set(result, "resources", resources);
	}
	set_log(&st, result);
	json_set(result, "summary", why_sentences(&st));
	return METHOD_DONE;
}
