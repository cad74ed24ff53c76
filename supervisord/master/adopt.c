#include "master/node.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * What the master before has left: the state is recovered (tree_recover), then each
 * recorded process is looked at.  One that lives, with the start time recorded, is kept;
 * of a dead one the keeper knows the status, or nobody does.
 */

enum { EARLY_MAX = 8192, BORN_SLACK = 3 };

/*
 * Statuses that came before the tree could take them.  The keeper keeps them, too, until
 * they are in the state: a master may be killed while it adopts.
 */
static struct {
	pid_t pid;
	int status;
} early[EARLY_MAX];

static unsigned nearly;
static uint64_t early_n; /* the newest of them by the keeper's count */
static int adopting, synced;

struct process_facts {
	char state; /* of /proc/PID/stat, 0: no such process */
	pid_t ppid;
	uint64_t born; /* clock ticks since boot */
};

static void
process_look(pid_t pid, struct process_facts *f)
{
	char path[64], text[1024];
	*f = (struct process_facts){0};
	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (fd_read_file(AT_FDCWD, path, text, sizeof text) <= 0)
		return;
	char *p = strrchr(text, ')'); /* the name may hold anything */
	if (p == NULL || p[1] != ' ')
		return;
	p += 2;
	f->state = *p;
	f->ppid = (pid_t)strtol(p + 1, NULL, 10);
	for (int field = 3; field < 22 && p != NULL; field++)
		p = strchr(p + 1, ' ');
	f->born = p != NULL ? strtoull(p, NULL, 10) : 0;
}

uint64_t
process_born(pid_t pid)
{
	struct process_facts f;
	process_look(pid, &f);
	return f.state == 'Z' ? 0 : f.born;
}

static int
is_the_same(const struct node *n, const struct slot *s, const struct process_facts *f)
{
	if (f->state == 0)
		return 0;
	if (s->born == 0) /* killed between clone and the note of the time */
		return f->ppid == n->keeper || f->ppid == getpid() ||
		       getsid(s->pid) == s->pid;
	uint64_t apart = f->born > s->born ? f->born - s->born : s->born - f->born;
	return apart <= BORN_SLACK;
}

static void
on_pidfd(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct node *n = w->data;
	clock_read(n);
	worker_gone(n, (uint32_t)(w - n->pidfd_io), -1);
}

/* Keeps a living one: by pidfd, with its start time looked at again behind it. */
static int
keep_process(struct node *n, uint32_t slot, struct process_facts *f)
{
	struct slot *s = slot_at(n, slot);
	int pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	if (pidfd < 0)
		return -1;
	process_look(s->pid, f);
	if (!is_the_same(n, s, f)) {
		fd_close(&pidfd);
		return -1;
	}
	s->born = f->born;
	n->io[slot].session = s->pid;
	pid_learn(n, s->pid, slot);
	if (f->ppid == getpid()) { /* the master before was this very process */
		fd_close(&pidfd);
		return 0;
	}
	s->flags |= SF_ADOPTED;
	n->io[slot].pidfd = pidfd;
	if (f->ppid != n->keeper) { /* its end will be known, its status not */
		ev_io_init(&n->pidfd_io[slot], on_pidfd, pidfd, EV_READ);
		n->pidfd_io[slot].data = n;
		ev_io_start(n->loop, &n->pidfd_io[slot]);
	}
	return 0;
}

/* A main process that the worker named itself: not our child, perhaps the keeper's. */
void
watch_foreign(struct node *n, uint32_t slot)
{
	struct slot_io *io = &n->io[slot];
	struct process_facts f;
	if (io->pidfd >= 0)
		ev_io_stop(n->loop, &n->pidfd_io[slot]);
	fd_close(&io->pidfd);
	pid_t session = io->session;
	(void)keep_process(n, slot, &f);
	io->session = session;
}

/* The newest status the keeper told of this pid; -1 if none. */
static int
early_status(pid_t pid)
{
	for (unsigned i = nearly; i-- > 0;)
		if (early[i].pid == pid)
			return early[i].status;
	return -1;
}

/* 1 if its process was kept, 0 if its end is known now. */
static int
adopt_worker(struct node *n, uint32_t slot)
{
	struct slot *s = slot_at(n, slot);
	struct process_facts f;
	process_look(s->pid, &f);
	int zombie = f.state == 'Z' && (f.ppid == n->keeper || f.ppid == getpid());
	if (is_the_same(n, s, &f) && f.state != 'Z' && keep_process(n, slot, &f) == 0) {
		if (s->phase == PH_SPAWNING)
			feed_slot(n, IN_EXECED, slot, s->gen);
		(void)notify_need(n, slot); /* anew, if the keeper died, too */
		return 1;
	}
	pid_learn(n, s->pid, slot);
	n->io[slot].session = s->pid;
	int status = early_status(s->pid);
	if (zombie && status < 0)
		return 0; /* the keeper is about to tell, or SIGCHLD is */
	if (status < 0 && !synced) {
		keep_sync(n); /* the keeper may have reaped it just now */
		synced = 1;
		status = early_status(s->pid);
	}
	worker_gone(n, slot, status);
	return 0;
}

static void
adopt_cgroups(struct node *n)
{
	if (n->cgroup_root < 0)
		return;
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++)
		if (n->st->slot[i].kind == SLOT_WORKER && n->st->slot[i].starts > 0) {
			n->io[i].cgroup = 0;
			n->io[i].cgroup_used = 1;
		}
}

static void
take_status(struct node *n, pid_t pid, int status)
{
	uint32_t slot = pid_find(n, pid);
	int role = role_of_pid(n, pid);
	if (slot != SLOT_NONE)
		worker_gone(n, slot, status);
	else if (role >= 0)
		role_exited(n, (enum role)role, status);
}

/* Whose the pipe is that the keeper holds for a slot which is another's now. */
static const char *
id_before(const struct node *n, uint32_t slot)
{
	uint64_t k = n->st->head.event_n;
	for (unsigned i = 0; i < EVENT_RING && k > 0; i++, k--) {
		const struct event *ev = &n->st->event[k % EVENT_RING];
		if (ev->n == k && ev->slot == slot && ev->type == EV_CHILD_REMOVED)
			return ev->id;
	}
	return "gone";
}

/*
 * A master that was killed between the step that freed a slot and ACT_REMOVED left its
 * descriptors with the keeper; the slot may be another's by now.  A pipe belongs to the
 * slot that has its inode.
 */
static void
drop_what_is_left(struct node *n)
{
	for (uint32_t i = ROOT + 1; i < n->st->head.core.slots_used; i++) {
		const struct slot *s = slot_at(n, i);
		const struct slot_io *io = &n->io[i];
		struct stat sb;
		int other = s->kind != SLOT_WORKER ||
			    (io->log_read >= 0 && (fstat(io->log_read, &sb) < 0 ||
						      sb.st_ino != s->log_ino));
		if (other &&
		    (io->log_read >= 0 || io->log_write >= 0 || io->notify >= 0))
			slot_fds_drop(n, i, id_before(n, i));
	}
}

void
adopt(struct node *n)
{
	uint32_t kept = 0;
	tree_recover(&n->tree);
	drop_what_is_left(n);
	adopt_cgroups(n);
	adopting = 1;
	n->performing++; /* first all facts, then all actions */
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++) {
		const struct slot *s = slot_at(n, i);
		if (s->kind == SLOT_WORKER && s->pid > 0 && adopt_worker(n, i)) {
			adopt_fds(n, i);
			kept++;
		}
	}
	for (unsigned i = 0; i < nearly; i++) /* of those kept a moment ago */
		take_status(n, early[i].pid, early[i].status);
	feed_decide(n);
	n->performing--;
	nearly = 0;
	adopting = 0;
	if (early_n > 0)
		keep_say(n, KEEP_ACK, early_n);
	event_role(n, EV_NODE_ADOPTED, ROLE_MASTER, (struct reason){.code = (int)kept});
	log_info("master %d follows another: %u processes kept", (int)getpid(), kept);
	perform(n);
	reap_all(n);
}

/* The keeper reaped a process that had been ours, or an orphan's orphan. */
void
adopt_status(struct node *n, const struct keep_key *told)
{
	pid_t pid = (pid_t)(told->value >> 32);
	int status = (int)(uint32_t)told->value;
	if (n->tree.st == NULL || n->st->head.master_pid != getpid() || adopting) {
		early_n = told->number;
		if (nearly == EARLY_MAX)
			return;
		early[nearly].pid = pid;
		early[nearly++].status = status;
		return;
	}
	take_status(n, pid, status);
	keep_say(n, KEEP_ACK, told->number);
}
