/*
 * verify - is this directory, or this archive, the release that somebody trusted signed?
 *
 * The manifest's bytes must be signed by a key of the ring, it must not have expired, and
 * the files must be exactly those it names: no more, no less, the same sizes, modes and
 * hashes.  Nothing of the manifest is believed before its signature was checked.
 */
#ifndef RELEASE_VERIFY_H
#define RELEASE_VERIFY_H

#include <stdint.h>

#include "base/err.h"
#include "release/release.h"
#include "sign/sha256.h"
#include "sign/signature.h"

struct verdict { /* of a good release; verdict_free */
	struct release release;
	struct signature signature;
	unsigned char manifest[SHA256_LEN]; /* the hash of release.json */
	uint64_t files, bytes;
};

void verdict_free(struct verdict *v);
/* Is the manifest signed, one, and of this time? */
int verify_manifest(const struct signature_claim *claim, const struct keyring *ring,
    int64_t now, struct verdict *ret, struct err *err);
/* An unpacked release; all modes as they will stay, nothing linked from elsewhere. */
int verify_dir(int dirfd, const struct keyring *ring, int64_t now, struct verdict *ret,
    struct err *err);
/* A packed one, from the beginning of fd; nothing is written. */
int verify_archive(int fd, const struct keyring *ring, int64_t now, struct verdict *ret,
    struct err *err);

#endif
