/*
 * reach - what of the file system, of TCP and of other processes is in reach: Landlock.
 *
 * Entered by raw system calls; there is nothing in the libc.  It takes away only:
 * descriptors that are open stay as they are, a socket or pipe is reached through its
 * descriptor, and looking at names, modes and owners is not covered by Landlock at all.
 *
 * Each version of Landlock knows more; what this kernel's does not is named in `lacks`.
 */
#ifndef CONFINE_REACH_H
#define CONFINE_REACH_H

#include <stddef.h>

#include "base/err.h"

enum reach {
	REACH_READ = 1 << 0,	/* files, and what is in directories */
	REACH_WRITE = 1 << 1,	/* files that are there */
	REACH_RUN = 1 << 2,	/* to execute */
	REACH_MAKE = 1 << 3,	/* to make and remove files, to make directories */
	REACH_CONNECT = 1 << 4, /* TCP, anywhere; of struct reach_rules only */
	REACH_LINK = 1 << 5,	/* to make symbolic links, to remove directories */
	REACH_KEEP = REACH_READ | REACH_WRITE | REACH_MAKE
};

/* A path and all below it; what is not there is passed over. */
struct reach_path {
	const char *path;
	unsigned may;
};

enum { REACH_PATHS = 12, REACH_LACKS = 160 };

struct reach_rules {
	unsigned may;	 /* REACH_CONNECT or nothing */
	unsigned in_own; /* in the role's own directory */
	struct reach_path paths[REACH_PATHS];
};

/*
 * own: the role's own directory, open; -1 for none.  lacks: what this kernel cannot keep
 * it from, "" for nothing; "files" is in it where there is no Landlock at all.
 */
int reach_enter(
    const struct reach_rules *rules, int own, char lacks[REACH_LACKS], struct err *err);

#endif
