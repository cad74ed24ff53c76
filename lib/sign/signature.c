#include "sign/signature.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "sign/base64.h"
#include "sign/blake2b.h"
#include "sign/crypt.h"
#include "sign/lines.h"

struct signature_bytes {
	char algorithm[2];
	unsigned char id[KEY_ID];
	unsigned char signature[CRYPT_SIGNATURE];
};

_Static_assert(sizeof(struct signature_bytes) == 74, "minisign's signature");

enum { HASH = 64 };

static const char prehashed[2] = {'E', 'D'};
static const char legacy[2] = {'E', 'd'};
static const char trusted[] = "trusted comment: ";

static void
hash(const void *data, size_t len, unsigned char out[HASH])
{
	struct blake2b h;
	blake2b_init(&h, HASH);
	blake2b_add(&h, data, len);
	blake2b_end(&h, out);
}

/* What the global signature signs: the signature and the comment; its length. */
static size_t
global(const unsigned char signature[CRYPT_SIGNATURE], const char *comment, size_t len,
    unsigned char out[CRYPT_SIGNATURE + SIGNATURE_COMMENT])
{
	memcpy(out, signature, CRYPT_SIGNATURE);
	memcpy(out + CRYPT_SIGNATURE, comment, len);
	return CRYPT_SIGNATURE + len;
}

int
signature_make(const struct key_secret *secret, const void *data, size_t len,
    const char *comment, char text[SIGNATURE_MAX], struct err *err)
{
	struct signature_bytes b;
	unsigned char digest[HASH], both[CRYPT_SIGNATURE + SIGNATURE_COMMENT];
	unsigned char second[CRYPT_SIGNATURE];
	char line[BASE64_CAP(sizeof b)], last[BASE64_CAP(sizeof second)];
	size_t comment_len = strlen(comment);
	if (comment_len >= SIGNATURE_COMMENT || strpbrk(comment, "\r\n") != NULL)
		return err_set(err, ERR_USAGE,
		    "a trusted comment is one line of less than %d bytes",
		    SIGNATURE_COMMENT);
	memcpy(b.algorithm, prehashed, sizeof prehashed);
	memcpy(b.id, secret->id, sizeof b.id);
	hash(data, len, digest);
	if (crypt_sign(secret->key, digest, sizeof digest, b.signature, err) < 0)
		return -1;
	size_t n = global(b.signature, comment, comment_len, both);
	if (crypt_sign(secret->key, both, n, second, err) < 0)
		return -1;
	base64_write(&b, sizeof b, line);
	base64_write(second, sizeof second, last);
	(void)snprintf(text, SIGNATURE_MAX,
	    "untrusted comment: signature from steward secret key\n%s\n%s%s\n%s\n",
	    line, trusted, comment, last);
	return 0;
}

static int
is_data_signed(const struct signature_bytes *b, const struct key_public *key,
    const void *data, size_t len)
{
	unsigned char digest[HASH];
	if (memcmp(b->algorithm, legacy, sizeof legacy) == 0)
		return crypt_verify(key->key, data, len, b->signature);
	hash(data, len, digest);
	return crypt_verify(key->key, digest, sizeof digest, b->signature);
}

/* Takes the file apart: the signature, the trusted comment, the global signature. */
static int
take_apart(const char *text, size_t len, struct signature_bytes *b,
    struct line *comment, unsigned char second[CRYPT_SIGNATURE])
{
	struct lines lines = {text, len};
	struct line first = lines_next(&lines), line = lines_next(&lines);
	*comment = lines_next(&lines);
	struct line last = lines_next(&lines);
	if (!line_begins(first, "untrusted comment:") ||
	    !line_begins(*comment, trusted) || lines.len > 0 ||
	    base64_read(line.text, line.len, b, sizeof *b) < 0 ||
	    base64_read(last.text, last.len, second, CRYPT_SIGNATURE) < 0)
		return -1;
	comment->text += strlen(trusted);
	comment->len -= strlen(trusted);
	return comment->len < SIGNATURE_COMMENT ? 0 : -1;
}

static int
judge(const struct signature_bytes *b, const struct key_public *key, const void *data,
    size_t len, struct err *err)
{
	char id[KEY_ID_TEXT];
	if (memcmp(b->algorithm, prehashed, sizeof prehashed) != 0 &&
	    memcmp(b->algorithm, legacy, sizeof legacy) != 0)
		return err_set(err, ERR_REFUSED,
		    "the signature is of an algorithm that is not minisign's");
	if (key == NULL)
		return err_set(err, ERR_REFUSED,
		    "it is signed by key %s, which is not trusted here",
		    key_id_text(b->id, id));
	if (!is_data_signed(b, key, data, len))
		return err_set(err, ERR_REFUSED,
		    "the signature of key %s does not belong to these bytes: they were "
		    "changed after they were signed",
		    key_id_text(b->id, id));
	return 0;
}

int
signature_check(const struct signature_claim *claim, const struct keyring *ring,
    struct signature *ret, struct err *err)
{
	struct signature_bytes b;
	struct line comment;
	unsigned char second[CRYPT_SIGNATURE],
	    both[CRYPT_SIGNATURE + SIGNATURE_COMMENT];
	char plain[SIGNATURE_COMMENT];
	if (take_apart(claim->text, claim->text_len, &b, &comment, second) < 0)
		return err_set(err, ERR_REFUSED,
		    "this is no signature of minisign: it wants four lines");
	const struct key_public *key = keyring_find(ring, b.id);
	if (judge(&b, key, claim->data, claim->len, err) < 0)
		return -1;
	size_t n = global(b.signature, comment.text, comment.len, both);
	if (!crypt_verify(key->key, both, n, second))
		return err_set(err, ERR_REFUSED,
		    "the trusted comment was changed after it was signed");
	memcpy(ret->id, b.id, sizeof ret->id);
	/* minisign parts its words by tabs */
	memcpy(plain, comment.text, comment.len);
	for (size_t i = 0; i < comment.len; i++)
		if (plain[i] == '\t')
			plain[i] = ' ';
	plain[comment.len] = '\0';
	(void)str_printable(plain, ret->comment, sizeof ret->comment);
	return 0;
}
