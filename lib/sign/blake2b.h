/*
 * blake2b - the hash BLAKE2b (RFC 7693) without key, of 1 to 64 bytes.
 *
 * Ours, because OpenSSL 3.0 knows only the 64 bytes of a signature, and a minisign secret
 * key carries a checksum of 32.  Pure; a unit test compares it with OpenSSL's.
 */
#ifndef SIGN_BLAKE2B_H
#define SIGN_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

struct blake2b {
	uint64_t h[8], bytes;
	unsigned char block[128];
	size_t fill, out_len;
};

void blake2b_init(struct blake2b *b, size_t out_len);
void blake2b_add(struct blake2b *b, const void *data, size_t len);
/* out_len bytes. */
void blake2b_end(struct blake2b *b, unsigned char *out);

#endif
