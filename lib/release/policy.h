/*
 * policy - which archives are unpacked at all.
 *
 * Asked for every entry before anything is done with it, and for every piece of its data.
 * What is not on the list is refused, and one refusal ends the whole.  The order is the
 * canonical one: release.json, its signature, then everything else by name; so nothing
 * appears twice, and whoever reads knows the manifest before the first file.
 *
 * Pure: no file, no archive, no clock.
 */
#ifndef RELEASE_POLICY_H
#define RELEASE_POLICY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "release/path.h"

enum policy_kind {
	POLICY_FILE,
	POLICY_DIRECTORY,
	POLICY_LINK,
	POLICY_HARD_LINK,
	POLICY_CHARACTER_DEVICE,
	POLICY_BLOCK_DEVICE,
	POLICY_FIFO,
	POLICY_SOCKET,
	POLICY_OTHER,
	POLICY_KIND_MAX
};

struct policy_limits {
	uint64_t bytes; /* of all files together */
	uint64_t entries;
	uint64_t ratio; /* unpacked : packed */
	uint64_t small; /* so many bytes are never too many for the ratio */
};
extern const struct policy_limits policy_usual;

struct policy_entry {
	enum policy_kind kind;
	const char *path;   /* may be null: the archive has none */
	const char *target; /* of a link */
	uint64_t size;
	unsigned mode;
};

struct policy {
	struct policy_limits limits;
	int unsigned_too; /* the signature may be missing */
	/* private */
	struct arena arena;
	struct map kinds; /* path → enum policy_kind */
	const char *last;
	uint64_t entries, bytes, promised, left;
};

enum { POLICY_MANIFEST_MAX = 4 << 20, POLICY_SIGNATURE_MAX = 2048 };

/* limits: null for the usual ones. */
void policy_begin(struct policy *p, const struct policy_limits *limits);
void policy_free(struct policy *p);
/*
 * 0, or ERR_REFUSED: no entry after that is asked for.  *ret: its name without a slash at
 * the end, which lives as long as the policy.
 */
int policy_enter(struct policy *p, const struct policy_entry *entry, const char **ret,
    struct err *err);
/* len more bytes of that entry's data; packed: bytes of the archive read so far. */
int policy_data(struct policy *p, uint64_t len, uint64_t packed, struct err *err);
/* Behind the entry's data: was it all there? */
int policy_leave(const struct policy *p, struct err *err);
/* Behind the last entry. */
int policy_end(const struct policy *p, struct err *err);

#endif
