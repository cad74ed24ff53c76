#include "confine/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Groups first, then the gid, then the uid: each step needs the rights of the next. */
static int
take_ids(uid_t uid, gid_t gid, const char *user, struct err *err)
{
	if (setgroups(0, NULL) < 0)
		return err_sys(err, "cannot give up the groups for user '%s'", user);
	if (setresgid(gid, gid, gid) < 0)
		return err_sys(err, "cannot take the group of user '%s'", user);
	if (setresuid(uid, uid, uid) < 0)
		return err_sys(err, "cannot become user '%s'", user);
	return 0;
}

static int
check_ids(uid_t uid, gid_t gid, const char *user, struct err *err)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return err_sys(err, "cannot read back the ids of this process");
	if (r != uid || e != uid || s != uid || rg != gid || eg != gid || sg != gid)
		return err_set(err, ERR_FAILED,
		    "this process did not become user '%s' wholly", user);
	if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return err_set(err, ERR_FAILED,
		    "user '%s' could become root again; refusing to run", user);
	return 0;
}

int
confine_user(const char *user, struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "cannot set no_new_privs");
	if (user == NULL || user[0] == '\0')
		return 0;
	errno = 0;
	const struct passwd *pw = getpwnam(user);
	if (pw == NULL && errno != 0 && errno != ENOENT)
		return err_sys(err, "cannot look up user '%s'", user);
	if (pw == NULL)
		return err_set(err, ERR_FAILED,
		    "user '%s' does not exist; make it (useradd --system %s)", user,
		    user);
	uid_t uid = pw->pw_uid;
	gid_t gid = pw->pw_gid;
	if (geteuid() == uid && getuid() == uid)
		return 0;
	if (take_ids(uid, gid, user, err) < 0)
		return -1;
	return check_ids(uid, gid, user, err);
}
