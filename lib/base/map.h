/*
 * map - bytes to a number, by hash.
 *
 * Keys are borrowed and must live as long as the map; the table itself lives in the
 * arena.  Nothing is ever removed.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define MAP_NONE UINT32_MAX

struct map_slot;

struct map {
	struct arena *arena; /* borrowed */
	struct map_slot *slot;
	uint32_t cap, n;
};

void map_init(struct map *m, struct arena *arena);
/* The value of the key, or MAP_NONE. */
uint32_t map_get(const struct map *m, const void *key, size_t len);
uint32_t map_get_text(const struct map *m, const char *key);
/* Puts key → value and returns MAP_NONE; a key that is there stays: its value. */
uint32_t map_put(struct map *m, const void *key, size_t len, uint32_t value);
uint32_t map_put_text(struct map *m, const char *key, uint32_t value);

#endif
