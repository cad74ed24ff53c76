/* Applications, supervisors and workers; see emit.h. */
#include <string.h>

#include "base/util.h"
#include "conf/emit.h"
#include "conf/handler.h"
#include "conf/values.h"

enum { EXEC_MS = 10000, READY_MS = 90000 };

static uint32_t
disabled_flag(const struct emitter *em, const char *id)
{
	return map_get_text(&em->disabled, id) != MAP_NONE ? ROWF_DISABLED : 0;
}

/* What every row has, in the words of a row without a process. */
static struct row
base_row(
    struct emitter *em, const struct item *it, uint8_t kind, enum conf_key_id about)
{
	return (struct row){
	    .id = rows_build_string(em->exec.build, it->id),
	    .parent = it->parent != NULL ? it->parent->row : ROW_NONE,
	    .about = rows_build_string(em->exec.build, doc_text(it->sec, about)),
	    .kind = kind,
	    .flags = disabled_flag(em, it->id),
	    .stop_ms = MS_INFINITY,
	    .start_ms = MS_INFINITY,
	    .lifespan_ms = MS_INFINITY,
	    .exec = ROW_NONE,
	    .success = {1},
	};
}

static uint32_t
add_row(struct emitter *em, const struct row *row)
{
	if (row->kind == ROW_APP || row->kind == ROW_SUP)
		em->sups++;
	else
		em->workers++;
	em->instances += row->kind == ROW_TEMPLATE ? row->instances : 1;
	em->rows++;
	return rows_build_row(em->exec.build, row);
}

static void
emit_app(struct emitter *em, struct item *it)
{
	struct row r = base_row(em, it, ROW_APP, APP_DESCRIPTION);
	struct words env = {0};
	r.version = rows_build_string(em->exec.build, doc_text(it->sec, APP_VERSION));
	r.strategy = (uint8_t)doc_num(it->sec, APP_STRATEGY);
	r.restart = em->init && !(doc_has(it->sec, APP_START))
			? PERMANENT
			: (uint8_t)doc_num(it->sec, APP_START);
	r.auto_shutdown = (uint8_t)doc_num(it->sec, APP_AUTO_SHUTDOWN);
	r.intensity = (uint32_t)doc_num(it->sec, APP_INTENSITY);
	r.period_ms = doc_num(it->sec, APP_PERIOD);
	r.stop_ms = doc_num(it->sec, APP_SHUTDOWN);
	r.lifespan_ms = doc_num(it->sec, APP_LIFESPAN);
	if (doc_num(it->sec, APP_STOP_ORDER) == STOP_ANY)
		r.flags |= ROWF_STOP_ANY;
	if (doc_num(it->sec, APP_AUTOSTART) == 0)
		r.flags |= ROWF_LOADED_ONLY;
	words_env_files(em->exec.words, it->sec, APP_ENV_FILE, &env);
	words_environment(em->exec.words, it->sec, APP_ENVIRONMENT, false, &env);
	it->env = env.text;
	it->nenv = env.n;
	it->row = add_row(em, &r);
}

static void
emit_sup(struct emitter *em, struct item *it)
{
	struct row r = base_row(em, it, ROW_SUP, SUP_DESCRIPTION);
	r.strategy = (uint8_t)doc_num(it->sec, SUP_STRATEGY);
	r.restart = (uint8_t)doc_num(it->sec, SUP_RESTART);
	r.auto_shutdown = (uint8_t)doc_num(it->sec, SUP_AUTO_SHUTDOWN);
	r.intensity = (uint32_t)doc_num(it->sec, SUP_INTENSITY);
	r.period_ms = doc_num(it->sec, SUP_PERIOD);
	r.stop_ms = doc_num(it->sec, SUP_SHUTDOWN);
	if (doc_num(it->sec, SUP_STOP_ORDER) == STOP_ANY)
		r.flags |= ROWF_STOP_ANY;
	if (doc_num(it->sec, SUP_SIGNIFICANT) != 0)
		r.flags |= ROWF_SIGNIFICANT;
	it->row = add_row(em, &r);
}

/* The supervisor of a worker with `instances`; its limits are those above it. */
static void
emit_pool(struct emitter *em, struct item *it)
{
	const struct item *up = it->parent;
	bool app = up->kind == ROW_APP;
	struct row r = base_row(em, it, ROW_SUP, WK_DESCRIPTION);
	r.strategy = SIMPLE_ONE_FOR_ONE;
	r.flags |= ROWF_IMPLICIT;
	if (doc_num(it->sec, WK_ENABLED) == 0)
		r.flags |= ROWF_DISABLED;
	r.intensity = (uint32_t)doc_num(up->sec, app ? APP_INTENSITY : SUP_INTENSITY);
	r.period_ms = doc_num(up->sec, app ? APP_PERIOD : SUP_PERIOD);
	if (doc_has(it->sec, WK_INTENSITY))
		r.intensity = (uint32_t)doc_num(it->sec, WK_INTENSITY);
	if (doc_has(it->sec, WK_PERIOD))
		r.period_ms = doc_num(it->sec, WK_PERIOD);
	it->row = add_row(em, &r);
}

static uint32_t
worker_flags(const struct conf_sec *sec, const struct item *it)
{
	uint32_t flags = 0;
	if (doc_num(sec, WK_ENABLED) == 0)
		flags |= ROWF_DISABLED;
	if (doc_num(sec, WK_SIGNIFICANT) != 0)
		flags |= ROWF_SIGNIFICANT;
	if (doc_num(sec, WK_TYPE) == 1)
		flags |= ROWF_ONESHOT;
	if (it->dynamic)
		flags |= ROWF_DYNAMIC;
	return flags;
}

static void
put_times(struct emitter *em, const struct conf_sec *sec, struct row *r)
{
	uint64_t watchdog = doc_num(sec, WK_WATCHDOG), backoff[2];
	bool oneshot = (r->flags & ROWF_ONESHOT) != 0;
	r->ready = (uint8_t)doc_num(sec, WK_READY);
	if (handler_is(sec) && !doc_has(sec, WK_READY))
		r->ready = READY_NOTIFY;
	r->stop_ms = doc_num(sec, WK_SHUTDOWN);
	r->start_ms = oneshot		       ? MS_INFINITY
		      : r->ready != READY_NONE ? READY_MS
					       : EXEC_MS;
	if (doc_has(sec, WK_START_TIMEOUT))
		r->start_ms = doc_num(sec, WK_START_TIMEOUT);
	r->watchdog_ms = watchdog == MS_INFINITY ? 0 : watchdog;
	if (doc_has(sec, WK_BACKOFF) &&
	    value_backoff(doc_text(sec, WK_BACKOFF), backoff, NULL) == 0) {
		r->backoff_min_ms = backoff[0];
		r->backoff_max_ms = backoff[1];
	}
	if (oneshot && r->ready != READY_NONE)
		diag_error(em->tree->diag, doc_place(sec, WK_READY),
		    "ready: a oneshot is ready when it has ended with success; take away ready or type");
	if (oneshot && r->watchdog_ms != 0)
		diag_error(em->tree->diag, doc_place(sec, WK_WATCHDOG),
		    "watchdog: a oneshot has none; write start_timeout");
}

static void
emit_worker(struct emitter *em, struct item *it)
{
	const struct conf_sec *sec = it->sec;
	handler_check(em, it);
	if (it->pool)
		emit_pool(em, it);
	struct row r = base_row(em, it,
	    it->pool || it->kind == ROW_TEMPLATE ? ROW_TEMPLATE : ROW_WORKER,
	    WK_DESCRIPTION);
	if (it->pool)
		r.parent = it->row;
	r.flags |= worker_flags(sec, it);
	r.restart = (uint8_t)doc_num(sec, WK_RESTART);
	r.instances = (uint32_t)doc_num(sec, WK_INSTANCES);
	put_times(em, sec, &r);
	(void)value_codes(doc_text(sec, WK_SUCCESS_CODES), r.success, NULL);
	r.exec = exec_make(&em->exec, it);
	uint32_t row = add_row(em, &r);
	if (!it->pool)
		it->row = row;
}

/* An item and all below it, parents first; without recursion, as trees may be deep. */
static void
emit_below(struct emitter *em, struct item *top)
{
	struct item *it = top;
	while (it != NULL) {
		if (it->kind == ROW_APP)
			emit_app(em, it);
		else if (it->kind == ROW_SUP)
			emit_sup(em, it);
		else
			emit_worker(em, it);
		if (it->first != NULL) {
			it = it->first;
			continue;
		}
		while (it != top && it->next == NULL)
			it = it->parent;
		it = it == top ? NULL : it->next;
	}
}

/* `after` may point forward, so it is filled in when all rows have their number. */
static void
emit_after(struct emitter *em, const struct item *it)
{
	if (it->nafter == 0 || it->row == ROW_NONE)
		return;
	uint32_t *list = arena_alloc(em->tree->arena, it->nafter * sizeof *list);
	for (uint32_t i = 0; i < it->nafter; i++)
		list[i] = it->after[i]->row;
	struct row *r = rows_build_at(em->exec.build, it->pool ? it->row + 1 : it->row);
	r->after = rows_build_list(em->exec.build, list, it->nafter);
	r->nafter = it->nafter;
}

void
emit_tree(struct emitter *em)
{
	struct tree *t = em->tree;
	const struct place nowhere = {0};
	for (uint32_t i = 0; i < t->napps; i++)
		emit_below(em, t->app[i]);
	if (em->sups > ROW_SUPS_MAX)
		diag_error(t->diag, nowhere,
		    "%u applications, supervisors and pools are more than %d", em->sups,
		    ROW_SUPS_MAX);
	if (em->rows > ROWS_MAX || em->instances > ROWS_MAX)
		diag_error(t->diag, nowhere,
		    "%llu workers, instances and supervisors are more than %d",
		    (unsigned long long)em->instances, ROWS_MAX);
	if (t->diag->errors > 0)
		return;
	for (uint32_t i = 0; i < t->n; i++)
		emit_after(em, t->item[i]);
}
