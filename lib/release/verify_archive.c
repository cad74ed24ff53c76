/* The part of verify.h for a packed release: judged while it is read. */
#include <stdlib.h>
#include <string.h>

#include "archive/unpack.h"
#include "base/log.h"
#include "release/match.h"
#include "release/verify.h"

struct reading {
	const struct keyring *ring;
	int64_t now;
	char *manifest, *signature; /* owned; null until they come */
	struct signature_claim claim;
	char *into; /* where the bytes of the one that comes go, or null */
	struct verdict verdict;
	int judged;
	struct match match;
	const struct release_file *file; /* the one that comes */
	struct sha256 *hash;		 /* owned */
};

/* The first two entries are kept; by then nothing is known about the others. */
static int
keep(struct reading *r, const char *path, uint64_t size)
{
	char **text = strcmp(path, PATH_MANIFEST) == 0 ? &r->manifest : &r->signature;
	*text = malloc(size + 1);
	must(*text != NULL);
	r->into = *text;
	if (text == &r->manifest)
		r->claim.len = size;
	else
		r->claim.text_len = size;
	return 0;
}

static int
enter(void *ctx, const char *path, const struct policy_entry *entry, struct err *err)
{
	struct reading *r = ctx;
	struct policy_entry plain = *entry;
	if (!r->judged)
		return keep(r, path, entry->size);
	plain.path = path; /* a directory may have come with a slash */
	return match_entry(&r->match, &plain, &r->file, err);
}

static int
data(void *ctx, const void *bytes, size_t len, struct err *err)
{
	struct reading *r = ctx;
	(void)err;
	if (r->into != NULL) { /* the policy sees to the size */
		memcpy(r->into, bytes, len);
		r->into += len;
	} else {
		sha256_add(r->hash, bytes, len);
	}
	return 0;
}

static int
judge(struct reading *r, struct err *err)
{
	r->claim.data = r->manifest;
	r->claim.text = r->signature;
	if (verify_manifest(&r->claim, r->ring, r->now, &r->verdict, err) < 0)
		return -1;
	match_begin(&r->match, &r->verdict.release);
	r->judged = 1;
	return 0;
}

static int
leave(void *ctx, struct err *err)
{
	struct reading *r = ctx;
	unsigned char sum[SHA256_LEN];
	const struct release_file *f = r->file;
	r->file = NULL;
	r->into = NULL;
	if (!r->judged)
		return r->signature != NULL ? judge(r, err) : 0;
	if (f == NULL)
		return 0;
	sha256_end(r->hash, sum);
	return match_hash(f, sum, err);
}

int
verify_archive(int fd, const struct keyring *ring, int64_t now, struct verdict *ret,
    struct err *err)
{
	struct reading r = {.ring = ring, .now = now, .hash = sha256_new()};
	const struct unpack_sink sink = {
	    .ctx = &r, .enter = enter, .data = data, .leave = leave};
	struct policy policy;
	policy_begin(&policy, NULL);
	int rc = unpack_walk(fd, &policy, &sink, err);
	if (rc == 0)
		rc = match_end(&r.match, err);
	r.verdict.files = r.match.files;
	r.verdict.bytes = r.match.bytes;
	if (rc == 0)
		*ret = r.verdict;
	else
		verdict_free(&r.verdict);
	match_free(&r.match);
	policy_free(&policy);
	sha256_free(&r.hash);
	free(r.manifest);
	free(r.signature);
	return rc;
}
