/*
 * fence - a process keeps nothing of the file system but a few directories (Landlock).
 *
 * For the one-shot programs that read foreign bytes: whatever such bytes may do to them,
 * no other file can be opened, made or removed, and nothing executed.  Descriptors that
 * are open already are not touched.  confine_user() comes first: it sets no_new_privs.
 *
 * A kernel without Landlock is no failure: the other walls stand.
 */
#ifndef CONFINE_FENCE_H
#define CONFINE_FENCE_H

#include <stddef.h>

#include "base/err.h"

struct fence_rule {
	int dirfd;     /* a directory and all below it */
	int may_write; /* make, write and remove files there, too */
};

int fence_files(const struct fence_rule *rules, size_t n, struct err *err);

#endif
