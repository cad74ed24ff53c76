#include "tests/sim/stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void
stage_new(struct stage *s)
{
	struct world *w = s->w;
	plan_rows_drop(&s->rows[0]);
	plan_rows_drop(&s->rows[1]);
	memset(s, 0, sizeof *s);
	s->w = w != NULL ? w : world_new();
	s->why =
	    (struct reason){.type = RE_EXEC_FAILED, .stage = ST_EXEC, .code = ENOENT};
}

void
stage_open(struct stage *s)
{
	plan_build(&s->plan, &s->rows[0]);
	s->now_rows = 0;
	s->answer = ANSWER_MAX;
	world_reset(s->w, &s->rows[0].rows, 1);
	s->w->t.nact = 0;
}

void
stage_close(struct stage *s)
{
	plan_rows_drop(&s->rows[0]);
	plan_rows_drop(&s->rows[1]);
	world_free(&s->w);
}

static void
write_down(struct stage *s, char what, uint32_t slot)
{
	const struct slot *c = world_slot(s->w, slot);
	size_t len = strlen(s->text);
	if (c->number == 0)
		(void)snprintf(s->text + len, sizeof s->text - len, "%s%c%u",
		    len > 0 ? " " : "", what, c->row);
	else
		(void)snprintf(s->text + len, sizeof s->text - len, "%s%c%u.%u",
		    len > 0 ? " " : "", what, c->row, c->number);
}

static void settle(struct stage *s);

/* A violated invariant ends the test. */
static void
step(struct stage *s, const struct input *in)
{
	struct tree *t = &s->w->t;
	world_step(s->w, in);
	const char *why = tree_check(t);
	if (why != NULL) {
		(void)fprintf(stderr, "stage: %s\n", why);
		abort();
	}
}

static void
take_actions(struct stage *s)
{
	struct tree *t = &s->w->t;
	for (uint32_t k = 0; k < t->nact; k++)
		s->queue[s->tail++ % STAGE_QUEUE] = t->act[k];
	t->nact = 0;
}

static void
feed(struct stage *s, enum input_type type, uint32_t slot, struct reason re)
{
	step(s, &(struct input){.type = type, .slot = slot, .reason = re});
}

static void
on_spawn(struct stage *s, const struct action *a)
{
	uint32_t i = a->slot, row = world_slot(s->w, i)->row;
	if (a->value == SPAWN_MAIN && s->fails[row] > 0) {
		s->fails[row]--;
		write_down(s, 'f', i);
		feed(s, IN_SPAWN_FAILED, i, s->why);
		return;
	}
	write_down(s, "spq"[a->value], i);
	world_spawned(s->w, i);
	if (s->hangs[row])
		return;
	feed(s, IN_EXECED, i, (struct reason){0});
	if (a->value != SPAWN_MAIN)
		feed(s, IN_EXITED, i, (struct reason){.type = RE_NORMAL});
}

static void
on_signal(struct stage *s, const struct action *a)
{
	uint32_t i = a->slot;
	int kill = a->type == ACT_KILL_TREE;
	write_down(s, kill ? 'k' : 'x', i);
	int32_t signal = kill ? SIGKILL : (int32_t)a->value;
	if (kill || !s->deaf[world_slot(s->w, i)->row])
		feed(s, IN_EXITED, i,
		    (struct reason){.type = RE_SIGNAL, .code = signal});
}

static void
perform(struct stage *s, const struct action *a)
{
	switch ((enum action_type)a->type) {
	case ACT_SPAWN:
		on_spawn(s, a);
		return;
	case ACT_SIGNAL:
	case ACT_KILL_TREE:
		on_signal(s, a);
		return;
	case ACT_SWEEP:
		feed(s, IN_SWEPT, a->slot, (struct reason){0});
		return;
	case ACT_REPLY:
		s->answer = (uint32_t)a->value;
		s->answers++;
		return;
	case ACT_NODE_UP:
		s->node_up++;
		return;
	case ACT_NODE_END:
		s->ended = 1;
		s->status = (int)a->value;
		return;
	case ACT_TIMER:
	case ACT_UP:
	case ACT_ADDED:
	case ACT_REMOVED:
	case ACTION_MAX:
		return;
	}
}

static void
settle(struct stage *s)
{
	take_actions(s);
	while (s->head != s->tail) {
		struct action a = s->queue[s->head++ % STAGE_QUEUE];
		perform(s, &a);
		take_actions(s);
	}
}

void
stage_boot(struct stage *s)
{
	feed(s, IN_NODE_START, ROOT, (struct reason){0});
	settle(s);
}

void
stage_input(struct stage *s, enum input_type type, uint32_t slot, uint64_t value)
{
	step(s, &(struct input){.type = type, .slot = slot, .value = value});
	settle(s);
}

void
stage_dies(struct stage *s, uint32_t slot, struct reason re)
{
	feed(s, IN_EXITED, slot, re);
	settle(s);
}

static uint32_t
next_due(const struct stage *s, uint64_t end, uint64_t *at)
{
	uint32_t who = SLOT_NONE;
	*at = end;
	for (uint32_t i = 1; i < s->w->t.st->head.core.slots_used; i++) {
		const struct slot *c = world_slot(s->w, i);
		uint64_t first = c->timer_ms;
		if (c->watchdog_ms != 0 && (first == 0 || c->watchdog_ms < first))
			first = c->watchdog_ms;
		if (first != 0 && first <= *at && c->kind != SLOT_FREE &&
		    (who == SLOT_NONE || first < *at)) {
			*at = first;
			who = i;
		}
	}
	return who;
}

void
stage_wait(struct stage *s, uint64_t ms)
{
	uint64_t *now = &s->w->t.now_ms, end = *now + ms, at;
	uint32_t who;
	while ((who = next_due(s, end, &at)) != SLOT_NONE) {
		*now = MAX(*now, at);
		feed(s, IN_TIMER, who, (struct reason){0});
		settle(s);
	}
	*now = end;
}

uint32_t
stage_ask(struct stage *s, enum verb verb, uint32_t slot, uint32_t row, uint64_t value)
{
	struct msg_request m = {.verb = verb, .row = row};
	m.m.slot = slot;
	m.m.value = value;
	m.rows_seq = s->w->t.st->head.core.rows_seq;
	s->answer = ANSWER_MAX;
	step(s, &(struct input){.type = IN_REQUEST, .req = &m});
	settle(s);
	return s->answer;
}

static void
match(const struct rows *now, const struct rows *next, uint32_t old_row[PLAN_MAX])
{
	for (uint32_t r = 0; r < now->head->nrows; r++) {
		const struct row *a = &now->row[r];
		uint32_t k = rows_find(next, rows_string(now, a->id));
		int same = k != ROW_NONE && next->row[k].kind == a->kind &&
			   (a->parent == ROW_NONE ||
			       (old_row[a->parent] != ROW_NONE &&
				   next->row[k].parent == old_row[a->parent]));
		old_row[r] = same ? k : (uint32_t)ROW_NONE;
	}
}

void
stage_reload(struct stage *s)
{
	uint32_t old_row[PLAN_MAX], other = 1 - s->now_rows;
	plan_rows_drop(&s->rows[other]);
	plan_build(&s->plan, &s->rows[other]);
	match(&s->rows[s->now_rows].rows, &s->rows[other].rows, old_row);
	tree_reload(&s->w->t, &s->rows[other].rows, old_row);
	s->now_rows = other;
	const char *why = tree_check(&s->w->t);
	if (why != NULL) {
		(void)fprintf(stderr, "stage: reload: %s\n", why);
		abort();
	}
	settle(s);
}

const char *
stage_did(struct stage *s)
{
	static char did[STAGE_TEXT];
	memcpy(did, s->text, sizeof did);
	s->text[0] = '\0';
	return did;
}
