/*
 * release - release.json: what a release is made of, read and written.
 *
 * The manifest names everything: applications, handler modules, how to come from other
 * versions, and each file with its hash, size and mode.  What is signed are its bytes, so
 * the manifest decides what a release is, and an archive or directory is only right or
 * wrong.  steward-release(5) is the paper of it.
 *
 * Reading is strict: a member that nobody knows, or twice, or of another type is refused
 * with its place.  Pure but for memory; whoever reads or fills one calls release_free.
 */
#ifndef RELEASE_RELEASE_H
#define RELEASE_RELEASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "release/name.h"
#include "release/path.h"
#include "json/json.h"

enum { RELEASE_FORMAT = 1, RELEASE_BYTES = 4 << 20 };

struct release_file {
	const char *path;
	const char *link; /* the target of a link; then nothing of the rest counts */
	unsigned char sha256[32];
	uint64_t size;
	unsigned mode; /* 0444 or 0555 */
};

struct release_module {
	const char *file; /* lib/NAME.so */
	const char *name, *version;
	const char *build_id; /* "": none */
	uint32_t abi, state_version;
};

struct release_app {
	const char *name, *version;
};

struct release {	    /* all zero: empty */
	struct arena arena; /* all texts and arrays */
	const char *name, *version, *description;
	int64_t created, expires; /* seconds since 1970; expires 0: never */
	struct release_app *app;
	struct release_module *module; /* by file */
	struct release_file *file;     /* by path */
	uint32_t napps, nmodules, nfiles;
	struct json *upgrade; /* owned; an array, or null: none are given */
};

void release_free(struct release *r);
/* The bytes of release.json.  ERR_REFUSED: "modules[2]: ..." */
int release_read(const char *text, size_t len, struct release *ret, struct err *err);
/* The same bytes for the same release; free() them. */
char *release_print(const struct release *r);
/* Null: the release has no such file. */
const struct release_file *release_find(const struct release *r, const char *path);
/* Is there a file below this directory? */
int release_has_directory(const struct release *r, const char *path);
/* Is it a release at this time?  ERR_REFUSED: it has expired. */
int release_check_time(const struct release *r, int64_t now, struct err *err);
/* Puts files and modules in their order. */
void release_sort(struct release *r);

#endif
