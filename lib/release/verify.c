#include "release/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "release/dir.h"
#include "release/match.h"

void
verdict_free(struct verdict *v)
{
	release_free(&v->release);
}

int
verify_manifest(const struct signature_claim *claim, const struct keyring *ring,
    int64_t now, struct verdict *ret, struct err *err)
{
	struct verdict v = {.files = 0};
	struct sha256 *h;
	if (signature_check(claim, ring, &v.signature, err) < 0)
		return err_wrap(err, PATH_SIGNATURE);
	if (release_read(claim->data, claim->len, &v.release, err) < 0)
		return -1;
	if (release_check_time(&v.release, now, err) < 0) {
		verdict_free(&v);
		return -1;
	}
	h = sha256_new();
	sha256_add(h, claim->data, claim->len);
	sha256_end(h, v.manifest);
	sha256_free(&h);
	*ret = v;
	return 0;
}

/* --- a directory ------------------------------------------------------------------------- */

/* A regular file, not by a link; its descriptor, or -1. */
static int
open_plain(int dirfd, const char *name, struct stat *st, struct err *err)
{
	int fd = openat(
	    dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_REFUSED, "%s is missing", name);
	if (fd < 0 || fstat(fd, st) < 0) {
		(void)err_sys(err, "cannot read %s", name);
		fd_close(&fd);
		return -1;
	}
	if (S_ISREG(st->st_mode))
		return fd;
	fd_close(&fd);
	return err_set(err, ERR_REFUSED, "%s is no file", name);
}

/* The whole of a small file; free() it.  Null with err. */
static char *
slurp_plain(int dirfd, const char *name, size_t most, size_t *len, struct err *err)
{
	struct stat st;
	int fd = open_plain(dirfd, name, &st, err);
	size_t n = 0;
	ssize_t k = 1;
	if (fd < 0)
		return NULL;
	char *buf = malloc(most + 1);
	must(buf != NULL);
	while (k != 0 && n <= most) {
		k = read(fd, buf + n, most + 1 - n);
		if (k < 0 && errno != EINTR)
			break;
		n += k > 0 ? (size_t)k : 0;
	}
	if (k < 0)
		(void)err_sys(err, "cannot read %s", name);
	else if (n > most)
		k = err_set(
		    err, ERR_REFUSED, "%s is longer than %zu bytes", name, most);
	fd_close(&fd);
	if (k < 0) {
		free(buf);
		return NULL;
	}
	*len = n;
	return buf;
}

static int
hash_plain(int dirfd, const char *name, const struct release_file *f, struct err *err)
{
	unsigned char sum[SHA256_LEN];
	struct stat st;
	uint64_t size;
	int fd = open_plain(dirfd, name, &st, err);
	if (fd < 0)
		return -1;
	int rc = sha256_fd(fd, sum, &size, err);
	fd_close(&fd);
	return rc < 0 ? -1 : match_hash(f, sum, err);
}

static enum policy_kind
kind_of(const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return st->st_nlink == 1 ? POLICY_FILE : POLICY_HARD_LINK;
	if (S_ISDIR(st->st_mode))
		return POLICY_DIRECTORY;
	return S_ISLNK(st->st_mode) ? POLICY_LINK : POLICY_OTHER;
}

static int
seen(void *ctx, const char *path, int dirfd, const char *name, const struct stat *st,
    struct err *err)
{
	struct match *m = ctx;
	const struct release_file *f;
	char target[PATH_MAX];
	struct policy_entry e = {.kind = kind_of(st),
	    .path = path,
	    .size = (uint64_t)st->st_size,
	    .mode = st->st_mode & 07777};
	ssize_t n =
	    e.kind == POLICY_LINK ? readlinkat(dirfd, name, target, PATH_MAX - 1) : 0;
	target[n > 0 ? n : 0] = '\0';
	e.target = target;
	if ((strcmp(path, PATH_MANIFEST) == 0 || strcmp(path, PATH_SIGNATURE) == 0) &&
	    e.kind == POLICY_FILE && e.mode == 0444)
		return 0;
	if (e.kind == POLICY_DIRECTORY && e.mode != 0555)
		return err_set(err, ERR_REFUSED,
		    "the directory '%s' has mode %04o instead of 0555", path, e.mode);
	if (match_entry(m, &e, &f, err) < 0)
		return -1;
	return f == NULL ? 0 : hash_plain(dirfd, name, f, err);
}

static int
match_dir(int dirfd, struct verdict *v, struct err *err)
{
	struct match m;
	const struct dir_sink sink = {.ctx = &m, .seen = seen};
	match_begin(&m, &v->release);
	int rc = dir_walk(dirfd, &sink, err);
	if (rc == 0)
		rc = match_end(&m, err);
	v->files = m.files;
	v->bytes = m.bytes;
	match_free(&m);
	return rc;
}

int
verify_dir(int dirfd, const struct keyring *ring, int64_t now, struct verdict *ret,
    struct err *err)
{
	struct verdict v;
	struct signature_claim claim = {.text = NULL};
	char *signature = NULL;
	char *manifest =
	    slurp_plain(dirfd, PATH_MANIFEST, POLICY_MANIFEST_MAX, &claim.len, err);
	if (manifest != NULL)
		signature = slurp_plain(
		    dirfd, PATH_SIGNATURE, POLICY_SIGNATURE_MAX, &claim.text_len, err);
	claim.data = manifest;
	claim.text = signature;
	int rc = signature != NULL ? verify_manifest(&claim, ring, now, &v, err) : -1;
	free(manifest);
	free(signature);
	if (rc < 0)
		return -1;
	if (match_dir(dirfd, &v, err) < 0) {
		verdict_free(&v);
		return -1;
	}
	*ret = v;
	return 0;
}
