#include "conf/tree.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

enum { SHOWN = 80, SUGGEST_MAX = 2000 };

enum { MARK_NONE, MARK_OPEN, MARK_DONE };

enum strategy
item_strategy(const struct item *it)
{
	if (it->kind == ROW_APP)
		return (enum strategy)doc_num(it->sec, APP_STRATEGY);
	if (it->kind == ROW_SUP)
		return (enum strategy)doc_num(it->sec, SUP_STRATEGY);
	return ONE_FOR_ONE;
}

struct item *
tree_find(const struct tree *t, const char *id)
{
	uint32_t i = map_get_text(&t->by_id, id);
	return i == MAP_NONE ? NULL : t->item[i];
}

const char *
tree_app_of(struct arena *arena, const char *id)
{
	return arena_copy(arena, id, strcspn(id, "/"));
}

const char *
tree_suggest(const struct tree *t, const char *id, unsigned kinds)
{
	const char *names[SUGGEST_MAX];
	size_t n = 0;
	if (t->diag->n >= DIAG_MAX) /* nobody would read it */
		return "";
	for (uint32_t i = 0; i < t->n && n < SUGGEST_MAX; i++)
		if ((kinds & 1U << t->item[i]->kind) != 0)
			names[n++] = t->item[i]->id;
	const char *nearest = str_nearest(id, names, n);
	if (nearest == NULL)
		return "";
	/* What both have in common in front of the slash proves nothing. */
	size_t app = strcspn(id, "/");
	if (id[app] == '/' && strncmp(id, nearest, app + 1) == 0) {
		const char *tail = nearest + app + 1;
		if (str_nearest(id + app + 1, &tail, 1) == NULL)
			return "";
	}
	return arena_print(t->arena, "; did you mean '%s'?", nearest);
}

static struct item *
add_item(struct tree *t, uint8_t kind, const char *id, const struct conf_sec *sec)
{
	struct item *it = arena_alloc(t->arena, sizeof *it);
	uint32_t twin = map_put_text(&t->by_id, id, t->n);
	if (twin != MAP_NONE) {
		const struct place at = t->item[twin]->sec->at;
		diag_error(t->diag, sec->at,
		    "the id '%s' is taken by the %s of %s:%u; all ids of an application are different",
		    id, row_kind_names[t->item[twin]->kind], at.file->path, at.line);
		return NULL;
	}
	*it = (struct item){
	    .id = id, .sec = sec, .kind = kind, .number = t->n, .row = ROW_NONE};
	t->item = arena_more(t->arena, t->item, t->n, &t->cap, sizeof(void *));
	t->item[t->n++] = it;
	return it;
}

/* [worker web] lies where its supervisor does, else in `main`. */
static const char *
worker_id(struct tree *t, const struct conf_sec *sec)
{
	const char *above = doc_text(sec, WK_SUPERVISOR);
	if (strchr(sec->name, '/') != NULL)
		return sec->name;
	size_t app = strcspn(above, "/");
	if (!str_is_id_part(above, app))
		return arena_print(t->arena, "main/%s", sec->name);
	return arena_print(t->arena, "%.*s/%s", (int)app, above, sec->name);
}

static void
make_items(struct tree *t)
{
	static const uint8_t kinds[SEC_MAX] = {
	    [SEC_APPLICATION] = ROW_APP,
	    [SEC_SUPERVISOR] = ROW_SUP,
	    [SEC_WORKER] = ROW_WORKER,
	};
	bool uses_main = false;
	for (uint32_t i = 0; i < t->doc->n; i++) {
		const struct conf_sec *sec = t->doc->sec[i];
		if (sec->kind == SEC_NODE || sec->kind == SEC_SOCKET)
			continue;
		const char *id =
		    sec->kind == SEC_WORKER ? worker_id(t, sec) : sec->name;
		(void)add_item(t, kinds[sec->kind], id, sec);
		uses_main = uses_main || str_starts(id, "main/");
	}
	if (uses_main && tree_find(t, "main") == NULL)
		(void)add_item(
		    t, ROW_APP, "main", doc_add(t->doc, SEC_APPLICATION, "main"));
}

static enum conf_key_id
parent_key(const struct item *it)
{
	return it->kind == ROW_SUP ? SUP_SUPERVISOR : WK_SUPERVISOR;
}

/* The application of the id, when nothing else is written (or known). */
static struct item *
own_app(struct tree *t, const struct item *it)
{
	const char *name = tree_app_of(t->arena, it->id);
	struct item *app = tree_find(t, name);
	if (app != NULL)
		return app;
	diag_error(t->diag, it->sec->at, "there is no [application %s] for '%s'%s",
	    name, it->id, tree_suggest(t, name, 1U << ROW_APP));
	/* One is made, so that this is said once and the rest is looked at, too. */
	return add_item(t, ROW_APP, name, doc_add(t->doc, SEC_APPLICATION, name));
}

static struct item *
find_parent(struct tree *t, const struct item *it)
{
	char shown[SHOWN];
	enum conf_key_id key = parent_key(it);
	const char *name = doc_text(it->sec, key);
	struct place at = doc_place(it->sec, key);
	if (!doc_has(it->sec, key))
		return own_app(t, it);
	struct item *above = tree_find(t, name);
	/* "back" is taken for "api/back", as `after` does. */
	if (above == NULL && strchr(name, '/') == NULL)
		above = tree_find(t, arena_print(t->arena, "%s/%s",
					 tree_app_of(t->arena, it->id), name));
	str_printable(name, shown, sizeof shown);
	size_t app = strcspn(it->id, "/");
	if (above == NULL) {
		diag_error(t->diag, at, "supervisor: there is no supervisor '%s'%s",
		    shown, tree_suggest(t, name, 1U << ROW_APP | 1U << ROW_SUP));
	} else if (above->kind == ROW_WORKER) {
		diag_error(t->diag, at,
		    "supervisor: '%s' is a worker; name a supervisor or an application",
		    shown);
	} else if (above == it) {
		diag_error(t->diag, at, "supervisor: '%s' cannot be its own supervisor",
		    shown);
	} else if (strncmp(above->id, it->id, app) != 0 ||
		   (above->id[app] != '/' && above->id[app] != '\0')) {
		diag_error(t->diag, at,
		    "supervisor: '%s' lies in another application than '%s'", shown,
		    it->id);
	} else {
		return above;
	}
	return own_app(t, it);
}

/* A supervisor below itself is put below its application, so that the rest can go on. */
static void
cut_cycles(struct tree *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct item *it = t->item[i];
		while (it != NULL && it->mark == MARK_NONE) {
			it->mark = MARK_OPEN;
			it = it->parent;
		}
		if (it != NULL && it->mark == MARK_OPEN) {
			diag_error(t->diag, doc_place(it->sec, parent_key(it)),
			    "supervisor: '%s' lies below itself", it->id);
			it->parent = tree_find(t, tree_app_of(t->arena, it->id));
		}
		for (it = t->item[i]; it != NULL && it->mark == MARK_OPEN;
		     it = it->parent)
			it->mark = MARK_DONE;
	}
}

static void
link_child(struct item *it)
{
	struct item *above = it->parent;
	if (above->last != NULL)
		above->last->next = it;
	else
		above->first = it;
	above->last = it;
	if (it->dynamic)
		return;
	it->before = above->last_active;
	above->last_active = it;
}

/* OTP: a permanent child cannot be significant, nor any under auto_shutdown = never. */
static void
check_significant(struct tree *t, const struct item *it)
{
	bool is_sup = it->kind == ROW_SUP;
	enum conf_key_id key = is_sup ? SUP_SIGNIFICANT : WK_SIGNIFICANT;
	if (doc_num(it->sec, key) == 0 || it->parent == NULL)
		return;
	struct place at = doc_place(it->sec, key);
	const struct item *up = it->parent;
	uint64_t never = doc_num(
	    up->sec, up->kind == ROW_APP ? APP_AUTO_SHUTDOWN : SUP_AUTO_SHUTDOWN);
	if (it->pool)
		diag_error(t->diag, at,
		    "significant: the pool of '%s' never ends by itself; take away instances or significant",
		    it->id);
	else if (doc_num(it->sec, is_sup ? SUP_RESTART : WK_RESTART) == PERMANENT)
		diag_error(t->diag, at,
		    "significant: '%s' is permanent, so it never ends by itself; write restart = transient or temporary",
		    it->id);
	else if (never == AUTO_NEVER)
		diag_error(t->diag, at,
		    "significant: '%s' has auto_shutdown = never; write any_significant or all_significant there",
		    up->id);
}

static void
check_simple(struct tree *t, const struct item *sup)
{
	struct place at = doc_place(sup->sec, SUP_STRATEGY);
	if (sup->first == NULL)
		diag_error(t->diag, at,
		    "'%s' is simple_one_for_one and needs one worker as its template",
		    sup->id);
	for (const struct item *c = sup->first; c != NULL; c = c->next) {
		if (c->kind == ROW_SUP)
			diag_error(t->diag, doc_place(c->sec, SUP_SUPERVISOR),
			    "'%s' is simple_one_for_one: its template must be a worker, not the supervisor '%s'",
			    sup->id, c->id);
		else if (c != sup->first)
			diag_error(t->diag, doc_place(c->sec, WK_SUPERVISOR),
			    "'%s' is simple_one_for_one and has its template already, '%s'",
			    sup->id, sup->first->id);
	}
}

/* What a worker becomes depends on its supervisor. */
static void
place_worker(struct tree *t, struct item *it)
{
	const struct conf_sec *sec = it->sec;
	bool simple =
	    it->parent != NULL && item_strategy(it->parent) == SIMPLE_ONE_FOR_ONE;
	bool counts = doc_entry(sec, WK_INSTANCES) != NULL;
	it->kind = simple ? ROW_TEMPLATE : ROW_WORKER;
	it->pool = !simple && counts;
	it->dynamic = !simple && doc_num(sec, WK_DYNAMIC) != 0;
	if (doc_num(sec, WK_DYNAMIC) != 0 && counts)
		diag_error(t->diag, doc_place(sec, WK_DYNAMIC),
		    "dynamic: a worker with instances is started by its number; write instances = 0 instead");
	for (int i = 0; i < 2 && !it->pool; i++) {
		enum conf_key_id key = i == 0 ? WK_INTENSITY : WK_PERIOD;
		if (doc_entry(sec, key) != NULL)
			diag_error(t->diag, doc_place(sec, key),
			    "%s: only for a worker with instances of its own; else it belongs to its supervisor",
			    conf_keys[key].name);
	}
}

void
tree_build(struct tree *t, struct conf_doc *doc)
{
	*t = (struct tree){.arena = doc->arena, .diag = doc->diag, .doc = doc};
	map_init(&t->by_id, t->arena);
	make_items(t);
	for (uint32_t i = 0; i < t->n; i++)
		if (t->item[i]->kind != ROW_APP)
			t->item[i]->parent = find_parent(t, t->item[i]);
	cut_cycles(t);
	for (uint32_t i = 0; i < t->n; i++) {
		struct item *it = t->item[i];
		if (it->kind == ROW_WORKER)
			place_worker(t, it);
		if (it->parent != NULL)
			link_child(it);
		if (it->kind != ROW_APP)
			check_significant(t, it);
	}
	for (uint32_t i = 0; i < t->n; i++)
		if (item_strategy(t->item[i]) == SIMPLE_ONE_FOR_ONE)
			check_simple(t, t->item[i]);
}
