/*
 * keyfile - secret and trusted keys, as relctl's verbs take them.
 */
#ifndef RELCTL_KEYFILE_H
#define RELCTL_KEYFILE_H

#include "cmd.h"
#include "sign/keyring.h"

enum { KEYFILE_PASSWORD = 1024 };

/*
 * Asks on a terminal without showing what is typed, else reads one line of stdin; twice
 * where a new password is made.  0, or -1 with err.
 */
int keyfile_password(
    const char *question, int twice, char password[KEYFILE_PASSWORD], struct err *err);
/* Reads a secret key, and its password where it has one.  key_forget it. */
int keyfile_secret(const char *path, struct key_secret *ret, struct err *err);
/*
 * The keys to trust: the file or directory `given`, or where that is null the node's own
 * directory.  ERR_REFUSED when there is none.
 */
int keyfile_trusted(struct cmd *cmd, const char *given, struct keyring *ret);

#endif
