#include "sign/key.h"

#include <stdio.h>
#include <string.h>

#include "sign/base64.h"
#include "sign/blake2b.h"
#include "sign/crypt.h"
#include "sign/lines.h"

const struct key_cost key_cost_usual = {.ops = 33554432, .mem = 1073741824};

/* The files' lines of base64 are these bytes. */
struct public_bytes {
	char algorithm[2];
	unsigned char id[KEY_ID];
	unsigned char key[32];
};

struct locked_bytes { /* what scrypt's output is put over */
	unsigned char id[KEY_ID];
	unsigned char key[64];
	unsigned char check[32];
};

struct secret_bytes {
	char algorithm[2];
	char kdf[2];
	char check_algorithm[2];
	unsigned char salt[32];
	unsigned char ops[8], mem[8]; /* little-endian */
	struct locked_bytes locked;
};

_Static_assert(sizeof(struct public_bytes) == 42, "minisign's public key");
_Static_assert(sizeof(struct secret_bytes) == 158, "minisign's secret key");

static const char algorithm[2] = {'E', 'd'};
static const char kdf_scrypt[2] = {'S', 'c'};
static const char kdf_none[2] = {0, 0};
static const char check_blake2b[2] = {'B', '2'};

static uint64_t
get64(const unsigned char bytes[8])
{
	uint64_t v = 0;
	for (unsigned i = 8; i > 0; i--)
		v = v << 8 | bytes[i - 1];
	return v;
}

static void
put64(unsigned char bytes[8], uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(v >> 8 * i);
}

const char *
key_id_text(const unsigned char id[KEY_ID], char text[KEY_ID_TEXT])
{
	(void)snprintf(text, KEY_ID_TEXT, "%016llX", (unsigned long long)get64(id));
	return text;
}

int
key_make(struct key_secret *secret, struct err *err)
{
	struct key_secret made = {.id = {0}};
	if (crypt_random(made.id, sizeof made.id, err) < 0 ||
	    crypt_random(made.key, CRYPT_SEED, err) < 0 ||
	    crypt_public(made.key, made.key + CRYPT_SEED, err) < 0)
		return -1;
	*secret = made;
	key_forget(&made);
	return 0;
}

struct key_public
key_public_of(const struct key_secret *secret)
{
	struct key_public key;
	memcpy(key.id, secret->id, sizeof key.id);
	memcpy(key.key, secret->key + CRYPT_SEED, sizeof key.key);
	return key;
}

void
key_forget(struct key_secret *secret)
{
	crypt_forget(secret, sizeof *secret);
}

/* --- public keys ------------------------------------------------------------------- */

int
key_public_read(const char *text, size_t len, struct key_public *ret, struct err *err)
{
	struct lines lines = {text, len};
	struct public_bytes b;
	struct line line = lines_next(&lines);
	if (line_begins(line, "untrusted comment:"))
		line = lines_next(&lines);
	if (base64_read(line.text, line.len, &b, sizeof b) < 0)
		return err_set(err, ERR_CONFIG,
		    "this is no public key of minisign: it wants a comment line and a line "
		    "of %zu characters of base64",
		    BASE64_CAP(sizeof b) - 1);
	if (memcmp(b.algorithm, algorithm, sizeof algorithm) != 0)
		return err_set(err, ERR_CONFIG,
		    "this public key is of an algorithm that is not Ed25519");
	memcpy(ret->id, b.id, sizeof ret->id);
	memcpy(ret->key, b.key, sizeof ret->key);
	return 0;
}

void
key_public_print(const struct key_public *key, char text[KEY_FILE_MAX])
{
	struct public_bytes b;
	char line[BASE64_CAP(sizeof b)], id[KEY_ID_TEXT];
	memcpy(b.algorithm, algorithm, sizeof algorithm);
	memcpy(b.id, key->id, sizeof b.id);
	memcpy(b.key, key->key, sizeof b.key);
	base64_write(&b, sizeof b, line);
	(void)snprintf(text, KEY_FILE_MAX,
	    "untrusted comment: minisign public key %s\n%s\n", key_id_text(key->id, id),
	    line);
}

/* --- secret keys ------------------------------------------------------------------- */

static void
checksum(const struct secret_bytes *b, unsigned char out[32])
{
	struct blake2b h;
	blake2b_init(&h, 32);
	blake2b_add(&h, b->algorithm, sizeof b->algorithm);
	blake2b_add(&h, b->locked.id, sizeof b->locked.id);
	blake2b_add(&h, b->locked.key, sizeof b->locked.key);
	blake2b_end(&h, out);
}

/* libsodium's choice of scrypt's numbers; r is always 8. */
static void
pick(const struct key_cost *cost, struct crypt_scrypt *s)
{
	uint64_t ops = cost->ops < 32768 ? 32768 : cost->ops;
	uint64_t most_n = ops / 32;
	s->r = 8;
	s->p = 1;
	if (ops >= cost->mem / 32)
		most_n = cost->mem / (s->r * 128);
	for (s->n = 2; s->n <= most_n / 2; s->n *= 2)
		;
	if (ops >= cost->mem / 32)
		s->p = ops / 4 / s->n / s->r;
	if (s->p == 0)
		s->p = 1;
}

/* Puts scrypt's output over the secret part, which locks and unlocks it. */
static int
turn(struct secret_bytes *b, const char *password, struct err *err)
{
	unsigned char stream[sizeof b->locked];
	unsigned char *p = (unsigned char *)&b->locked;
	const struct key_cost cost = {get64(b->ops), get64(b->mem)};
	struct crypt_scrypt s = {
	    .password = password, .salt = b->salt, .salt_len = sizeof b->salt};
	/* A file from elsewhere does not take all memory, nor hours. */
	if (cost.mem > 2 * key_cost_usual.mem || cost.ops > 8 * key_cost_usual.ops)
		return err_set(err, ERR_REFUSED,
		    "this key's password costs more memory or time than minisign's ever "
		    "does");
	pick(&cost, &s);
	if (crypt_scrypt(&s, stream, sizeof stream, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof stream; i++)
		p[i] ^= stream[i];
	crypt_forget(stream, sizeof stream);
	return 0;
}

static int
secret_bytes_read(const char *text, size_t len, struct secret_bytes *b, struct err *err)
{
	struct lines lines = {text, len};
	struct line line = lines_next(&lines);
	if (line_begins(line, "untrusted comment:"))
		line = lines_next(&lines);
	if (base64_read(line.text, line.len, b, sizeof *b) < 0)
		return err_set(err, ERR_CONFIG,
		    "this is no secret key of minisign: it wants a comment line and a line "
		    "of %zu characters of base64",
		    BASE64_CAP(sizeof *b) - 1);
	if (memcmp(b->algorithm, algorithm, sizeof algorithm) != 0 ||
	    memcmp(b->check_algorithm, check_blake2b, sizeof check_blake2b) != 0 ||
	    (memcmp(b->kdf, kdf_scrypt, sizeof kdf_scrypt) != 0 &&
		memcmp(b->kdf, kdf_none, sizeof kdf_none) != 0))
		return err_set(err, ERR_CONFIG,
		    "this secret key is of a kind that only another minisign knows");
	return 0;
}

int
key_secret_is_locked(const char *text, size_t len)
{
	struct secret_bytes b;
	int locked = secret_bytes_read(text, len, &b, NULL) == 0 &&
		     memcmp(b.kdf, kdf_scrypt, sizeof kdf_scrypt) == 0;
	crypt_forget(&b, sizeof b);
	return locked;
}

/* minisign leaves the checksum of an unencrypted key empty. */
static int
check_secret(struct secret_bytes *b, const char *password, struct err *err)
{
	static const unsigned char empty[32];
	unsigned char sum[32], public_key[CRYPT_KEY];
	int locked = memcmp(b->kdf, kdf_scrypt, sizeof kdf_scrypt) == 0;
	if (locked && password == NULL)
		return err_set(err, ERR_REFUSED, "this secret key needs its password");
	if (locked && turn(b, password, err) < 0)
		return -1;
	checksum(b, sum);
	if (memcmp(sum, b->locked.check, sizeof sum) != 0) {
		if (locked)
			return err_set(
			    err, ERR_REFUSED, "the password is not that of this key");
		if (memcmp(b->locked.check, empty, sizeof empty) != 0)
			return err_set(err, ERR_CONFIG, "this secret key is damaged");
	}
	if (crypt_public(b->locked.key, public_key, err) < 0)
		return -1;
	if (memcmp(public_key, b->locked.key + CRYPT_SEED, sizeof public_key) != 0)
		return err_set(err, ERR_CONFIG,
		    "this secret key is damaged: its two halves do not belong together");
	return 0;
}

int
key_secret_read(const char *text, size_t len, const char *password,
    struct key_secret *ret, struct err *err)
{
	struct secret_bytes b;
	int rc = secret_bytes_read(text, len, &b, err);
	if (rc == 0)
		rc = check_secret(&b, password, err);
	if (rc == 0) {
		memcpy(ret->id, b.locked.id, sizeof ret->id);
		memcpy(ret->key, b.locked.key, sizeof ret->key);
	}
	crypt_forget(&b, sizeof b);
	return rc;
}

static int
lock(struct secret_bytes *b, const char *password, const struct key_cost *cost,
    struct err *err)
{
	memcpy(b->kdf, kdf_scrypt, sizeof b->kdf);
	put64(b->ops, cost->ops);
	put64(b->mem, cost->mem);
	checksum(b, b->locked.check);
	if (crypt_random(b->salt, sizeof b->salt, err) < 0)
		return -1;
	return turn(b, password, err);
}

int
key_secret_print(const struct key_secret *secret, const char *password,
    const struct key_cost *cost, char text[KEY_FILE_MAX], struct err *err)
{
	struct secret_bytes b = {.kdf = {0, 0}};
	char line[BASE64_CAP(sizeof b)];
	memcpy(b.algorithm, algorithm, sizeof b.algorithm);
	memcpy(b.check_algorithm, check_blake2b, sizeof b.check_algorithm);
	memcpy(b.locked.id, secret->id, sizeof b.locked.id);
	memcpy(b.locked.key, secret->key, sizeof b.locked.key);
	int rc = password != NULL ? lock(&b, password, cost, err) : 0;
	if (rc == 0) {
		base64_write(&b, sizeof b, line);
		(void)snprintf(text, KEY_FILE_MAX,
		    "untrusted comment: minisign encrypted secret key\n%s\n", line);
	}
	crypt_forget(&b, sizeof b);
	crypt_forget(line, sizeof line);
	return rc;
}
