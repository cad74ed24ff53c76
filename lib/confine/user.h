/*
 * user - a role gives up its rights, once, before it reads a foreign byte.
 *
 * Called by each role's main() with the user of its `--confine USER`.  Afterwards the
 * process has that user's uid and gid, no further groups and no_new_privs, and it was
 * checked that there is no way back.  Without a user ("" or null) only no_new_privs is
 * set: an ordinary user's node changes no ids.
 */
#ifndef CONFINE_USER_H
#define CONFINE_USER_H

#include "base/err.h"

int confine_user(const char *user, struct err *err);

#endif
