#include "control/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "control/find.h"
#include "control/nodes.h"

enum { STOPPED_MAX = 32 };

/* What is known of one slot while it is being explained. */
struct story {
	const struct view *v;
	uint32_t i, sup_i, by_i, cause_i;
	struct slot s, sup;    /* itself, and the supervisor whose window counts */
	struct slot by, cause; /* who restarted it last, and because of whom */
	int has_sup, has_cause;
	uint64_t now_ms, wall_ms;
	char id[ROW_ID_MAX];
};

static uint64_t
ago(uint64_t then_ms, uint64_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

/* "3.2 s", "5 min", "2 h": for sentences. */
static const char *
time_words(uint64_t ms, char buf[32])
{
	if (ms < 1000)
		(void)snprintf(buf, 32, "%llu ms", (unsigned long long)ms);
	else if (ms < 120000)
		(void)snprintf(buf, 32, "%llu.%llu s", (unsigned long long)(ms / 1000),
		    (unsigned long long)(ms / 100 % 10));
	else if (ms < 7200000)
		(void)snprintf(buf, 32, "%llu min", (unsigned long long)(ms / 60000));
	else
		(void)snprintf(buf, 32, "%llu h", (unsigned long long)(ms / 3600000));
	return buf;
}

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
		    s.cause_ms > latest_ms) {
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
	json_set_u64(cause, "ago_ms", ago(st->by.cause_ms, st->wall_ms));
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

/* --- sentences ------------------------------------------------------------------- */

static void PRINTF(2, 3) say(struct json *list, const char *fmt, ...);

static void
say(struct json *list, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_push_str(list, text);
}

static void
say_state(const struct story *st, struct json *list)
{
	char a[32];
	const char *since = time_words(ago(st->s.since_ms, st->now_ms), a);
	if (st->s.kind == SLOT_WORKER && st->s.pid != 0)
		say(list, "%s is %s with pid %d (its life number %u) for %s now",
		    st->id, phase_names[st->s.phase], st->s.pid, st->s.gen, since);
	else
		say(list, "%s is in state %s for %s now", st->id,
		    phase_names[st->s.phase], since);
}

static void
say_flags(const struct story *st, struct json *list)
{
	if ((st->s.flags & SF_HELD) != 0)
		say(list, "it was stopped by the operator; `relctl start %s` starts it",
		    st->id);
	if ((st->s.flags & SF_DISABLED) != 0)
		say(list,
		    "it is disabled: it does not start at boot until `relctl enable %s`",
		    st->id);
	if ((st->s.flags & SF_FORGOTTEN) != 0)
		say(list, "it is temporary and has ended: nothing restarts it");
	if ((st->s.flags & SF_FAILED) != 0)
		say(list, "it gave up: more restarts than its intensity allows");
	if (st->s.phase == PH_AFTER)
		say(list, "it waits until what stands in its 'after' is ready");
}

static void
say_last(const struct story *st, struct json *list)
{
	char words[160], a[32];
	if (st->s.last.type == RE_NONE) {
		say(list, "it has not ended since the node knows it");
		return;
	}
	(void)reason_words(&st->s.last, words, sizeof words);
	say(list, "%s ago it %s", time_words(ago(st->s.last_ms, st->wall_ms), a),
	    words);
}

static void
say_cause(const struct story *st, struct json *list)
{
	char words[160], a[32], id[ROW_ID_MAX], by[ROW_ID_MAX];
	if (!st->has_cause || st->cause_i == st->i)
		return;
	slot_id(view_rows(st->v, &st->cause), &st->cause, id);
	slot_id(view_rows(st->v, &st->by), &st->by, by);
	(void)reason_words(&st->cause.last, words, sizeof words);
	say(list, "supervisor %s restarted it %s ago because of %s, which %s", by,
	    time_words(ago(st->by.cause_ms, st->wall_ms), a), id, words);
}

static void
say_next(const struct story *st, struct json *list)
{
	char a[32];
	if (st->s.phase == PH_BACKOFF && st->s.timer_ms > st->now_ms)
		say(list, "the next try is in %s (backoff)",
		    time_words(st->s.timer_ms - st->now_ms, a));
	if (st->s.resource_tries > 0)
		say(list,
		    "the machine was short of something %u times in a row; this is retried "
		    "and does not count as a restart",
		    st->s.resource_tries);
}

static void
say_window(const struct story *st, struct json *list)
{
	const struct row *row = view_row(st->v, &st->sup);
	char a[32], id[ROW_ID_MAX];
	if (!st->has_sup || row == NULL || row->intensity == INTENSITY_INFINITY)
		return;
	slot_id(view_rows(st->v, &st->sup), &st->sup, id);
	say(list, "supervisor %s (%s) has used %u of %u restarts in %s", id,
	    strategy_names[row->strategy], view_window(st->v, &st->sup, st->now_ms),
	    row->intensity, time_words(row->period_ms, a));
	if (st->sup.gave_up > 0)
		say(list, "it has exceeded that %u times", st->sup.gave_up);
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
		json_set_u64(last, "ago_ms", ago(st.s.last_ms, st.wall_ms));
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
	struct json *list = json_array();
	say_state(&st, list);
	say_flags(&st, list);
	say_last(&st, list);
	say_cause(&st, list);
	say_next(&st, list);
	say_window(&st, list);
	json_set(result, "summary", list);
	return METHOD_DONE;
}
