#include "rows/rows_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/util.h"
#include "rows/rows_hash.h"

struct rows_build {
	struct arena arena;
	struct map string_map, list_map, exec_map;
	char *strings;
	size_t strings_len, strings_cap;
	uint32_t *words;
	uint32_t nwords, words_cap;
	struct row *row;
	uint32_t nrows, rows_cap;
	struct row_exec *exec;
	uint32_t nexecs, execs_cap;
	struct row_sock *sock;
	uint32_t nsocks, socks_cap;
	struct row_node node;
};

struct rows_build *
rows_build_new(void)
{
	struct rows_build *b = calloc(1, sizeof *b);
	if (b == NULL)
		fatal("out of memory");
	map_init(&b->string_map, &b->arena);
	map_init(&b->list_map, &b->arena);
	map_init(&b->exec_map, &b->arena);
	b->strings_cap = 4096;
	b->strings = arena_alloc(&b->arena, b->strings_cap);
	b->strings_len = 1; /* offset 0 is the empty string */
	b->node.stop_ms = MS_INFINITY;
	return b;
}

void
rows_build_free(struct rows_build **b)
{
	if (*b == NULL)
		return;
	arena_free(&(*b)->arena);
	free(*b);
	*b = NULL;
}

uint32_t
rows_build_string(struct rows_build *b, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return 0;
	size_t len = strlen(text) + 1;
	uint32_t off = map_get(&b->string_map, text, len);
	if (off != MAP_NONE)
		return off;
	if (b->strings_len + len > ROWS_SIZE_MAX)
		fatal(
		    "the configuration has more than %d bytes of text", ROWS_SIZE_MAX);
	while (b->strings_len + len > b->strings_cap) {
		char *larger = arena_alloc(&b->arena, b->strings_cap * 2);
		memcpy(larger, b->strings, b->strings_len);
		b->strings = larger;
		b->strings_cap *= 2;
	}
	off = (uint32_t)b->strings_len;
	memcpy(b->strings + off, text, len);
	b->strings_len += len;
	(void)map_put(&b->string_map, arena_copy(&b->arena, text, len), len, off);
	return off;
}

uint32_t
rows_build_list(struct rows_build *b, const uint32_t *words, uint32_t n)
{
	size_t bytes = n * sizeof *words;
	if (n == 0)
		return 0;
	uint32_t list = map_get(&b->list_map, words, bytes);
	if (list != MAP_NONE)
		return list;
	if (b->nwords + (uint64_t)n > ROWS_SIZE_MAX / sizeof *words)
		fatal("the configuration has too many lists");
	while (b->nwords + n > b->words_cap)
		b->words = arena_more(
		    &b->arena, b->words, b->words_cap, &b->words_cap, sizeof *b->words);
	list = b->nwords;
	memcpy(b->words + list, words, bytes);
	b->nwords += n;
	(void)map_put(&b->list_map, arena_copy(&b->arena, words, bytes), bytes, list);
	return list;
}

uint32_t
rows_build_strings(struct rows_build *b, const char *const *texts, uint32_t n)
{
	uint32_t few[64], *words = few;
	if (n > COUNT(few))
		words = arena_alloc(&b->arena, n * sizeof *words);
	for (uint32_t i = 0; i < n; i++)
		words[i] = rows_build_string(b, texts[i]);
	return rows_build_list(b, words, n);
}

uint32_t
rows_build_row(struct rows_build *b, const struct row *row)
{
	b->row = arena_more(&b->arena, b->row, b->nrows, &b->rows_cap, sizeof *row);
	b->row[b->nrows] = *row;
	return b->nrows++;
}

/* Lists and strings are unique already, so equal execs are equal bytes. */
uint32_t
rows_build_exec(struct rows_build *b, const struct row_exec *exec)
{
	uint32_t i = map_get(&b->exec_map, exec, sizeof *exec);
	if (i != MAP_NONE)
		return i;
	b->exec =
	    arena_more(&b->arena, b->exec, b->nexecs, &b->execs_cap, sizeof *exec);
	/* With its padding, which is zero and part of the key. */
	memcpy(&b->exec[b->nexecs], exec, sizeof *exec);
	const void *key = arena_copy(&b->arena, exec, sizeof *exec);
	(void)map_put(&b->exec_map, key, sizeof *exec, b->nexecs);
	return b->nexecs++;
}

uint32_t
rows_build_sock(struct rows_build *b, const struct row_sock *sock)
{
	b->sock =
	    arena_more(&b->arena, b->sock, b->nsocks, &b->socks_cap, sizeof *sock);
	b->sock[b->nsocks] = *sock;
	return b->nsocks++;
}

struct row *
rows_build_at(struct rows_build *b, uint32_t i)
{
	must(i < b->nrows);
	return &b->row[i];
}

struct row_node *
rows_build_node(struct rows_build *b)
{
	return &b->node;
}

/* The builder's own arrays as rows, for the hashes. */
static void
hash_all(struct rows_build *b)
{
	const struct rows r = {.row = b->row,
	    .exec = b->exec,
	    .sock = b->sock,
	    .word = b->words,
	    .string = b->strings};
	for (uint32_t i = 0; i < b->nsocks; i++)
		b->sock[i].hash = rows_hash_sock(&r, &b->sock[i]);
	for (uint32_t i = 0; i < b->nrows; i++) {
		b->row[i].start_hash = rows_hash_start(&r, &b->row[i]);
		b->row[i].row_hash = rows_hash_row(&r, &b->row[i]);
	}
}

static uint32_t
lay(uint64_t *end, uint32_t n, size_t element)
{
	uint64_t off = *end;
	*end = (off + n * element + 7) & ~7ULL;
	return (uint32_t)off;
}

static void
copy_array(unsigned char *block, uint32_t off, const void *from, size_t bytes)
{
	if (bytes > 0)
		memcpy(block + off, from, bytes);
}

int
rows_build_finish(
    struct rows_build *b, const void **block, size_t *size, struct err *err)
{
	uint64_t end = sizeof(struct rows_head);
	struct rows_head h = {.magic = ROWS_MAGIC, .version = ROWS_VERSION};
	struct rows seen;
	hash_all(b);
	h.nrows = b->nrows;
	h.rows_off = lay(&end, b->nrows, sizeof *b->row);
	h.nexecs = b->nexecs;
	h.execs_off = lay(&end, b->nexecs, sizeof *b->exec);
	h.nsocks = b->nsocks;
	h.socks_off = lay(&end, b->nsocks, sizeof *b->sock);
	h.nwords = b->nwords;
	h.words_off = lay(&end, b->nwords, sizeof *b->words);
	h.strings_len = (uint32_t)b->strings_len;
	h.strings_off = lay(&end, h.strings_len, 1);
	h.node = b->node;
	if (end > ROWS_SIZE_MAX)
		return err_set(err, ERR_CONFIG,
		    "the configuration takes more than %d MB", ROWS_SIZE_MAX >> 20);
	h.size = (uint32_t)end;
	unsigned char *bytes = arena_alloc(&b->arena, end);
	copy_array(bytes, h.rows_off, b->row, b->nrows * sizeof *b->row);
	copy_array(bytes, h.execs_off, b->exec, b->nexecs * sizeof *b->exec);
	copy_array(bytes, h.socks_off, b->sock, b->nsocks * sizeof *b->sock);
	copy_array(bytes, h.words_off, b->words, b->nwords * sizeof *b->words);
	copy_array(bytes, h.strings_off, b->strings, b->strings_len);
	h.hash = hash_bytes(HASH_SEED, bytes + sizeof h, end - sizeof h);
	memcpy(bytes, &h, sizeof h);
	if (rows_check(bytes, end, &seen, err) < 0)
		return -1;
	*block = bytes;
	*size = end;
	return 0;
}
