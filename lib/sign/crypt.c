#include "sign/crypt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

void
crypt_begin(void)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

int
crypt_random(void *buf, size_t len, struct err *err)
{
	if (RAND_bytes(buf, (int)len) != 1)
		return err_set(err, ERR_FAILED, "libcrypto has no random bytes");
	return 0;
}

int
crypt_public(const unsigned char seed[CRYPT_SEED], unsigned char public_key[CRYPT_KEY],
    struct err *err)
{
	size_t len = CRYPT_KEY;
	EVP_PKEY *key =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CRYPT_SEED);
	int ok = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1;
	EVP_PKEY_free(key);
	return ok ? 0
		  : err_set(err, ERR_FAILED, "libcrypto cannot make an Ed25519 key");
}

int
crypt_sign(const unsigned char seed[CRYPT_SEED], const void *data, size_t len,
    unsigned char signature[CRYPT_SIGNATURE], struct err *err)
{
	size_t got = CRYPT_SIGNATURE;
	EVP_PKEY *key =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CRYPT_SEED);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = key != NULL && ctx != NULL &&
		 EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		 EVP_DigestSign(ctx, signature, &got, data, len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok ? 0 : err_set(err, ERR_FAILED, "libcrypto cannot sign with Ed25519");
}

int
crypt_verify(const unsigned char public_key[CRYPT_KEY], const void *data, size_t len,
    const unsigned char signature[CRYPT_SIGNATURE])
{
	EVP_PKEY *key =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, CRYPT_KEY);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = key != NULL && ctx != NULL &&
		 EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		 EVP_DigestVerify(ctx, signature, CRYPT_SIGNATURE, data, len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

int
crypt_scrypt(
    const struct crypt_scrypt *in, unsigned char *out, size_t len, struct err *err)
{
	/* as much as these numbers need and a little more, or OpenSSL stops at 32 MB */
	uint64_t most = 128 * in->r * (in->n + in->p + 2) + (1 << 20);
	if (EVP_PBE_scrypt(in->password, strlen(in->password), in->salt, in->salt_len,
		in->n, in->r, in->p, most, out, len) != 1)
		return err_set(err, ERR_FAILED,
		    "the key's password could not be stretched: scrypt needs %llu MB of "
		    "memory for it",
		    (unsigned long long)(most >> 20));
	return 0;
}

void
crypt_forget(void *buf, size_t len)
{
	OPENSSL_cleanse(buf, len);
}
