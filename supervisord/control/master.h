/*
 * master - the channel to supervisord-master, descriptor 3.
 *
 * Sends requests and subscriptions, hands replies to call.c, wakes to events.c and new
 * maps to the view.  A full socket is waited for with a bounded queue, never by
 * blocking.  At the end of the channel the loop ends: the master starts us anew.
 */
#ifndef CONTROL_MASTER_H
#define CONTROL_MASTER_H

#include <stddef.h>

#include "control/control.h"
#include "proto/proto.h"

enum { MASTER_QUEUE_MAX = 512 };

/* Takes fd and says hello. */
struct master *master_new(struct control *c, int fd);
void master_free(struct master **master);
/* 0, or -1 when the master does not read and the queue is full. */
int master_send(struct master *master, const void *msg, size_t len);

#endif
