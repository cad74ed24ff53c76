#include "conf/users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

enum { SHOWN = 64, GROUPS_MOST = 65536 };

void
users_init(struct users *u, struct arena *arena, uint32_t uid, uint32_t gid)
{
	*u = (struct users){.arena = arena, .node_uid = uid, .node_gid = gid};
	map_init(&u->by_name, arena);
	map_init(&u->group_by_name, arena);
}

static struct user *
keep_user(struct users *u, const char *text, const struct passwd *pw)
{
	struct user *user = arena_alloc(u->arena, sizeof *user);
	if (pw != NULL)
		*user = (struct user){.uid = pw->pw_uid,
		    .gid = pw->pw_gid,
		    .known = true,
		    .name = arena_text(u->arena, pw->pw_name),
		    .home = arena_text(u->arena, pw->pw_dir),
		    .shell = arena_text(u->arena, pw->pw_shell)};
	u->user = arena_more(u->arena, u->user, u->n, &u->cap, sizeof(void *));
	u->user[u->n] = user;
	(void)map_put_text(&u->by_name, arena_text(u->arena, text), u->n);
	u->n++;
	return user;
}

static bool
is_missing(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
	       error == EPERM;
}

int
users_find(struct users *u, const char *text, const struct user **user, struct err *err)
{
	char shown[SHOWN];
	uint64_t id;
	uint32_t i = map_get_text(&u->by_name, text);
	if (i != MAP_NONE) {
		*user = u->user[i];
		return 0;
	}
	bool number = str_number(text, 0, UINT32_MAX - 1, &id, NULL) == 0;
	errno = 0;
	const struct passwd *pw = number ? getpwuid((uid_t)id) : getpwnam(text);
	if (pw == NULL && !is_missing(errno))
		return err_sys(err, "cannot look up user '%s'",
		    str_printable(text, shown, sizeof shown));
	if (pw == NULL && !number)
		return err_set(err, ERR_CONFIG, "there is no user '%s' on this machine",
		    str_printable(text, shown, sizeof shown));
	struct user *kept = keep_user(u, text, pw);
	if (pw == NULL) {
		kept->uid = (uint32_t)id;
		kept->gid = (uint32_t)id;
	}
	users_groups(u, kept);
	*user = kept;
	return 0;
}

const struct user *
users_node(struct users *u)
{
	char number[16];
	const struct user *user = NULL;
	(void)snprintf(number, sizeof number, "%u", u->node_uid);
	if (users_find(u, number, &user, NULL) < 0) {
		struct user *kept = keep_user(u, number, NULL);
		kept->uid = u->node_uid;
		kept->gid = u->node_gid;
		user = kept;
	}
	return user;
}

void
users_groups(struct users *u, struct user *user)
{
	int n = 64;
	if (!user->known)
		return;
	for (;;) {
		gid_t *list = arena_alloc(u->arena, (size_t)n * sizeof *list);
		int room = n;
		if (getgrouplist(user->name, user->gid, list, &n) >= 0) {
			user->groups = list;
			user->ngroups = (uint32_t)n;
			return;
		}
		if (n <= room || n > GROUPS_MOST)
			return;
	}
}

int
users_group(struct users *u, const char *text, uint32_t *gid, struct err *err)
{
	char shown[SHOWN];
	uint64_t id;
	uint32_t got = map_get_text(&u->group_by_name, text);
	if (got != MAP_NONE) {
		*gid = got;
		return 0;
	}
	if (str_number(text, 0, UINT32_MAX - 1, &id, NULL) == 0) {
		*gid = (uint32_t)id;
		return 0;
	}
	errno = 0;
	const struct group *gr = getgrnam(text);
	if (gr == NULL && !is_missing(errno))
		return err_sys(err, "cannot look up group '%s'",
		    str_printable(text, shown, sizeof shown));
	if (gr == NULL)
		return err_set(err, ERR_CONFIG,
		    "there is no group '%s' on this machine",
		    str_printable(text, shown, sizeof shown));
	(void)map_put_text(&u->group_by_name, arena_text(u->arena, text), gr->gr_gid);
	*gid = gr->gr_gid;
	return 0;
}
