#include "master/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * Every signal the node sends.  A process of ours is told by number only while nobody
 * else can have reaped it (it is our child); an adopted one by its pidfd.
 *
 * What is left of a process tree: with a cgroup, what is in it.  Without, its session,
 * and the orphans that the keeper, as subreaper, has inherited and that carry the
 * incarnation's name in their environment.
 */

enum { SWEEP_FIRST_MS = 2, SWEEP_MS = 20, CHILDREN_MAX = 65536 };

static int
send_to(struct node *n, uint32_t slot, int sig)
{
	int pidfd = n->io[slot].pidfd;
	if (pidfd >= 0)
		return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
	return kill(slot_at(n, slot)->pid, sig);
}

void
kill_main(struct node *n, uint32_t slot, int sig)
{
	const struct slot *s = slot_at(n, slot);
	if (s->pid <= 0)
		return;
	if (send_to(n, slot, sig) < 0 && errno != ESRCH)
		log_warn("worker in slot %u gen %u: signal %d was refused: %s", slot,
		    s->gen, sig, strerrordesc_np(errno));
	if (sig == SIGTERM || sig == SIGABRT)
		(void)send_to(n, slot, SIGCONT); /* a stopped one must hear it, too */
}

void
kill_role(struct node *n, pid_t pid, int sig)
{
	(void)n;
	if (pid > 0)
		(void)kill(pid, sig);
}

/* --- what is left, without cgroups --------------------------------------------------- */

static ssize_t
children_of(pid_t pid, char *buf, size_t cap)
{
	char path[64];
	(void)snprintf(
	    path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	return fd_read_file(AT_FDCWD, path, buf, cap);
}

/* The name of an incarnation stands in the environment of all it left behind. */
static int
carries_name(pid_t pid, const char *mark, size_t mark_len)
{
	static char env[131072];
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	ssize_t n = fd_read_file(AT_FDCWD, path, env, sizeof env);
	return n > 0 && memmem(env, (size_t)n, mark, mark_len) != NULL;
}

static void
kill_below(pid_t pid, unsigned depth)
{
	char list[4096];
	(void)kill(pid, SIGSTOP); /* it must not fork while we look */
	if (depth < 16 && children_of(pid, list, sizeof list) > 0)
		for (char *p = list, *end; *p != '\0'; p = end) {
			long child = strtol(p, &end, 10);
			if (end == p)
				break;
			kill_below((pid_t)child, depth + 1);
		}
	(void)kill(pid, SIGKILL);
}

static unsigned
kill_orphans(struct node *n, uint32_t slot)
{
	static char list[CHILDREN_MAX];
	char mark[ROW_ID_MAX + 16], id[ROW_ID_MAX];
	unsigned found = 0;
	const struct slot *s = slot_at(n, slot);
	const struct rows *r =
	    (s->flags & SF_OLD_ROW) != 0 ? n->tree.old : n->tree.rows;
	if (children_of(n->keeper, list, sizeof list) <= 0)
		return 0;
	slot_id(r, s, id);
	int len = snprintf(mark, sizeof mark, "STEWARD_ID=%s", id);
	for (char *p = list, *end; *p != '\0'; p = end) {
		pid_t pid = (pid_t)strtol(p, &end, 10);
		if (end == p)
			break;
		if (pid == getpid() || pid_find(n, pid) != SLOT_NONE ||
		    role_of_pid(n, pid) >= 0)
			continue;
		if (getsid(pid) != n->io[slot].session &&
		    !carries_name(pid, mark, (size_t)len + 1))
			continue;
		kill_below(pid, 0);
		found++;
	}
	return found;
}

/* A process of this group that is no zombie; looks at all there are. */
static int
group_lives(pid_t group)
{
	char path[300], text[512];
	int lives = 0;
	DIR *dir = opendir("/proc");
	for (struct dirent *e; dir != NULL && !lives && (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		(void)snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
		if (fd_read_file(AT_FDCWD, path, text, sizeof text) <= 0)
			continue;
		char *p = strrchr(text, ')'); /* ") S PPID PGRP" */
		if (p == NULL || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X')
			continue;
		(void)strtol(p + 3, &p, 10);
		lives = strtol(p, NULL, 10) == group;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return lives;
}

/*
 * 1 if there was somebody to kill.  A dead leader that nobody reaps, its new parent being
 * careless, can be signalled for ever; then it takes a closer look.
 */
static unsigned
kill_group(pid_t group)
{
	char path[64];
	if (group <= 1 || kill(-group, SIGKILL) < 0)
		return 0;
	(void)snprintf(path, sizeof path, "/proc/%d", (int)group);
	int zombie = process_born(group) == 0 && access(path, F_OK) == 0;
	return !zombie || group_lives(group);
}

static unsigned
kill_rest_plain(struct node *n, uint32_t slot)
{
	unsigned found = kill_group(n->io[slot].session);
	return found + kill_orphans(n, slot);
}

/* Kills what is left beside the main process; how many it saw (or 1 for some). */
static unsigned
kill_rest(struct node *n, uint32_t slot)
{
	if (n->io[slot].cgroup >= 0) {
		if (!cgroup_populated(n, slot))
			return 0;
		(void)cgroup_kill(n, slot);
		return 1;
	}
	return kill_rest_plain(n, slot);
}

void
kill_tree(struct node *n, uint32_t slot)
{
	const struct slot *s = slot_at(n, slot);
	if (n->io[slot].cgroup >= 0 && cgroup_kill(n, slot) == 0)
		return;
	if (s->pid > 0) {
		if (n->io[slot].pidfd < 0)
			kill_below(s->pid, 0);
		(void)send_to(n, slot, SIGKILL);
	}
	(void)kill_rest(n, slot);
}

/* Keeper and master died together, their workers went to somebody else. */
static unsigned
kill_elsewhere(const char *run)
{
	char mark[DIRS_PATH + 16];
	unsigned killed = 0;
	int len = snprintf(mark, sizeof mark, "STEWARD_RUN=%s", run);
	DIR *proc = opendir("/proc");
	for (struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
		if (pid <= 1 || pid == getpid() ||
		    !carries_name(pid, mark, (size_t)len + 1))
			continue;
		kill_below(pid, 0);
		killed++;
	}
	if (proc != NULL)
		(void)closedir(proc);
	return killed;
}

/* The node starts anew over a state it cannot follow: nothing may run twice. */
void
kill_strays(struct node *n)
{
	static char list[CHILDREN_MAX];
	static const char mark[] = "STEWARD_ID=";
	unsigned killed = 0;
	cgroup_kill_all(n);
	list[0] = '\0';
	(void)children_of(n->keeper, list, sizeof list);
	for (char *p = list, *end; *p != '\0'; p = end) {
		pid_t pid = (pid_t)strtol(p, &end, 10);
		if (end == p)
			break;
		if (pid == getpid() || !carries_name(pid, mark, sizeof mark - 1))
			continue;
		kill_below(pid, 0);
		killed++;
	}
	killed += kill_elsewhere(n->dirs.run);
	if (killed > 0)
		log_warn("%u processes of the life before were killed", killed);
}

/* --- sweeping ------------------------------------------------------------------------ */

static void
sweep_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct node *n = w->data;
	unsigned keep = 0, total = n->nsweeping;
	clock_read(n);
	for (unsigned i = 0; i < total; i++) {
		uint32_t slot = n->sweeping[i];
		const struct slot *s = slot_at(n, slot);
		if (s->kind != SLOT_WORKER || s->phase != PH_SWEEP)
			continue;
		if (kill_rest(n, slot) > 0) {
			n->sweeping[keep++] = slot;
			continue;
		}
		n->performing++; /* the step comes when this list is whole again */
		feed_slot(n, IN_SWEPT, slot, s->gen);
		n->performing--;
	}
	memmove(n->sweeping + keep, n->sweeping + total,
	    (n->nsweeping - total) * sizeof *n->sweeping);
	n->nsweeping = keep + (n->nsweeping - total);
	if (n->nsweeping > 0) {
		ev_timer_set(w, SWEEP_MS / 1000.0, 0.);
		ev_timer_start(n->loop, w);
	}
	perform(n);
}

void
sweep_init(struct node *n)
{
	ev_timer_init(&n->sweep, sweep_turn, SWEEP_FIRST_MS / 1000.0, 0.);
	n->sweep.data = n;
}

void
sweep_start(struct node *n, uint32_t slot)
{
	if (kill_rest(n, slot) == 0) {
		feed_slot(n, IN_SWEPT, slot, slot_at(n, slot)->gen);
		return;
	}
	n->sweeping[n->nsweeping++] = slot;
	if (!ev_is_active(&n->sweep)) {
		ev_timer_set(&n->sweep, SWEEP_FIRST_MS / 1000.0, 0.);
		ev_timer_start(n->loop, &n->sweep);
	}
}
