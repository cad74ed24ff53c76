/*
 * keyring - the public keys that are trusted: the files *.pub of one directory.
 *
 * Several keys allow one to be replaced while the other still signs; a key is trusted no
 * longer when its file is gone.  A file that is no key fails the whole, so that nobody
 * believes in a key that is not read.
 */
#ifndef SIGN_KEYRING_H
#define SIGN_KEYRING_H

#include <stddef.h>

#include "base/err.h"
#include "sign/key.h"

enum { KEYRING_MAX = 64 };

struct keyring { /* all zero: empty */
	struct key_public key[KEYRING_MAX];
	size_t n;
};

/* Reads DIR/name, a key file. */
int keyring_add_file(
    struct keyring *ring, int dirfd, const char *name, struct err *err);
/* All keys of a directory; the descriptor stays open. */
int keyring_read(struct keyring *ring, int dirfd, struct err *err);
/* Null: nobody of this id is trusted. */
const struct key_public *keyring_find(
    const struct keyring *ring, const unsigned char id[KEY_ID]);

#endif
