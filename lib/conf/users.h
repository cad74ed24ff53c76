/*
 * users - names of users and groups to ids, each asked for once.
 *
 * Also knows who the node runs as, since an ordinary user's node cannot become others.
 */
#ifndef CONF_USERS_H
#define CONF_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"

struct user {
	uint32_t uid, gid;
	bool known; /* has an entry, so the texts below are there */
	const char *name, *home, *shell;
	uint32_t *groups; /* all of the user's, by users_groups */
	uint32_t ngroups;
};

struct users {
	struct arena *arena; /* borrowed */
	struct map by_name;
	struct user **user;
	uint32_t n, cap;
	struct map group_by_name;
	uint32_t node_uid, node_gid;
};

void users_init(struct users *u, struct arena *arena, uint32_t uid, uint32_t gid);
/* By name or number; -1: there is none.  *user is borrowed. */
int users_find(
    struct users *u, const char *text, const struct user **user, struct err *err);
/* The node's own user. */
const struct user *users_node(struct users *u);
/* The further groups that a login of this user would have. */
void users_groups(struct users *u, struct user *user);
int users_group(struct users *u, const char *text, uint32_t *gid, struct err *err);

#endif
