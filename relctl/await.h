/*
 * await - looking again after each event of the node, until a deadline.
 *
 * Subscribe first, then look: what happens after the look is not missed.
 */
#ifndef RELCTL_AWAIT_H
#define RELCTL_AWAIT_H

#include <stdint.h>

#include "cmd.h"

/* When --timeout is over; MS_INFINITY without one. */
uint64_t await_until(const struct cmd *cmd);
/* A node that is on its way up is waited for, if there is an end to the waiting.  0, or -1
 * with cmd->err. */
int await_subscribe(struct cmd *cmd, uint64_t until_ms);
/* 1: something has happened since the last call; 0: the time is over; -1 with cmd->err. */
int await_event(struct cmd *cmd, uint64_t until_ms);

#endif
