#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "control/why_story.h"

enum { CAUSES_MAX = 4, CAUSE_TEXT = (CAUSES_MAX + 2) * (ROW_ID_MAX + 32) };

/* What it does, behind its name. */
static const char *const phase_words[PHASE_MAX] = {
    [PH_DOWN] = "is down",
    [PH_AFTER] = "waits for others",
    [PH_BACKOFF] = "waits for its next start",
    [PH_PRE] = "runs its pre_start",
    [PH_SPAWNING] = "is being started",
    [PH_STARTING] = "runs, but is not ready yet",
    [PH_UP] = "is up",
    [PH_DONE] = "is done",
    [PH_STOPPING] = "is being stopped",
    [PH_KILLING] = "is being killed",
    [PH_SWEEP] = "has ended; what it left behind is being killed",
    [PH_POST] = "runs its post_stop",
    [PH_SUP_STARTING] = "starts its children",
    [PH_SUP_UP] = "is up",
    [PH_SUP_STOPPING] = "stops its children",
};

static void PRINTF(2, 3) say(struct json *list, const char *fmt, ...);

static void
say(struct json *list, const char *fmt, ...)
{
	char text[CAUSE_TEXT + 200];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_push_str(list, text);
}

/* "40 ms", "3.2 s", "10 s", "5 min", "2 h": for sentences. */
static const char *
time_words(uint64_t ms, char buf[32])
{
	unsigned long long n = ms;
	if (ms < 1000)
		(void)snprintf(buf, 32, "%llu ms", n);
	else if (ms < 10000 && ms % 1000 != 0)
		(void)snprintf(buf, 32, "%llu.%llu s", n / 1000, n / 100 % 10);
	else if (ms < 120000)
		(void)snprintf(buf, 32, "%llu s", n / 1000);
	else if (ms < 7200000)
		(void)snprintf(buf, 32, "%llu min", n / 60000);
	else
		(void)snprintf(buf, 32, "%llu h", n / 3600000);
	return buf;
}

static const char *
times_words(unsigned n, char buf[32])
{
	if (n == 1)
		return "once";
	if (n == 2)
		return "twice";
	(void)snprintf(buf, 32, "%u times", n);
	return buf;
}

static void
id_of(const struct story *st, const struct slot *s, char id[ROW_ID_MAX])
{
	slot_id(view_rows(st->v, s), s, id);
}

static void
say_state(const struct story *st, struct json *list)
{
	char a[32];
	const char *does = phase_words[st->s.phase < PHASE_MAX ? st->s.phase : PH_DOWN];
	const char *since = time_words(why_ago(st->s.since_ms, st->now_ms), a);
	if (st->s.since_ms == 0)
		say(list, "%s %s: it was never started", st->id, does);
	else if (st->s.kind == SLOT_WORKER && st->s.pid != 0)
		say(list, "%s %s, for %s now (pid %d, life number %u)", st->id, does,
		    since, st->s.pid, st->s.gen);
	else
		say(list, "%s %s, for %s now", st->id, does, since);
}

static void
say_flags(const struct story *st, struct json *list)
{
	if ((st->s.flags & SF_HELD) != 0)
		say(list, "an operator stopped it; `relctl start %s` starts it",
		    st->id);
	if ((st->s.flags & SF_DISABLED) != 0)
		say(list,
		    "it is disabled: it does not start at boot until `relctl enable %s`",
		    st->id);
	if ((st->s.flags & SF_FORGOTTEN) != 0)
		say(list, "it is temporary and has ended: nothing restarts it");
}

/* Is a row's point of the tree up or done? */
static int
row_is_up(const struct story *st, uint32_t row)
{
	struct slot s;
	for (uint32_t i = 0; i < view_used(st->v); i++)
		if (view_slot(st->v, i, &s) == 0 && s.kind != SLOT_ROOT &&
		    s.row == row && (s.flags & SF_OLD_ROW) == 0 && s.number == 0)
			return s.phase == PH_UP || s.phase == PH_DONE ||
			       s.phase == PH_SUP_UP;
	return 0;
}

/* Whom a worker with `after =`, or an application that needs others, waits for. */
static void
say_after(const struct story *st, struct json *list)
{
	const struct rows *rows = view_rows(st->v, &st->s);
	const struct row *r = view_row(st->v, &st->s);
	char names[300] = "";
	size_t at = 0;
	if (st->s.phase != PH_AFTER || r == NULL)
		return;
	for (uint32_t k = 0; k < r->nafter && at < sizeof names; k++) {
		uint32_t row = rows->word[r->after + k];
		if (row < rows->head->nrows && !row_is_up(st, row))
			at += (size_t)snprintf(names + at, sizeof names - at, "%s%s",
			    at > 0 ? ", " : "", rows_string(rows, rows->row[row].id));
	}
	if (at > 0)
		say(list, "it comes after %s, which %s not up: look at %s first", names,
		    strchr(names, ',') != NULL ? "are" : "is",
		    strchr(names, ',') != NULL ? "these" : "that");
}

/* A supervisor whose last end was that it gave up: nothing made it restart since. */
static int
ended_by_giving_up(const struct slot *s)
{
	return s->kind != SLOT_WORKER && s->gave_up > 0 && s->cause_ms != 0 &&
	       s->cause_ms <= s->last_ms;
}

/* What became of a cause: its end, or, of a supervisor that gave up, whose end made it.
 * Returns the slot at the bottom of this. */
static uint32_t
cause_words(const struct story *st, const struct slot *by, char *buf, size_t cap)
{
	struct slot s;
	uint32_t i = by->cause;
	uint64_t before_ms = by->cause_ms;
	char id[ROW_ID_MAX];
	buf[0] = '\0';
	if (view_slot(st->v, i, &s) < 0)
		return SLOT_NONE;
	id_of(st, &s, id);
	size_t at = (size_t)snprintf(buf, cap, "%s", id);
	for (int depth = 0; depth < CAUSES_MAX; depth++) {
		struct slot next;
		if (!ended_by_giving_up(&s) || view_slot(st->v, s.cause, &next) < 0)
			break;
		id_of(st, &next, id);
		at += (size_t)snprintf(
		    buf + at, cap - at, ", which gave up because of %s", id);
		before_ms = s.cause_ms;
		i = s.cause;
		s = next;
	}
	/* it may have ended again since, for another reason */
	if (s.last.type == RE_NONE || s.last_ms > before_ms + 1)
		return i;
	at += (size_t)snprintf(buf + at, cap - at, ", which ");
	(void)reason_words(&s.last, buf + at, cap - at);
	return i;
}

static void
say_last(const struct story *st, struct json *list)
{
	char words[160], a[32], because[CAUSE_TEXT];
	int failed = st->s.kind != SLOT_WORKER && (st->s.flags & SF_FAILED) != 0;
	if (failed || ended_by_giving_up(&st->s)) {
		(void)cause_words(st, &st->s, because, sizeof because);
		say(list, "it gave up %s ago because of %s",
		    time_words(why_ago(st->s.cause_ms, st->wall_ms), a), because);
		return;
	}
	int ending = st->s.phase == PH_SWEEP || st->s.phase == PH_POST;
	if (ending && st->s.end.type != RE_NONE) {
		(void)reason_words(&st->s.end, words, sizeof words);
		say(list, "just now it %s", words);
		return;
	}
	if (st->s.last.type == RE_NONE) {
		if (st->s.since_ms != 0)
			say(list, "it has not ended once since the node started");
		return;
	}
	(void)reason_words(&st->s.last, words, sizeof words);
	say(list, "%s ago it %s", time_words(why_ago(st->s.last_ms, st->wall_ms), a),
	    words);
}

/* A supervisor's last act in all this: it gave up, or it restarted what it had to. */
static void
say_cause(const struct story *st, struct json *list)
{
	char because[CAUSE_TEXT], a[32], by[ROW_ID_MAX];
	int gave_up = (st->by.flags & SF_FAILED) != 0, itself = st->by_i == st->i;
	if (!st->has_cause || (itself && gave_up) || (st->cause_i == st->i && !gave_up))
		return;
	id_of(st, &st->by, by);
	uint32_t bottom = cause_words(st, &st->by, because, sizeof because);
	const char *ago = time_words(why_ago(st->by.cause_ms, st->wall_ms), a);
	if (gave_up && (bottom == st->i || st->cause_i == st->i))
		say(list, "with that end %s gave up, and stopped all that was left",
		    by);
	else if (gave_up)
		say(list, "supervisor %s gave up %s ago and stopped it because of %s",
		    by, ago, because);
	else if (itself)
		say(list, "it last made a restart %s ago, because of %s", ago, because);
	else
		say(list, "supervisor %s restarted it %s ago because of %s", by, ago,
		    because);
}

static void
say_next(const struct story *st, struct json *list)
{
	char a[32];
	if (st->s.phase == PH_BACKOFF && st->s.timer_ms > st->now_ms)
		say(list, "the next try is in %s",
		    time_words(st->s.timer_ms - st->now_ms, a));
	if (st->s.resource_tries > 0)
		say(list,
		    "the machine was short of something for its start, %s in a row; it is "
		    "tried again, and does not count as a restart",
		    times_words(st->s.resource_tries, a));
}

static void
say_window(const struct story *st, struct json *list)
{
	const struct row *row = view_row(st->v, &st->sup);
	int itself = st->sup_i == st->i;
	char a[32], id[ROW_ID_MAX], who[ROW_ID_MAX + 32] = "it";
	if (!st->has_sup || row == NULL)
		return;
	id_of(st, &st->sup, id);
	if (!itself)
		(void)snprintf(who, sizeof who, "its supervisor %s", id);
	if (!itself && st->sup.phase == PH_DOWN)
		say(list, "%s is down, so nothing starts it; `relctl why %s` says more",
		    who, id);
	else if (row->intensity == 0)
		say(list, "%s (%s) allows no restart (intensity 0)", who,
		    strategy_names[row->strategy]);
	else if (row->intensity != INTENSITY_INFINITY)
		say(list, "%s (%s) has used %u of the %u restart%s it allows in %s",
		    who, strategy_names[row->strategy],
		    view_window(st->v, &st->sup, st->now_ms), row->intensity,
		    row->intensity == 1 ? "" : "s", time_words(row->period_ms, a));
	if (st->sup.gave_up > 0)
		say(list, "%s has given up %s since the node started", who,
		    times_words(st->sup.gave_up, a));
}

struct json *
why_sentences(const struct story *st)
{
	struct json *list = json_array();
	say_state(st, list);
	say_flags(st, list);
	say_after(st, list);
	say_last(st, list);
	say_cause(st, list);
	say_next(st, list);
	say_window(st, list);
	return list;
}
