/*
 * crypt - what lib/sign takes from OpenSSL, in a few calls.
 *
 * The only file that includes OpenSSL's headers.  Failures of the library itself become
 * a struct err; a wrong signature is an answer, not a failure.
 */
#ifndef SIGN_CRYPT_H
#define SIGN_CRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { CRYPT_KEY = 32, CRYPT_SEED = 32, CRYPT_SIGNATURE = 64 };

/*
 * Starts libcrypto without the configuration of the machine, for who will have no access to
 * that file, or wants no part of it.
 */
void crypt_begin(void);
int crypt_random(void *buf, size_t len, struct err *err);
/* The public key of a seed. */
int crypt_public(const unsigned char seed[CRYPT_SEED],
    unsigned char public_key[CRYPT_KEY], struct err *err);
int crypt_sign(const unsigned char seed[CRYPT_SEED], const void *data, size_t len,
    unsigned char signature[CRYPT_SIGNATURE], struct err *err);
/* 1: it is the key's signature of the data; 0: it is not, or could not be told. */
int crypt_verify(const unsigned char public_key[CRYPT_KEY], const void *data,
    size_t len, const unsigned char signature[CRYPT_SIGNATURE]);

struct crypt_scrypt {
	const char *password;
	const unsigned char *salt;
	size_t salt_len;
	uint64_t n, r, p;
};

int crypt_scrypt(
    const struct crypt_scrypt *in, unsigned char *out, size_t len, struct err *err);
/* Overwrites secrets so that the compiler cannot leave it out. */
void crypt_forget(void *buf, size_t len);

#endif
