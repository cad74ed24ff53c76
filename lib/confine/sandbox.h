/*
 * sandbox - what is left to a role: system calls, files, ports, signals.
 *
 * One row a role.  Each role's main() opens what it needs, becomes its user
 * (confine_user), enters its sandbox, and only then reads the first foreign byte:
 *
 *	if (confine_user(user, &err) < 0 || sandbox_enter(ROLE_PROBE, -1, &err) < 0)
 *		fatal("%s", err.msg);
 *
 * There is no way back, also not by exec.  It is the same for root's node and for an
 * ordinary user's: no_new_privs is all that either mechanism asks for.
 *
 * Landlock comes first (reach.h), since its system calls are not among those that stay
 * allowed; then the filter (filter.h).  Where the kernel knows only part of it, the role
 * goes on with that part and says in one line what is missing.  What the kernel knows and
 * nevertheless refuses is an error.
 */
#ifndef CONFINE_SANDBOX_H
#define CONFINE_SANDBOX_H

#include "base/err.h"
#include "proto/proto.h"

/* own: the directory that belongs to the role, open; -1 for none. */
int sandbox_enter(enum role role, int own, struct err *err);

#endif
