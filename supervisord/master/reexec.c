#include "master/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "master/birth.h"

/*
 * Another program in this one's place, with the workers as its children still.  The new
 * one first shows, as a process of its own, that it can read the state (--check-state);
 * if it dies later, before it serves, the keeper starts the program that did.
 */

/* The keeper's own log says more: it is the node's standard error. */
static const char *const stays[REEXEC_MAX] = {
    [REEXEC_SERVES] = "",
    [REEXEC_NO_PROGRAM] =
	"there is no new supervisord to be found; the old keeper stays",
    [REEXEC_SELF_TEST] =
	"the new supervisord fails its check (--self-test); the old keeper stays",
    [REEXEC_MEMORY] = "the keeper has no memory for what it holds; it stays",
    [REEXEC_EXEC] = "the new supervisord cannot be executed; the old keeper stays",
};

void
reexec_keeper_said(struct node *n, uint64_t what)
{
	if (n->keeper_ref == 0)
		return;
	if (what >= REEXEC_MAX)
		what = REEXEC_EXEC;
	control_reply(n, n->keeper_ref, what == REEXEC_SERVES ? AN_OK : AN_FAILED,
	    SLOT_NONE, stays[what], -1);
	n->keeper_ref = 0;
}

void
reexec_request(struct node *n, const struct msg_request *m)
{
	char path[DIRS_PATH];
	struct err err;
	struct role_io *r = &n->role[ROLE_MASTER];
	if (r->pid > 0 || n->keeper_ref != 0) {
		control_reply(
		    n, m->m.ref, AN_BUSY, SLOT_NONE, "a reexec is under way", -1);
		return;
	}
	if (m->m.value == 1) {
		n->keeper_ref = m->m.ref;
		keep_say(n, KEEP_REEXEC, 0);
		return;
	}
	char *argv[] = {(char[]){"supervisord-master"}, (char[]){"--check-state"},
	    (char[]){"--run"}, n->dirs.run, NULL};
	const int fds[5] = {-1, 2, 2, PLAN_GAP, PLAN_GAP};
	int32_t pid = 0;
	if (dirs_program("supervisord-master", path, sizeof path, &err) < 0 ||
	    spawn_program(n, path, argv, fds, &pid) < 0) {
		control_reply(n, m->m.ref, AN_FAILED, SLOT_NONE,
		    "the new program cannot be started", -1);
		return;
	}
	r->pid = pid;
	n->reexec_ref = m->m.ref;
	n->reexec_asked = 1;
}

static void
reexec_now(struct node *n)
{
	char path[DIRS_PATH], *argv[DIRS_ARGS];
	struct err err;
	if (dirs_program("supervisord-master", path, sizeof path, &err) < 0)
		return;
	dirs_master_args(&n->dirs, n->init, argv);
	keep_say(n, KEEP_MASTER, 0);
	(void)fd_cloexec(n->keep, 0);
	(void)fd_cloexec(n->lock_fd, 0);
	if (n->tee_fd >= 0)
		(void)dup2(n->tee_fd, 2);
	program_execute(path, argv);
	fatal("cannot execute %s: %s", path, strerrordesc_np(errno));
}

void
reexec_checked(struct node *n, int status)
{
	if (!n->reexec_asked)
		return;
	n->reexec_asked = 0;
	if (status != 0) {
		log_error("the new program cannot read the state: this one stays");
		control_reply(n, n->reexec_ref, AN_FAILED, SLOT_NONE,
		    "the new program fails its check (--check-state); the old one stays",
		    -1);
		return;
	}
	control_reply(n, n->reexec_ref, AN_OK, SLOT_NONE, "", -1);
	log_info("master %d puts a new program in its place", (int)getpid());
	reexec_now(n);
}
