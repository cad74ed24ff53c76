/*
 * sha256 - the hash that stands beside each file of a release, by libcrypto.
 */
#ifndef SIGN_SHA256_H
#define SIGN_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SHA256_LEN = 32, SHA256_HEX = 2 * SHA256_LEN + 1 };

struct sha256; /* one hash on its way */

/* Ends the process when memory is out. */
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 **h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
/* The hash of what was added; begins anew. */
void sha256_end(struct sha256 *h, unsigned char out[SHA256_LEN]);
/* All that a descriptor has from here on; *size: how much it was.  0 or -1 with err. */
int sha256_fd(int fd, unsigned char out[SHA256_LEN], uint64_t *size, struct err *err);

#endif
