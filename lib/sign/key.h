/*
 * key - Ed25519 keys in the files of minisign.
 *
 * A public key file is a comment line and one line of base64; so is a secret key file,
 * whose secret part is encrypted by scrypt unless it was made without a password
 * (minisign -W).  Stock minisign reads what is printed here, and the other way round.
 *
 * Pure but for random numbers.  Who has a struct key_secret calls key_forget on it.
 */
#ifndef SIGN_KEY_H
#define SIGN_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	KEY_ID = 8,
	KEY_ID_TEXT = 2 * KEY_ID + 1,
	KEY_FILE_MAX = 4096, /* of either kind, with its comment and the NUL behind */
};

struct key_public {
	unsigned char id[KEY_ID];
	unsigned char key[32];
};

struct key_secret {
	unsigned char id[KEY_ID];
	unsigned char key[64]; /* the seed, then the public key */
};

/* How much work a password costs: libsodium's two limits, kept in the file. */
struct key_cost {
	uint64_t ops, mem;
};
extern const struct key_cost key_cost_usual; /* minisign's: 1 GiB, some seconds */

int key_make(struct key_secret *secret, struct err *err);
struct key_public key_public_of(const struct key_secret *secret);

/* The file of a public key, or only its line of base64. */
int key_public_read(
    const char *text, size_t len, struct key_public *ret, struct err *err);
void key_public_print(const struct key_public *key, char text[KEY_FILE_MAX]);

/* 1: a password is needed; 0: it is not, or the file is none. */
int key_secret_is_locked(const char *text, size_t len);
/* password: null for none.  ERR_REFUSED: the password is wrong. */
int key_secret_read(const char *text, size_t len, const char *password,
    struct key_secret *ret, struct err *err);
/* password: null to leave it unencrypted. */
int key_secret_print(const struct key_secret *secret, const char *password,
    const struct key_cost *cost, char text[KEY_FILE_MAX], struct err *err);
void key_forget(struct key_secret *secret);

/* The id as people see it, such as "814FF2D1B425FFDE".  text is returned. */
const char *key_id_text(const unsigned char id[KEY_ID], char text[KEY_ID_TEXT]);

#endif
