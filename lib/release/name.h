/*
 * name - the names and versions of releases, which are also directories.  Pure.
 */
#ifndef RELEASE_NAME_H
#define RELEASE_NAME_H

#include "base/err.h"

/* A name matches [a-z0-9_-]{1,32}, a version is one of base/text.h; else ERR_REFUSED. */
int release_check_name(const char *name, const char *version, struct err *err);

#endif
