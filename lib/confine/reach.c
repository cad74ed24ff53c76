#include "confine/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"

/* Landlock's numbers that the headers of Debian 12 may lack, under names of our own. */
#define FS_ALL_1     ((UINT64_C(1) << 13) - 1) /* what version 1 knows */
#define FS_REFER     (UINT64_C(1) << 13)
#define FS_TRUNCATE  (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND     (UINT64_C(1) << 0)
#define NET_CONNECT  (UINT64_C(1) << 1)
#define SCOPE_UNIX   (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

/* Of a file that is no directory only these can be allowed. */
#define FS_OF_FILES                                                  \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
	    LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

/* The kernel's struct, as it is from version 6; an older one wants the rest to be 0. */
struct handled {
	uint64_t fs, net, scoped;
};

static const struct step {
	int version;
	struct handled adds;
	const char *what;
} steps[] = {
    {.version = 1, .adds.fs = FS_ALL_1, .what = "files"},
    {.version = 2, .adds.fs = FS_REFER, .what = "moves"},
    {.version = 3, .adds.fs = FS_TRUNCATE, .what = "truncation"},
    {.version = 4, .adds.net = NET_BIND | NET_CONNECT, .what = "TCP ports"},
    {.version = 5, .adds.fs = FS_IOCTL_DEV, .what = "control of devices"},
    {.version = 6,
	.adds.scoped = SCOPE_UNIX | SCOPE_SIGNAL,
	.what = "signals and abstract sockets"},
};

static const struct {
	unsigned may;
	uint64_t fs;
} rights[] = {
    {REACH_READ, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR},
    {REACH_WRITE, LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE},
    {REACH_RUN, LANDLOCK_ACCESS_FS_EXECUTE},
    {REACH_MAKE, LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
		     LANDLOCK_ACCESS_FS_REMOVE_FILE},
    {REACH_LINK, LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REMOVE_DIR},
};

/* 0 where there is none, or where somebody keeps it from us. */
static int
landlock_version(void)
{
	long n = syscall(
	    SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return n < 0 ? 0 : (int)n;
}

static void
add_lack(char lacks[REACH_LACKS], const char *what)
{
	size_t n = strlen(lacks);
	(void)snprintf(lacks + n, REACH_LACKS - n, "%s%s", n > 0 ? ", " : "", what);
}

static struct handled
handled_by(int version, char lacks[REACH_LACKS])
{
	struct handled h = {0};
	for (size_t i = 0; i < COUNT(steps); i++) {
		if (steps[i].version > version) {
			add_lack(lacks, steps[i].what);
			continue;
		}
		h.fs |= steps[i].adds.fs;
		h.net |= steps[i].adds.net;
		h.scoped |= steps[i].adds.scoped;
	}
	return h;
}

static int
allow(int set, uint64_t handled, int fd, unsigned may)
{
	struct landlock_path_beneath_attr rule = {.parent_fd = fd};
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(rights); i++)
		if ((may & rights[i].may) != 0)
			rule.allowed_access |= rights[i].fs;
	rule.allowed_access &= handled;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_FILES;
	return (int)syscall(
	    SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int
allow_path(int set, uint64_t handled, const struct reach_path *p, struct err *err)
{
	int fd = open(p->path, O_PATH | O_CLOEXEC);
	if (fd < 0) /* what cannot be opened now could not be opened later */
		return 0;
	int ret = allow(set, handled, fd, p->may);
	if (ret < 0)
		err_sys(err, "cannot keep %s in reach", p->path);
	fd_close(&fd);
	return ret;
}

static int
allow_all(int set, uint64_t handled, const struct reach_rules *rules, int own,
    struct err *err)
{
	if (own >= 0 && allow(set, handled, own, rules->in_own) < 0)
		return err_sys(err, "cannot keep the own directory in reach");
	for (unsigned i = 0; i < REACH_PATHS && rules->paths[i].path != NULL; i++)
		if (allow_path(set, handled, &rules->paths[i], err) < 0)
			return -1;
#ifdef NO_SECCOMP
	/* What looks for leaks at the end reads there. */
	static const struct reach_path tools = {"/proc", REACH_READ};
	return allow_path(set, handled, &tools, err);
#else
	return 0;
#endif
}

int
reach_enter(
    const struct reach_rules *rules, int own, char lacks[REACH_LACKS], struct err *err)
{
	lacks[0] = '\0';
#ifdef NO_LANDLOCK
	(void)rules, (void)own, (void)err, (void)handled_by, (void)landlock_version,
	    (void)allow_all;
	return 0;
#else
	int version = landlock_version();
	struct handled h = handled_by(version, lacks);
	if (version == 0)
		return 0;
	if ((rules->may & REACH_CONNECT) != 0)
		h.net &= ~NET_CONNECT;
	int set = (int)syscall(SYS_landlock_create_ruleset, &h, sizeof h, 0);
	if (set < 0)
		return err_sys(err, "cannot make a Landlock ruleset");
	int ret = fd_cloexec(set, 1);
	if (ret == 0)
		ret = allow_all(set, h.fs, rules, own, err);
	if (ret == 0 && syscall(SYS_landlock_restrict_self, set, 0) < 0)
		ret = err_sys(err, "cannot enter the Landlock ruleset");
	fd_close(&set);
	return ret;
#endif
}
