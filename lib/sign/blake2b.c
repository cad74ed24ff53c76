#include "sign/blake2b.h"

#include <string.h>

#include "base/util.h"

static const uint64_t start[8] = {0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL,
    0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL, 0x510e527fade682d1ULL,
    0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL};

static const uint8_t sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static uint64_t
rotate(uint64_t x, unsigned n)
{
	return x >> n | x << (64 - n);
}

static uint64_t
load(const unsigned char *p)
{
	uint64_t v = 0;
	for (unsigned i = 8; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

static void
mix(uint64_t *v, const unsigned at[4], uint64_t x, uint64_t y)
{
	uint64_t *a = &v[at[0]], *b = &v[at[1]], *c = &v[at[2]], *d = &v[at[3]];
	*a += *b + x;
	*d = rotate(*d ^ *a, 32);
	*c += *d;
	*b = rotate(*b ^ *c, 24);
	*a += *b + y;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 63);
}

static void
compress(struct blake2b *b, int last)
{
	/* four columns, then four diagonals */
	static const unsigned at[8][4] = {{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14},
	    {3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},
	    {3, 4, 9, 14}};
	uint64_t v[16], m[16];
	for (unsigned i = 0; i < 16; i++)
		m[i] = load(b->block + 8 * (size_t)i);
	memcpy(v, b->h, sizeof b->h);
	memcpy(v + 8, start, sizeof start);
	v[12] ^= b->bytes;
	if (last)
		v[14] = ~v[14];
	for (unsigned round = 0; round < 12; round++) {
		const uint8_t *s = sigma[round % COUNT(sigma)];
		for (size_t i = 0; i < 8; i++)
			mix(v, at[i], m[s[2 * i]], m[s[2 * i + 1]]);
	}
	for (unsigned i = 0; i < 8; i++)
		b->h[i] ^= v[i] ^ v[i + 8];
}

void
blake2b_init(struct blake2b *b, size_t out_len)
{
	*b = (struct blake2b){.out_len = out_len};
	memcpy(b->h, start, sizeof start);
	b->h[0] ^= 0x01010000U ^ (uint64_t)out_len;
}

void
blake2b_add(struct blake2b *b, const void *data, size_t len)
{
	const unsigned char *p = data;
	while (len > 0) {
		/* a full block waits until it is known not to be the last */
		if (b->fill == sizeof b->block) {
			b->bytes += sizeof b->block;
			compress(b, 0);
			b->fill = 0;
		}
		size_t n = MIN(len, sizeof b->block - b->fill);
		memcpy(b->block + b->fill, p, n);
		b->fill += n;
		p += n;
		len -= n;
	}
}

void
blake2b_end(struct blake2b *b, unsigned char *out)
{
	b->bytes += b->fill;
	memset(b->block + b->fill, 0, sizeof b->block - b->fill);
	compress(b, 1);
	for (size_t i = 0; i < b->out_len; i++)
		out[i] = (unsigned char)(b->h[i / 8] >> 8 * (i % 8));
}
