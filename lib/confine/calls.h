/*
 * calls - which system call a role may make: one table, one row a call.
 *
 * What no row speaks of fails with EPERM: a newer libc that tries something new goes on
 * without it, and is not killed in a loop.  VERDICT_KILL is for what no working role ever
 * does, so who does it is no longer the program that was started.  VERDICT_NOSYS makes the
 * libc take the older call, whose arguments a filter can see.
 *
 * Several rows may speak of one call; for a role the first whose condition holds counts.
 * A condition looks at the low half of one argument: all that are looked at are ints or
 * flags there, of which the kernel takes no more itself.
 */
#ifndef CONFINE_CALLS_H
#define CONFINE_CALLS_H

#include <stdint.h>

enum verdict { VERDICT_ALLOW, VERDICT_KILL, VERDICT_NOSYS, VERDICT_MAX };

enum when {
	WHEN_ALWAYS,
	WHEN_EQUAL,   /* the argument is `value` */
	WHEN_WITHOUT, /* the argument has no bit of `value` */
	WHEN_SELF,    /* the argument is the pid of who is confined */
	WHEN_MAX
};

struct call {
	int nr;
	uint8_t roles; /* bits 1 << enum role */
	uint8_t verdict, when;
	uint8_t arg; /* which argument the condition looks at */
	uint32_t value;
};

enum { CALLS_MAX = 192 };

extern const struct call calls[];
extern const unsigned calls_n; /* CALLS_MAX at most */

#endif
