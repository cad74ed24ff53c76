/*
 * Any bytes as entries of an archive: what the policy lets through is in order, each name
 * once, within the caps, and no link leads outside, whatever links lie on its way.
 *
 * An entry is: kind, mode (2), size (3), name NUL, target NUL.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "release/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct cursor {
	const uint8_t *p;
	size_t left;
};

static unsigned
number(struct cursor *c, unsigned bytes)
{
	unsigned v = 0;
	for (; bytes > 0 && c->left > 0; bytes--, c->left--)
		v = v << 8 | *c->p++;
	return v;
}

static char *
text(struct cursor *c)
{
	const uint8_t *end = c->left > 0 ? memchr(c->p, 0, c->left) : NULL;
	size_t len = end != NULL ? (size_t)(end - c->p) : c->left;
	char *copy = malloc(len + 1);
	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, c->p, len);
	copy[len] = '\0';
	len += end != NULL;
	c->p += len;
	c->left -= len;
	return copy;
}

/* Only names between slashes, and ".." only in front, less often than it is deep. */
static void
check_link(const char *path, const char *target)
{
	int depth = 0, names = 0;
	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '/';
	for (const char *p = target;; p++) {
		size_t n = strcspn(p, "/");
		int up = n == 2 && p[0] == '.' && p[1] == '.';
		if (n == 0 || (up && (names > 0 || --depth < 0)))
			abort();
		names += !up;
		p += n;
		if (*p == '\0')
			return;
	}
}

static void
check_passed(const char *before, const char *path, const struct policy_entry *e)
{
	if (path[0] == '/' || strstr(path, "..") == path ||
	    strstr(path, "/..") != NULL || strlen(path) > PATH_BYTES ||
	    (e->mode & 07000) != 0 || e->kind > POLICY_LINK)
		abort();
	for (const char *p = path; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			abort();
	if (before != NULL && strcmp(before, path) >= 0)
		abort();
	if (e->kind == POLICY_LINK)
		check_link(path, e->target);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct policy_limits limits = {1 << 22, 50, 100, 1 << 16};
	struct cursor c = {data, size};
	struct policy p;
	struct err err;
	const char *path, *before = NULL;
	int rc = 0;
	policy_begin(&p, &limits);
	p.unsigned_too = size % 2 != 0;
	for (unsigned n = 0; rc == 0 && c.left > 0; n++) {
		struct policy_entry e = {.kind = (enum policy_kind)number(&c, 1)};
		e.mode = number(&c, 2);
		e.size = number(&c, 3);
		char *name = text(&c), *target = text(&c);
		e.path = name;
		e.target = target;
		rc = policy_enter(&p, &e, &path, &err);
		if (rc == 0 && strcmp(path, PATH_MANIFEST) != 0 &&
		    strcmp(path, PATH_SIGNATURE) != 0) {
			check_passed(before, path, &e);
			before = path;
		}
		if (rc == 0 && e.kind == POLICY_FILE)
			rc = policy_data(&p, e.size, size, &err);
		if (p.bytes > limits.bytes || p.entries > limits.entries)
			abort();
		free(name);
		free(target);
	}
	policy_free(&p);
	return 0;
}
