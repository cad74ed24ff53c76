#include "base/map.h"

#include <string.h>

#include "base/hash.h"

struct map_slot {
	const void *key; /* borrowed; null: free */
	size_t len;
	uint64_t hash;
	uint32_t value;
};

void
map_init(struct map *m, struct arena *arena)
{
	*m = (struct map){.arena = arena};
}

/* The slot that holds the key, or the free one where it belongs. */
static struct map_slot *
find(struct map_slot *slot, uint32_t cap, const void *key, size_t len, uint64_t hash)
{
	for (uint32_t i = (uint32_t)hash & (cap - 1);; i = (i + 1) & (cap - 1)) {
		struct map_slot *s = &slot[i];
		if (s->key == NULL)
			return s;
		if (s->hash == hash && s->len == len && memcmp(s->key, key, len) == 0)
			return s;
	}
}

uint32_t
map_get(const struct map *m, const void *key, size_t len)
{
	if (m->n == 0)
		return MAP_NONE;
	uint64_t hash = hash_bytes(HASH_SEED, key, len);
	const struct map_slot *s = find(m->slot, m->cap, key, len, hash);
	return s->key == NULL ? MAP_NONE : s->value;
}

uint32_t
map_get_text(const struct map *m, const char *key)
{
	return map_get(m, key, strlen(key));
}

static void
grow(struct map *m)
{
	uint32_t cap = m->cap == 0 ? 16 : m->cap * 2;
	struct map_slot *slot = arena_alloc(m->arena, cap * sizeof *slot);
	for (uint32_t i = 0; i < m->cap; i++) {
		const struct map_slot *s = &m->slot[i];
		if (s->key != NULL)
			*find(slot, cap, s->key, s->len, s->hash) = *s;
	}
	m->slot = slot;
	m->cap = cap;
}

uint32_t
map_put(struct map *m, const void *key, size_t len, uint32_t value)
{
	if ((m->n + 1) * 4 > m->cap * 3)
		grow(m);
	uint64_t hash = hash_bytes(HASH_SEED, key, len);
	struct map_slot *s = find(m->slot, m->cap, key, len, hash);
	if (s->key != NULL)
		return s->value;
	*s = (struct map_slot){.key = key, .len = len, .hash = hash, .value = value};
	m->n++;
	return MAP_NONE;
}

uint32_t
map_put_text(struct map *m, const char *key, uint32_t value)
{
	return map_put(m, key, strlen(key), value);
}
