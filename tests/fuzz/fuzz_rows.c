/* Any bytes as a block of rows: refused, or safe to walk from end to end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rows/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The optimiser must not drop the walk. */
static volatile size_t sink;

static void
walk_strings(const struct rows *r, uint32_t list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sink += strlen(rows_list_string(r, list, i));
}

static void
walk_words(const struct rows *r, uint32_t list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sink += r->word[list + i];
}

static void
walk_exec(const struct rows *r, const struct row_exec *e)
{
	walk_strings(r, e->argv, e->argc);
	walk_strings(r, e->env, e->nenv);
	walk_strings(r, e->pre, e->npre);
	walk_strings(r, e->post, e->npost);
	walk_words(r, e->groups, e->ngroups);
	walk_words(r, e->affinity, e->naffinity);
	walk_words(r, e->rlimits, e->nrlimits * 5);
	for (uint32_t i = 0; i < e->nsocks; i++)
		sink += strlen(rows_string(r, r->sock[r->word[e->socks + i]].name));
	sink += strlen(rows_string(r, e->cwd));
	sink += strlen(rows_string(r, e->module));
}

static void
walk_row(const struct rows *r, const struct row *row)
{
	sink += strlen(rows_string(r, row->id)) + strlen(rows_string(r, row->about)) +
		strlen(rows_string(r, row->version)) +
		strlen(strategy_names[row->strategy]) +
		strlen(row_kind_names[row->kind]);
	if (strlen(rows_string(r, row->id)) >= ROW_ID_MAX)
		abort();
	for (uint32_t i = 0; i < row->nafter; i++)
		sink += r->row[r->word[row->after + i]].kind;
	/* Every way up ends at an application. */
	while (row->parent != ROW_NONE)
		row = &r->row[row->parent];
	if (row->kind != ROW_APP)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rows r;
	struct err err;
	void *block = aligned_alloc(8, (size + 8) & ~(size_t)7);
	if (block == NULL)
		abort();
	memcpy(block, data, size);
	if (size >= sizeof(struct rows_head)) /* so that few inputs are wasted */
		((struct rows_head *)block)->size = (uint32_t)size;
	if (rows_check(block, size, &r, &err) == 0) {
		for (uint32_t i = 0; i < r.head->nexecs; i++)
			walk_exec(&r, &r.exec[i]);
		for (uint32_t i = 0; i < r.head->nrows; i++)
			walk_row(&r, &r.row[i]);
		(void)rows_find(&r, "api");
	}
	free(block);
	return 0;
}
