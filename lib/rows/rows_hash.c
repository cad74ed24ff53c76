#include "rows/rows_hash.h"

#include "base/hash.h"
#include "base/util.h"

/* What the running process does not feel, so that a change needs no restart. */
#define LATER_EXEC_FLAGS ((uint32_t)(EXECF_LOG_TIME | EXECF_LOG_ZSTD))

static uint64_t
hash_string(uint64_t h, const struct rows *r, uint32_t off)
{
	return hash_text(h, rows_string(r, off));
}

static uint64_t
hash_strings(uint64_t h, const struct rows *r, uint32_t list, uint32_t n)
{
	h = hash_mix(h, n);
	for (uint32_t i = 0; i < n; i++)
		h = hash_string(h, r, r->word[list + i]);
	return h;
}

static uint64_t
hash_words(uint64_t h, const struct rows *r, uint32_t list, uint32_t n)
{
	return hash_bytes(h, r->word + list, n * sizeof *r->word);
}

static uint64_t
hash_signed(uint64_t h, int32_t n)
{
	return hash_mix(h, (uint64_t)(int64_t)n);
}

static uint64_t
hash_exec_start(uint64_t h, const struct rows *r, const struct row_exec *e)
{
	h = hash_mix(h, e->flags & ~LATER_EXEC_FLAGS);
	h = hash_strings(h, r, e->argv, e->argc);
	h = hash_strings(h, r, e->env, e->nenv);
	h = hash_strings(h, r, e->pre, e->npre);
	h = hash_strings(h, r, e->post, e->npost);
	h = hash_string(h, r, e->cwd);
	h = hash_mix(hash_mix(h, e->uid), e->gid);
	h = hash_words(h, r, e->groups, e->ngroups);
	h = hash_mix(h, e->umask);
	h = hash_signed(hash_signed(h, e->nice), e->oom_score_adj);
	h = hash_words(h, r, e->affinity, e->naffinity);
	h = hash_words(h, r, e->rlimits, e->nrlimits * 5);
	h = hash_mix(h, e->nsocks);
	for (uint32_t i = 0; i < e->nsocks; i++)
		h = hash_mix(h, rows_hash_sock(r, &r->sock[r->word[e->socks + i]]));
	h = hash_signed(h, e->ready_fd);
	h = hash_mix(hash_mix(h, e->caps_bounding), e->caps_ambient);
	return hash_mix(h, e->log_kind);
}

uint64_t
rows_hash_start(const struct rows *r, const struct row *row)
{
	uint64_t h = hash_mix(HASH_SEED, row->kind);
	if (row->exec == ROW_NONE)
		return hash_mix(h, row->strategy == SIMPLE_ONE_FOR_ONE);
	/* These two are told to the process in its environment. */
	h = hash_mix(h, row->ready == READY_NOTIFY);
	h = hash_mix(h, row->watchdog_ms);
	h = hash_mix(h, row->flags & ROWF_ONESHOT);
	return hash_exec_start(h, r, &r->exec[row->exec]);
}

static uint64_t
hash_exec_rest(uint64_t h, const struct rows *r, const struct row_exec *e)
{
	h = hash_string(h, r, e->module); /* swapped while it runs */
	h = hash_mix(h, e->flags);
	h = hash_signed(h, e->stop_signal);
	h = hash_bytes(h, e->ready_addr, e->ready_addr_len);
	h = hash_mix(h, e->log_keep);
	return hash_mix(hash_mix(h, e->log_max_bytes), e->log_max_age_ms);
}

uint64_t
rows_hash_row(const struct rows *r, const struct row *row)
{
	uint64_t h = hash_string(row->start_hash, r, row->id);
	h = hash_string(h, r, row->parent == ROW_NONE ? 0 : r->row[row->parent].id);
	h = hash_string(hash_string(h, r, row->about), r, row->version);
	h = hash_mix(h, row->strategy);
	h = hash_mix(h, row->restart);
	h = hash_mix(h, row->auto_shutdown);
	h = hash_mix(h, row->ready);
	h = hash_mix(hash_mix(h, row->flags), row->intensity);
	const uint64_t times[] = {row->period_ms, row->stop_ms, row->start_ms,
	    row->lifespan_ms, row->watchdog_ms, row->backoff_min_ms,
	    row->backoff_max_ms};
	h = hash_bytes(h, times, sizeof times);
	h = hash_mix(hash_mix(h, row->instances), row->nafter);
	for (uint32_t i = 0; i < row->nafter; i++)
		h = hash_string(h, r, r->row[r->word[row->after + i]].id);
	h = hash_bytes(h, row->success, sizeof row->success);
	return row->exec == ROW_NONE ? h : hash_exec_rest(h, r, &r->exec[row->exec]);
}

uint64_t
rows_hash_sock(const struct rows *r, const struct row_sock *s)
{
	uint64_t h = hash_string(HASH_SEED, r, s->name);
	h = hash_string(h, r, s->path);
	h = hash_bytes(h, s->addr, s->addr_len);
	const uint32_t rest[] = {s->type, s->backlog, s->mode, s->uid, s->gid};
	return hash_bytes(h, rest, sizeof rest);
}
