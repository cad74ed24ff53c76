#include "master/node.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/fd.h"

/*
 * Deaths.  A child is looked at with WNOWAIT, its end is decided and committed, and only
 * then it is reaped: if the master is killed in between, the zombie and its status go to
 * the keeper and to the next master.
 */

enum { PIDS_CAP = SLOT_MAX * 2 }; /* a power of two, never more than half full */

/* pid_slot[h]: 0 free, else slot + 1.  The pid itself stands in the slot's io. */
static uint32_t
pid_hash(int32_t pid)
{
	return (uint32_t)pid * 2654435761U >> 16 & (PIDS_CAP - 1);
}

struct pid_place {
	int32_t pid;
	uint32_t slot;
};
static struct pid_place places[PIDS_CAP];

static uint32_t
pid_place_of(int32_t pid)
{
	uint32_t h = pid_hash(pid);
	while (places[h].pid != 0 && places[h].pid != pid)
		h = (h + 1) & (PIDS_CAP - 1);
	return h;
}

void
pid_learn(struct node *n, int32_t pid, uint32_t slot)
{
	(void)n;
	places[pid_place_of(pid)] = (struct pid_place){.pid = pid, .slot = slot};
}

/* Removal from a linear-probing table: those behind it move up. */
void
pid_forget(struct node *n, int32_t pid)
{
	(void)n;
	uint32_t h = pid_place_of(pid);
	if (places[h].pid != pid)
		return;
	for (uint32_t k = (h + 1) & (PIDS_CAP - 1); places[k].pid != 0;
	     k = (k + 1) & (PIDS_CAP - 1)) {
		uint32_t home = pid_hash(places[k].pid);
		if (((k - home) & (PIDS_CAP - 1)) < ((k - h) & (PIDS_CAP - 1)))
			continue;
		places[h] = places[k];
		h = k;
	}
	places[h] = (struct pid_place){0};
}

uint32_t
pid_find(const struct node *n, int32_t pid)
{
	(void)n;
	const struct pid_place *p = &places[pid_place_of(pid)];
	return p->pid == pid && pid != 0 ? p->slot : (uint32_t)SLOT_NONE;
}

struct reason
reason_of_status(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return (struct reason){.type = RE_NORMAL};
	if (WIFEXITED(status))
		return (struct reason){.type = RE_EXIT, .code = WEXITSTATUS(status)};
	if (WIFSIGNALED(status))
		return (struct reason){.type = RE_SIGNAL,
		    .code = WTERMSIG(status),
		    .core = WCOREDUMP(status) != 0};
	return (struct reason){.type = RE_UNKNOWN};
}

static void
slot_forgets_process(struct node *n, uint32_t slot)
{
	struct slot_io *io = &n->io[slot];
	if (io->pidfd >= 0 && ev_is_active(&n->pidfd_io[slot]))
		ev_io_stop(n->loop, &n->pidfd_io[slot]);
	link_close(n, slot);
	fd_close(&io->pidfd);
	fd_close(&io->ready_read);
}

/* The end of a slot's process, decided but not carried out. */
static void
slot_ended(struct node *n, uint32_t slot, int32_t pid, struct reason re)
{
	births_of(n, slot);
	struct slot *s = slot_at(n, slot);
	pid_forget(n, pid);
	if (s->pid != pid)
		return; /* MAINPID named another one since */
	if (re.type == RE_SIGNAL && re.code == SIGKILL && cgroup_oom_kills(n, slot))
		re = (struct reason){.type = RE_OOM};
	slot_forgets_process(n, slot);
	feed_reason(n, IN_EXITED, slot, s->gen, re);
}

/* The status of a process that was not our own child. */
void
worker_gone(struct node *n, uint32_t slot, int status)
{
	struct reason unknown = {.type = RE_UNKNOWN};
	slot_ended(n, slot, slot_at(n, slot)->pid,
	    status < 0 ? unknown : reason_of_status(status));
}

static int
status_of_info(const siginfo_t *si)
{
	if (si->si_code == CLD_EXITED)
		return W_EXITCODE(si->si_status, 0);
	return W_EXITCODE(0, si->si_status) |
	       (si->si_code == CLD_DUMPED ? WCOREFLAG : 0);
}

void
reap_all(struct node *n)
{
	siginfo_t si = {0};
	while (
	    waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid != 0) {
		pid_t pid = si.si_pid;
		int status = status_of_info(&si);
		uint32_t slot = pid_find(n, pid);
		int role = role_of_pid(n, pid);
		n->performing++; /* decide and commit first … */
		if (slot != SLOT_NONE)
			slot_ended(n, slot, pid, reason_of_status(status));
		n->performing--;
		feed_decide(n);
		(void)waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG); /* then reap */
		perform(n);
		if (role >= 0)
			role_exited(n, (enum role)role, status);
		si.si_pid = 0;
	}
}

static void
on_sigchld(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	clock_read(w->data);
	reap_all(w->data);
}

void
reap_init(struct node *n)
{
	ev_signal_init(&n->sigchld, on_sigchld, SIGCHLD);
	n->sigchld.data = n;
	ev_signal_start(n->loop, &n->sigchld);
}
