#include "confine/fence.h"

#include <errno.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/* What the first Landlock knows, that of Linux 5.13; the target's kernel has it. */
#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITING                                                           \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define NEVER                                                              \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |       \
	    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	    LANDLOCK_ACCESS_FS_MAKE_SOCK)

#ifdef PLAIN_FORK /* sanitizers and valgrind read /proc when the process ends */

int
fence_files(const struct fence_rule *rules, size_t n, struct err *err)
{
	(void)rules;
	(void)n;
	(void)err;
	return 0;
}

#else

static int
add_rules(int set, const struct fence_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct landlock_path_beneath_attr rule = {
		    .allowed_access = READING | (rules[i].may_write ? WRITING : 0),
		    .parent_fd = rules[i].dirfd};
		if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH,
			&rule, 0) < 0)
			return -1;
	}
	return 0;
}

int
fence_files(const struct fence_rule *rules, size_t n, struct err *err)
{
	const struct landlock_ruleset_attr all = {
	    .handled_access_fs = READING | WRITING | NEVER};
	int set = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	if (set < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	int rc = 0;
	if (set < 0 || add_rules(set, rules, n) < 0 ||
	    syscall(SYS_landlock_restrict_self, set, 0) < 0)
		rc = err_sys(err, "cannot fence this process in");
	fd_close(&set);
	return rc;
}

#endif
