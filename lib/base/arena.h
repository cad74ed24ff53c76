/*
 * arena - memory that is given back all at once.
 *
 * For one-shot work with many small pieces of one life, such as a configuration being
 * read.  Who makes an arena frees it; nothing inside is freed by itself.  Never used by
 * the master.  When memory is out the process ends by fatal(): its callers are programs
 * that have no use for half an answer.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena_chunk;

struct arena { /* all zero: empty */
	struct arena_chunk *last;
};

void arena_free(struct arena *a);
/* Zeroed and aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy with a NUL behind it. */
char *arena_copy(struct arena *a, const void *data, size_t len);
char *arena_text(struct arena *a, const char *text);
char *arena_print(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
/*
 * Room for one more element in an array of n elements that has room for *cap: the array
 * itself or a larger copy of it.
 */
void *arena_more(
    struct arena *a, void *array, uint32_t n, uint32_t *cap, size_t element_size);

#endif
