/*
 * The part of tree.h about time: who waits for whom, and what could never start.
 *
 * Two points a item, "starts" and "is up", are joined by what the master does: a child
 * starts after its supervisor has begun and the sibling before it is up; a supervisor is
 * up when its last child is; a worker when those of its `after` are.  A way round in this
 * graph is a start that never ends.
 */
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "conf/tree.h"
#include "conf/values.h"

enum { SHOWN = 80, STORY_MAX = 700, PHRASES = 6 };

enum { MARK_NONE, MARK_OPEN, MARK_DONE };

/* Why one point waits for another. */
enum why { WHY_PART, WHY_BEFORE, WHY_CHILD, WHY_AFTER, WHY_NEEDS, WHY_MAX };

static const char *const why_words[WHY_MAX] = {
    [WHY_PART] = "is part of",
    [WHY_BEFORE] = "starts after its sibling",
    [WHY_CHILD] = "is up only with",
    [WHY_AFTER] = "waits for",
    [WHY_NEEDS] = "needs",
};

/* A point on the way of the search. */
struct step {
	uint32_t point; /* item * 2, + 1 for "is up" */
	uint32_t edge;	/* next to follow */
	enum why why;	/* of the edge that is being followed */
};

struct search {
	struct tree *t;
	uint8_t *mark;
	struct step *step;
	uint32_t depth;
};

enum { STARTS = 0, IS_UP = 1 };

static uint32_t
point(const struct item *it, uint32_t half)
{
	return it->number * 2 + half;
}

/* The k-th point this one waits for; false: no more. */
static bool
edge_of(const struct tree *t, uint32_t from, uint32_t k, uint32_t *to, enum why *why)
{
	const struct item *it = t->item[from / 2];
	if (from % 2 == IS_UP && k == 0) {
		*to = point(it, STARTS);
		*why = WHY_PART;
		return true;
	}
	if (from % 2 == IS_UP && it->kind != ROW_APP && it->nafter >= k) {
		*to = point(it->after[k - 1], IS_UP);
		*why = WHY_AFTER;
		return true;
	}
	if (from % 2 == IS_UP && it->last_active != NULL &&
	    k == 1 + (it->kind == ROW_APP ? 0 : it->nafter)) {
		*to = point(it->last_active, IS_UP);
		*why = WHY_CHILD;
		return true;
	}
	if (from % 2 == STARTS && it->kind == ROW_APP && k < it->nafter) {
		*to = point(it->after[k], IS_UP);
		*why = WHY_NEEDS;
		return true;
	}
	if (from % 2 == STARTS && it->parent != NULL && k < 2) {
		bool sibling = k == 0 && it->before != NULL;
		if (k == 1 && it->before == NULL)
			return false;
		*to = sibling ? point(it->before, IS_UP) : point(it->parent, STARTS);
		*why = sibling ? WHY_BEFORE : WHY_PART;
		return true;
	}
	return false;
}

/* Tells the way round that ends in the point `to`, and where it can be cut. */
static void
tell_cycle(struct search *s, uint32_t to)
{
	char story[STORY_MAX] = "";
	size_t used = 0;
	uint32_t first = s->depth - 1, phrases = 0;
	const struct item *cut = NULL;
	while (s->step[first].point != to)
		first--;
	for (uint32_t i = first; i < s->depth; i++) {
		uint32_t next = i + 1 < s->depth ? s->step[i + 1].point : to;
		const struct item *a = s->t->item[s->step[i].point / 2];
		const struct item *b = s->t->item[next / 2];
		enum why why = s->step[i].why;
		if (cut == NULL && (why == WHY_AFTER || why == WHY_NEEDS))
			cut = a;
		if (a == b || used >= sizeof story || ++phrases > PHRASES)
			continue;
		int n = snprintf(story + used, sizeof story - used, "%s'%s' %s '%s'",
		    used > 0 ? ", " : "", a->id, why_words[why], b->id);
		used += n > 0 ? (size_t)n : 0;
	}
	if (cut == NULL)
		return;
	enum conf_key_id key = cut->kind == ROW_APP ? APP_APPLICATIONS : WK_AFTER;
	diag_error(s->t->diag, doc_place(cut->sec, key), "%s: can never start: %s%s",
	    conf_keys[key].name, story, phrases > PHRASES ? ", and so on" : "");
}

/* Depth first, without recursion: chains are as long as the configuration. */
static void
search_from(struct search *s, uint32_t start)
{
	s->step[0] = (struct step){.point = start};
	s->depth = 1;
	s->mark[start] = MARK_OPEN;
	while (s->depth > 0) {
		struct step *top = &s->step[s->depth - 1];
		uint32_t to;
		if (!edge_of(s->t, top->point, top->edge++, &to, &top->why)) {
			s->mark[top->point] = MARK_DONE;
			s->depth--;
		} else if (s->mark[to] == MARK_OPEN) {
			tell_cycle(s, to);
		} else if (s->mark[to] == MARK_NONE) {
			s->mark[to] = MARK_OPEN;
			s->step[s->depth++] = (struct step){.point = to};
		}
	}
}

static void
find_cycles(struct tree *t)
{
	uint32_t points = t->n * 2;
	struct search s = {.t = t,
	    .mark = arena_alloc(t->arena, points + 1),
	    .step = arena_alloc(t->arena, (points + 1) * sizeof(struct step))};
	for (uint32_t i = 0; i < points; i++)
		if (s.mark[i] == MARK_NONE)
			search_from(&s, i);
}

/* A name of `after` or `applications`, or null with a message. */
static struct item *
find_other(
    struct tree *t, const struct item *it, enum conf_key_id key, const char *name)
{
	char shown[SHOWN];
	struct place at = doc_place(it->sec, key);
	const char *id = name;
	unsigned kinds = 1U << ROW_APP;
	if (it->kind != ROW_APP) {
		kinds = 1U << ROW_SUP | 1U << ROW_WORKER | 1U << ROW_TEMPLATE;
		if (strchr(name, '/') == NULL)
			id = arena_print(
			    t->arena, "%s/%s", tree_app_of(t->arena, it->id), name);
	}
	struct item *other = tree_find(t, id);
	str_printable(name, shown, sizeof shown);
	if (other != NULL && (kinds & 1U << other->kind) != 0)
		return other;
	if (it->kind == ROW_APP)
		diag_error(t->diag, at, "%s: there is no application '%s'%s",
		    conf_keys[key].name, shown, tree_suggest(t, id, kinds));
	else
		diag_error(t->diag, at, "%s: there is no worker or supervisor '%s'%s",
		    conf_keys[key].name, shown, tree_suggest(t, id, kinds));
	return NULL;
}

/* Not an error: it waits until somebody starts the other. */
static void
warn_unstarted(struct tree *t, const struct item *it, const struct item *other)
{
	bool worker = other->kind == ROW_WORKER || other->kind == ROW_TEMPLATE;
	bool off = worker && doc_num(other->sec, WK_ENABLED) == 0;
	if (!off && !other->dynamic)
		return;
	diag_warn(t->diag, doc_place(it->sec, WK_AFTER),
	    "after: '%s' waits for '%s', which %s", it->id, other->id,
	    off ? "is not enabled" : "is started by start_child only");
}

static void
resolve_after(struct tree *t, struct item *it)
{
	enum conf_key_id key = it->kind == ROW_APP ? APP_APPLICATIONS : WK_AFTER;
	uint32_t cap = 0;
	if (it->kind == ROW_SUP || !doc_has(it->sec, key))
		return;
	const char *p = doc_text(it->sec, key);
	for (size_t len; (len = value_next(&p)) > 0; p += len) {
		const char *name = arena_copy(t->arena, p, len);
		struct item *other = find_other(t, it, key, name);
		if (other == NULL)
			continue;
		if (other == it) {
			diag_error(t->diag, doc_place(it->sec, key),
			    "%s: '%s' cannot wait for itself", conf_keys[key].name,
			    it->id);
			continue;
		}
		if (it->kind != ROW_APP)
			warn_unstarted(t, it, other);
		it->after = arena_more(
		    t->arena, it->after, it->nafter, &cap, sizeof(struct item *));
		it->after[it->nafter++] = other;
	}
}

/* Those it needs first; recursion is bounded, since no way round is left. */
static void
sort_app(struct tree *t, struct item *app)
{
	if (app->mark == MARK_OPEN)
		return;
	app->mark = MARK_OPEN;
	for (uint32_t i = 0; i < app->nafter; i++)
		sort_app(t, app->after[i]);
	t->app[t->napps++] = app;
}

void
tree_order(struct tree *t)
{
	uint32_t napps = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		resolve_after(t, t->item[i]);
		t->item[i]->mark = MARK_NONE;
		napps += t->item[i]->kind == ROW_APP;
	}
	find_cycles(t);
	t->app = arena_alloc(t->arena, (napps + 1) * sizeof(struct item *));
	for (uint32_t i = 0; i < t->n; i++)
		if (t->item[i]->kind == ROW_APP)
			sort_app(t, t->item[i]);
}
