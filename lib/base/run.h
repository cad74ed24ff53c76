/*
 * run - starts a one-shot helper program.
 *
 * The helper gets three descriptors as its 0, 1 and 2 and no others, default signal
 * dispositions and an empty mask, the caller's environment and ids.  It is the
 * caller's child: the caller waits for it (SIGCHLD, then waitpid of this pid).
 */
#ifndef BASE_RUN_H
#define BASE_RUN_H

#include <sys/types.h>

#include "base/err.h"

/* argv[0] is an absolute path; fds are borrowed, -1 stands for /dev/null. */
int run_start(const char *const argv[], const int fds[3], pid_t *pid, struct err *err);

#endif
