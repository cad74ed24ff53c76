#include "sign/sha256.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

struct sha256 {
	EVP_MD_CTX *ctx; /* owned */
};

struct sha256 *
sha256_new(void)
{
	struct sha256 *h = calloc(1, sizeof *h);
	must(h != NULL);
	h->ctx = EVP_MD_CTX_new();
	must(h->ctx != NULL && EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) == 1);
	return h;
}

void
sha256_free(struct sha256 **h)
{
	if (*h == NULL)
		return;
	EVP_MD_CTX_free((*h)->ctx);
	free(*h);
	*h = NULL;
}

void
sha256_add(struct sha256 *h, const void *data, size_t len)
{
	must(EVP_DigestUpdate(h->ctx, data, len) == 1);
}

void
sha256_end(struct sha256 *h, unsigned char out[SHA256_LEN])
{
	must(EVP_DigestFinal_ex(h->ctx, out, NULL) == 1 &&
	     EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) == 1);
}

int
sha256_fd(int fd, unsigned char out[SHA256_LEN], uint64_t *size, struct err *err)
{
	enum { CHUNK = 64 * 1024 };
	struct sha256 *h = sha256_new();
	char *buf = malloc(CHUNK);
	uint64_t total = 0;
	ssize_t n;
	must(buf != NULL);
	while ((n = read(fd, buf, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		sha256_add(h, buf, (size_t)n);
		total += (uint64_t)n;
	}
	int rc = n < 0 ? err_sys(err, "cannot read it") : 0;
	if (rc == 0) {
		sha256_end(h, out);
		*size = total;
	}
	free(buf);
	sha256_free(&h);
	return rc;
}
