/*
 * chan - whole messages with descriptors over SOCK_SEQPACKET.
 *
 * Used between keeper, master and roles.  One message is one packet: a fixed
 * struct that begins with `uint32_t type`, and at most CHAN_FDS descriptors.
 * Descriptors that arrive are close-on-exec and belong to the receiver.
 * All sockets are non-blocking unless a caller made them otherwise.
 */
#ifndef BASE_CHAN_H
#define BASE_CHAN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum { CHAN_FDS = 64, CHAN_MSG_MAX = 8192 };

/* A pair of connected SEQPACKET sockets, close-on-exec and non-blocking. */
int chan_pair(int pair[2], struct err *err);
/* Sends one packet.  0, or -1 with errno (EAGAIN: the peer is slow). */
int chan_send(int sock, const void *msg, size_t len, const int *fds, unsigned nfds);
/*
 * Receives one packet of at most `cap` bytes.  Returns its length, 0 at the end of
 * the stream, -1 with errno (EMSGSIZE: it was longer, and is gone).  *nfds: how
 * many descriptors `fds` (CHAN_FDS long) received; on -1 none are left open.
 */
ssize_t chan_recv(int sock, void *msg, size_t cap, int *fds, unsigned *nfds);

#endif
