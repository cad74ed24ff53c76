/*
 * filter - assembles the rows of calls.h into a seccomp filter, and enters it.
 *
 * The filter belongs to the process and to all it starts, for ever.  Before the rows it
 * looks at the architecture: system calls of another one (32 bits, x32) have other
 * numbers, and who makes them is killed.  no_new_privs must be set (confine_user).
 *
 * A build with a sanitizer, valgrind or coverage is made with NO_SECCOMP: these tools make
 * system calls of their own, at any time.  filter_enter then does nothing and says
 * FILTER_LEFT_OUT.
 */
#ifndef CONFINE_FILTER_H
#define CONFINE_FILTER_H

#include <linux/filter.h>

#include "base/err.h"
#include "confine/calls.h"
#include "proto/proto.h"

/* The head, five instructions a row at most, and the end. */
enum {
	FILTER_HEAD = 8,
	FILTER_ROW = 5,
	FILTER_MAX = FILTER_HEAD + FILTER_ROW * CALLS_MAX
};

enum filter_ret { FILTER_FAILED = -1, FILTER_ENTERED, FILTER_UNKNOWN, FILTER_LEFT_OUT };

/* Writes the role's filter, for a process of this pid; the number of instructions. */
unsigned filter_make(enum role role, uint32_t pid, struct sock_filter out[FILTER_MAX]);
/* FILTER_UNKNOWN: this kernel has no seccomp, or not all of it; nothing was done. */
enum filter_ret filter_enter(enum role role, struct err *err);

#endif
