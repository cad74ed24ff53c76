/*
 * build - a release made from a directory, for `relctl pack`.
 *
 * The directory holds release.ini (name, version, description, expires), tree.ini, handler
 * modules in lib/, programs in bin/, and whatever else the release ships; upgrade.json, if
 * it is there, has the upgrade instructions.  All that is wrong is collected before
 * anything is written.
 */
#ifndef RELEASE_BUILD_H
#define RELEASE_BUILD_H

#include "archive/pack.h"
#include "base/err.h"
#include "conf/diag.h"
#include "release/release.h"
#include "sign/key.h"

#define BUILD_INI     "release.ini"
#define BUILD_UPGRADE "upgrade.json"

/* A key of release.ini; steward-release(5) is printed from the table. */
struct build_key {
	const char *name, *help;
	int required;
};

enum { BUILD_NAME, BUILD_VERSION, BUILD_DESCRIPTION, BUILD_EXPIRES, BUILD_KEY_MAX };
extern const struct build_key build_keys[BUILD_KEY_MAX];

/* dir: as people wrote it, for messages.  -1: see diag. */
int build_read(int dirfd, const char *dir, struct release *ret, struct diag *diag);
/* What a handler module says of itself, and every rule it breaks. */
int build_module(int dirfd, const char *path, struct release_module *ret,
    struct arena *arena, struct diag *diag);

struct build_output {
	int fd; /* the archive goes there */
	enum pack_filter filter;
	const struct key_secret *key; /* null: it stays unsigned */
};

/* Writes the archive of what build_read has read from the same directory. */
int build_write(int dirfd, const struct release *r, const struct build_output *out,
    struct err *err);
/* The signature's text for a manifest, with the trusted comment of a release. */
int build_sign(const struct release *r, const char *manifest,
    const struct key_secret *key, char *text, struct err *err);

#endif
