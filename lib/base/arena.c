#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

enum { CHUNK_BYTES = 65536 - 64 };

struct arena_chunk {
	struct arena_chunk *before;
	size_t used, cap;
	alignas(max_align_t) unsigned char bytes[];
};

void
arena_free(struct arena *a)
{
	while (a->last != NULL) {
		struct arena_chunk *c = a->last;
		a->last = c->before;
		free(c);
	}
}

static struct arena_chunk *
add_chunk(struct arena *a, size_t size)
{
	size_t cap = MAX(size, (size_t)CHUNK_BYTES);
	struct arena_chunk *c = calloc(1, sizeof *c + cap);
	if (c == NULL)
		fatal("out of memory (%zu bytes more)", cap);
	c->cap = cap;
	/* A large piece does not end the chunk that still has room for small ones. */
	if (size > CHUNK_BYTES / 4 && a->last != NULL) {
		c->before = a->last->before;
		a->last->before = c;
	} else {
		c->before = a->last;
		a->last = c;
	}
	return c;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->last;
	if (size > SIZE_MAX / 2)
		fatal("out of memory (%zu bytes more)", size);
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (c == NULL || c->cap - c->used < size)
		c = add_chunk(a, size);
	void *p = c->bytes + c->used;
	c->used += size;
	return p;
}

char *
arena_copy(struct arena *a, const void *data, size_t len)
{
	char *p = arena_alloc(a, len + 1);
	memcpy(p, data, len);
	return p;
}

char *
arena_text(struct arena *a, const char *text)
{
	return arena_copy(a, text, strlen(text));
}

char *
arena_print(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	must(n >= 0);
	char *p = arena_alloc(a, (size_t)n + 1);
	(void)vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void *
arena_more(struct arena *a, void *array, uint32_t n, uint32_t *cap, size_t element_size)
{
	if (n < *cap)
		return array;
	uint32_t more = *cap < 8 ? 8 : *cap * 2;
	void *larger = arena_alloc(a, more * element_size);
	if (n > 0)
		memcpy(larger, array, n * element_size);
	*cap = more;
	return larger;
}
