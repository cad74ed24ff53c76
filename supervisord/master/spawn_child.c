#include "master/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "master/raw.h"

/*
 * The child's side.  It shares the master's memory until exec: raw system calls only, no
 * library, no write outside of its own plan.
 */

static __attribute__((noreturn)) void
child_die(const struct plan *p, enum spawn_stage stage, long error)
{
	struct birth_report r = {.stage = (uint32_t)stage, .error = (int32_t)-error};
	(void)raw(SYS_write, p->report, &r, sizeof r, 0);
	for (;;)
		(void)raw(SYS_exit_group, 127, 0, 0, 0);
}

static void
check(const struct plan *p, enum spawn_stage stage, long ret)
{
	if (ret < 0)
		child_die(p, stage, ret);
}

static void
child_rlimits(const struct plan *p)
{
	const struct row_exec *x = p->exec;
	const uint32_t *w = p->rows->word + x->rlimits;
	for (uint32_t i = 0; i < x->nrlimits; i++, w += 5) {
		struct rlimit rl = {.rlim_cur = (rlim_t)w[2] << 32 | w[1],
		    .rlim_max = (rlim_t)w[4] << 32 | w[3]};
		check(p, ST_RLIMIT, raw(SYS_prlimit64, 0, w[0], &rl, 0));
	}
}

static void
child_oom(const struct plan *p)
{
	char text[8];
	int n = 0, v = p->exec->oom_score_adj, fd;
	if (v < 0)
		text[n++] = '-';
	unsigned u = v < 0 ? (unsigned)-v : (unsigned)v;
	for (unsigned d = 1000; d > 0; d /= 10)
		if (u >= d || d == 1) /* a leading 0 would make it octal */
			text[n++] = (char)('0' + u / d % 10);
	fd = (int)raw(
	    SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
	check(p, ST_OOM, fd);
	check(p, ST_OOM, raw(SYS_write, fd, text, n, 0));
	(void)raw(SYS_close, fd, 0, 0, 0);
}

static void
child_ids(const struct plan *p)
{
	const struct row_exec *x = p->exec;
	if ((x->flags & EXECF_USER) == 0 || !p->sets_uid)
		return;
	check(p, ST_GROUPS,
	    raw(SYS_setgroups, x->ngroups, p->rows->word + x->groups, 0, 0));
	check(p, ST_GID, raw(SYS_setresgid, x->gid, x->gid, x->gid, 0));
	if (x->caps_ambient != 0)
		check(p, ST_CAPS, raw(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0));
	check(p, ST_UID, raw(SYS_setresuid, x->uid, x->uid, x->uid, 0));
	if (raw(SYS_getuid, 0, 0, 0, 0) != (long)x->uid ||
	    raw(SYS_geteuid, 0, 0, 0, 0) != (long)x->uid)
		child_die(p, ST_UID, -EPERM);
}

static void
child_bounding(const struct plan *p)
{
	for (unsigned c = 0; c < 64; c++) {
		if ((p->exec->caps_bounding >> c & 1) != 0)
			continue;
		long ret = raw(SYS_prctl, PR_CAPBSET_DROP, c, 0, 0);
		if (ret == -EINVAL)
			return; /* the kernel knows no more */
		check(p, ST_CAPS, ret);
	}
}

static void
child_ambient(const struct plan *p)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];
	uint64_t want = p->exec->caps_ambient;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t half = (uint32_t)(want >> (32 * i));
		d[i].effective = d[i].permitted = d[i].inheritable = half;
	}
	check(p, ST_CAPS, raw(SYS_capset, &h, d, 0, 0));
	for (unsigned c = 0; c < 64; c++)
		if ((want >> c & 1) != 0)
			check(p, ST_CAPS,
			    raw6(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE,
				(long)c, 0, 0, 0));
}

static void
child_attributes(const struct plan *p)
{
	const struct row_exec *x = p->exec;
	child_rlimits(p);
	if ((x->flags & EXECF_NICE) != 0)
		check(p, ST_NICE, raw(SYS_setpriority, PRIO_PROCESS, 0, x->nice, 0));
	if (x->naffinity > 0)
		check(p, ST_AFFINITY,
		    raw(SYS_sched_setaffinity, 0, x->naffinity * 4,
			p->rows->word + x->affinity, 0));
	if ((x->flags & EXECF_OOM) != 0)
		child_oom(p);
	if ((x->flags & EXECF_UMASK) != 0)
		(void)raw(SYS_umask, x->umask, 0, 0, 0);
	if ((x->flags & EXECF_CAPS) != 0)
		child_bounding(p); /* needs the rights it is about to drop */
	child_ids(p);
	if ((x->flags & EXECF_CAPS) != 0)
		child_ambient(p);
	if ((x->flags & EXECF_NO_NEW_PRIVS) != 0)
		check(p, ST_NO_NEW_PRIVS,
		    raw6(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0));
}

/*
 * Descriptors by plan.  All are first moved out of the way, so that no target overwrites
 * a source; what is left is close-on-exec by birth, and closed here to be sure.
 */
static void
child_fds(struct plan *p)
{
	int base = (int)p->nfds + 1;
	long report = raw(SYS_fcntl, p->report, F_DUPFD_CLOEXEC, base, 0);
	check(p, ST_FDS, report);
	p->report = (int)report;
	for (unsigned i = 0; i < p->nfds; i++) {
		if (p->fd[i] == PLAN_GAP)
			continue;
		long fd =
		    p->fd[i] >= 0
			? raw(SYS_fcntl, p->fd[i], F_DUPFD_CLOEXEC, base, 0)
			: raw(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
		check(p, ST_FDS, fd);
		if (fd < base) {
			long up = raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, base, 0);
			(void)raw(SYS_close, fd, 0, 0, 0);
			check(p, ST_FDS, up);
			fd = up;
		}
		p->fd[i] = (int)fd;
	}
	for (unsigned i = 0; i < p->nfds; i++)
		if (p->fd[i] == PLAN_GAP)
			(void)raw(SYS_close, i, 0, 0, 0);
		else
			check(p, ST_FDS, raw(SYS_dup3, p->fd[i], i, 0, 0));
	(void)raw(SYS_close_range, p->nfds, (unsigned)p->report - 1, 0, 0);
	(void)raw(SYS_close_range, (unsigned)p->report + 1, ~0U, 0, 0);
}

static void
child_digits(char *at, long pid)
{
	char digits[12];
	int n = 0;
	if (at == NULL)
		return;
	for (long v = pid; v > 0; v /= 10)
		digits[n++] = (char)('0' + v % 10);
	for (int i = 0; i < n; i++)
		at[i] = digits[n - 1 - i];
	at[n] = '\0';
}

/*
 * Handlers are cleared by CLONE_CLEAR_SIGHAND, or by exec; SIGPIPE, which the master
 * ignores, is the worker's own again.  All signals were blocked around the clone.
 */
static void
child_signals(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} dfl = {0};

	unsigned long none = 0;
#ifdef PLAIN_FORK
	for (int s = 1; s < 32; s++)
		if (s != SIGKILL && s != SIGSTOP)
			(void)raw(SYS_rt_sigaction, s, &dfl, 0, 8);
#else
	(void)raw(SYS_rt_sigaction, SIGPIPE, &dfl, 0, 8);
#endif
	(void)raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
}

int
child_main(void *arg)
{
	struct plan *p = arg;
	long pid = raw(SYS_getpid, 0, 0, 0, 0);
	if (p->pid_place != NULL)
		*p->pid_place = (int32_t)pid;
	check(p, ST_SESSION, raw(SYS_setsid, 0, 0, 0, 0));
	if (p->cgroup_procs >= 0)
		check(p, ST_CGROUP, raw(SYS_write, p->cgroup_procs, "0", 1, 0));
	child_digits(p->listen_pid, pid);
	child_digits(p->watchdog_pid, pid);
	child_fds(p);
	if (p->exec != NULL)
		child_attributes(p);
	check(p, ST_CWD, raw(SYS_chdir, p->cwd, 0, 0, 0));
	child_signals();
	child_die(p, ST_EXEC, raw(SYS_execve, p->program, p->argv, p->envp, 0));
}
