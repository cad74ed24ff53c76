#include "control/caller.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/util.h"

const char *const caller_role_names[CALLER_MAX] = {
    [CALLER_NOBODY] = "nobody",
    [CALLER_READ] = "read",
    [CALLER_OPERATE] = "operate",
    [CALLER_ADMIN] = "admin",
};
_Static_assert(COUNT(caller_role_names) == CALLER_MAX, "one name a role");

static int
peer_groups(int fd, struct caller *who, struct err *err)
{
	socklen_t len = 0;
	/* The first call says how long the list is. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) < 0 &&
	    errno != ERANGE)
		return err_sys(err, "cannot see the groups of a client");
	who->groups = malloc(len + sizeof(gid_t));
	must(who->groups != NULL);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, who->groups, &len) < 0) {
		err_sys(err, "cannot see the groups of a client");
		caller_clear(who);
		return -1;
	}
	who->ngroups = (unsigned)(len / sizeof(gid_t));
	return 0;
}

int
caller_of_socket(int fd, struct caller *who, struct err *err)
{
	struct ucred cred;
	socklen_t len = sizeof cred;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return err_sys(err, "cannot see who a client is");
	*who = (struct caller){.uid = cred.uid, .gid = cred.gid, .pid = cred.pid};
	return peer_groups(fd, who, err);
}

void
caller_clear(struct caller *who)
{
	free(who->groups);
	who->groups = NULL;
	who->ngroups = 0;
}

static int
listed(const struct rows *rows, uint32_t list, uint32_t n, uint32_t id)
{
	for (uint32_t i = 0; i < n; i++)
		if (rows->word[list + i] == id)
			return 1;
	return 0;
}

static int
group_listed(
    const struct rows *rows, uint32_t list, uint32_t n, const struct caller *who)
{
	if (listed(rows, list, n, who->gid))
		return 1;
	for (unsigned i = 0; i < who->ngroups; i++)
		if (listed(rows, list, n, who->groups[i]))
			return 1;
	return 0;
}

enum caller_role
caller_role(const struct caller *who, const struct rows *rows, uint32_t node_uid)
{
	const struct row_node *n = &rows->head->node;
	if (who->uid == 0 || who->uid == node_uid ||
	    listed(rows, n->admin_uids, n->nadmin_uids, who->uid) ||
	    group_listed(rows, n->admin_gids, n->nadmin_gids, who))
		return CALLER_ADMIN;
	if (listed(rows, n->operate_uids, n->noperate_uids, who->uid) ||
	    group_listed(rows, n->operate_gids, n->noperate_gids, who))
		return CALLER_OPERATE;
	if (listed(rows, n->read_uids, n->nread_uids, who->uid) ||
	    group_listed(rows, n->read_gids, n->nread_gids, who))
		return CALLER_READ;
	return CALLER_NOBODY;
}

static int
names_others(const struct rows *rows, uint32_t list, uint32_t n, uint32_t node_id)
{
	for (uint32_t i = 0; i < n; i++)
		if (rows->word[list + i] != 0 && rows->word[list + i] != node_id)
			return 1;
	return 0;
}

int
caller_lists_used(const struct rows *rows, uint32_t node_uid)
{
	const struct row_node *n = &rows->head->node;
	return names_others(rows, n->read_uids, n->nread_uids, node_uid) ||
	       names_others(rows, n->operate_uids, n->noperate_uids, node_uid) ||
	       names_others(rows, n->admin_uids, n->nadmin_uids, node_uid) ||
	       names_others(rows, n->read_gids, n->nread_gids, 0) ||
	       names_others(rows, n->operate_gids, n->noperate_gids, 0) ||
	       names_others(rows, n->admin_gids, n->nadmin_gids, 0);
}
