/*
 * signature - a detached signature in minisign's format, made and judged.
 *
 * Four lines: an untrusted comment, the signature of the data with the id of its key, a
 * trusted comment, the global signature of both.  Ours are prehashed ("ED": the key signs
 * the data's BLAKE2b-512); the older kind ("Ed") is read, too.
 */
#ifndef SIGN_SIGNATURE_H
#define SIGN_SIGNATURE_H

#include <stddef.h>

#include "base/err.h"
#include "sign/key.h"
#include "sign/keyring.h"

enum { SIGNATURE_COMMENT = 512, SIGNATURE_MAX = 2048 };

/* What a good signature says. */
struct signature {
	unsigned char id[KEY_ID];
	char comment[SIGNATURE_COMMENT]; /* the trusted one, fit for a message */
};

/* The file's text; comment: one line without control characters. */
int signature_make(const struct key_secret *secret, const void *data, size_t len,
    const char *comment, char text[SIGNATURE_MAX], struct err *err);

struct signature_claim {
	const char *text; /* of the signature's file */
	size_t text_len;
	const void *data; /* what it is said to sign */
	size_t len;
};

/* 0: a key of the ring has signed the data; ERR_REFUSED says why not. */
int signature_check(const struct signature_claim *claim, const struct keyring *ring,
    struct signature *ret, struct err *err);

#endif
