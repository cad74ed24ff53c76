/*
 * path - names of files inside a release.
 *
 * Relative, parts of [0-9A-Za-z._+~@=-] that begin with a letter, a digit or '_', joined by
 * single slashes.  So no name can leave the release, hide, look like an option or upset a
 * terminal.  Links point to such a path, with "../" in front at most as often as they lie
 * deep.  Pure.
 */
#ifndef RELEASE_PATH_H
#define RELEASE_PATH_H

#include "base/err.h"

enum { PATH_BYTES = 255, PATH_PART = 100, PATH_DEPTH = 8 };

#define PATH_MANIFEST  "release.json"
#define PATH_SIGNATURE "release.json.minisig"
#define PATH_TREE      "tree.ini"

/* 0, or ERR_REFUSED with the path in the sentence. */
int path_check(const char *path, struct err *err);
/* The target of a link that lies at `path`, which is a good one. */
int path_check_link(const char *path, const char *target, struct err *err);
/* Is it a handler module: lib/NAME.so? */
int path_is_module(const char *path);
/* The mode a file has once it is unpacked: 0555 below bin/, 0444 elsewhere. */
unsigned path_mode(const char *path);

#endif
