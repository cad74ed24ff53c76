/* The part of build.h that writes the archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "release/build.h"
#include "release/match.h"
#include "sign/sha256.h"
#include "sign/signature.h"

int
build_sign(const struct release *r, const char *manifest, const struct key_secret *key,
    char *text, struct err *err)
{
	char comment[200];
	(void)snprintf(comment, sizeof comment,
	    "timestamp:%lld\tfile:" PATH_MANIFEST "\trelease:%s %s\thashed",
	    (long long)r->created, r->name, r->version);
	return signature_make(key, manifest, strlen(manifest), comment, text, err);
}

static int
put_text(struct pack *p, const char *path, const char *text, struct err *err)
{
	size_t len = strlen(text);
	if (pack_file(p, path, 0444, len, err) < 0)
		return -1;
	return pack_data(p, text, len, err);
}

/* The file's bytes, which must still be those that were hashed. */
static int
copy(struct pack *p, int fd, const struct release_file *f, struct err *err)
{
	enum { CHUNK = 64 * 1024 };
	struct sha256 *h = sha256_new();
	unsigned char sum[SHA256_LEN];
	char *buf = malloc(CHUNK);
	uint64_t left = f->size;
	int rc = 0;
	must(buf != NULL);
	while (rc == 0 && left > 0) {
		size_t want = left < CHUNK ? (size_t)left : CHUNK;
		ssize_t n = read(fd, buf, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = err_set(err, ERR_FAILED,
			    "%s: it became shorter while it was packed", f->path);
			break;
		}
		sha256_add(h, buf, (size_t)n);
		rc = pack_data(p, buf, (size_t)n, err);
		left -= (uint64_t)n;
	}
	sha256_end(h, sum);
	if (rc == 0 && memcmp(sum, f->sha256, sizeof sum) != 0)
		rc = err_set(
		    err, ERR_FAILED, "%s: it was changed while it was packed", f->path);
	free(buf);
	sha256_free(&h);
	return rc;
}

static int
put_file(struct pack *p, int dirfd, const struct release_file *f, struct err *err)
{
	if (f->link != NULL)
		return pack_link(p, f->path, f->link, err);
	int fd = openat(dirfd, f->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "%s: cannot open it", f->path);
	int rc = pack_file(p, f->path, f->mode, f->size, err);
	if (rc == 0)
		rc = copy(p, fd, f, err);
	fd_close(&fd);
	return rc;
}

static int
put_all(struct pack *p, int dirfd, const struct release *r, const char *manifest,
    const struct key_secret *key, struct err *err)
{
	char signature[SIGNATURE_MAX];
	if (put_text(p, PATH_MANIFEST, manifest, err) < 0)
		return -1;
	if (key != NULL && (build_sign(r, manifest, key, signature, err) < 0 ||
			       put_text(p, PATH_SIGNATURE, signature, err) < 0))
		return -1;
	for (uint32_t i = 0; i < r->nfiles; i++)
		if (put_file(p, dirfd, &r->file[i], err) < 0)
			return -1;
	return 0;
}

int
build_write(
    int dirfd, const struct release *r, const struct build_output *out, struct err *err)
{
	struct pack *p = pack_open(out->fd, out->filter, r->created, err);
	if (p == NULL)
		return -1;
	char *manifest = release_print(r);
	int rc = put_all(p, dirfd, r, manifest, out->key, err);
	free(manifest);
	if (rc == 0)
		return pack_close(&p, err);
	pack_drop(&p);
	return -1;
}
