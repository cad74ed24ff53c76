/*
 * caller - who is at the other end of a connection, and what he may do.
 *
 * The kernel says who it is (SO_PEERCRED, SO_PEERGROUPS); the node's rows say what the
 * uid and the groups may do.  uid 0 and the node's own uid are always admin; who is in
 * no list may do nothing.
 */
#ifndef CONTROL_CALLER_H
#define CONTROL_CALLER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "rows/rows.h"

enum caller_role {
	CALLER_NOBODY,
	CALLER_READ,
	CALLER_OPERATE,
	CALLER_ADMIN,
	CALLER_MAX
};

extern const char *const caller_role_names[CALLER_MAX];

struct caller {
	uint32_t uid, gid;
	int32_t pid;
	gid_t *groups; /* owned: supplementary groups */
	unsigned ngroups;
};

/* Fills *who from a connected socket. */
int caller_of_socket(int fd, struct caller *who, struct err *err);
void caller_clear(struct caller *who);
enum caller_role caller_role(
    const struct caller *who, const struct rows *rows, uint32_t node_uid);
/* Do the lists name anybody but root and the node's own user? */
int caller_lists_used(const struct rows *rows, uint32_t node_uid);

#endif
