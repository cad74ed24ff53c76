/*
 * hash - 64 bits of any bytes, for tables and for "is it still the same".
 *
 * Not for secrets: who chooses the bytes can make two of them meet.  Values are the same
 * in every process of one build of one machine, and are never sent to another.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_SEED 0xcbf29ce484222325ULL

static inline uint64_t
hash_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 32);
}

static inline uint64_t
hash_bytes(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t word;
	h = hash_mix(h, len);
	for (; len >= sizeof word; len -= sizeof word, p += sizeof word) {
		__builtin_memcpy(&word, p, sizeof word);
		h = hash_mix(h, word);
	}
	if (len == 0)
		return h;
	word = 0;
	__builtin_memcpy(&word, p, len);
	return hash_mix(h, word);
}

static inline uint64_t
hash_text(uint64_t h, const char *text)
{
	return hash_bytes(h, text, __builtin_strlen(text));
}

#endif
