/*
 * One module is put into the other's place while the worker runs; see lib/proto/swap.h for
 * the steps and worker.h for the rest.
 *
 *   SWAP_IDLE      nothing is going on
 *   SWAP_TRYING    the new module is loaded, a forked copy rehearses
 *   SWAP_READY     the answer was: it can be done
 *   SWAP_BETWEEN   nothing is handled; both modules are loaded, both states are there
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "worker/worker.h"

enum { REHEARSAL_S = 5 };

static int
is_up(const struct swap *x)
{
	return x->next.state_version > x->w->module.state_version;
}

/*
 * The state in the other module's version, by the module that knows both: the newer one.
 * A state of the same version is handed on as it is.
 */
static int
change(struct steward_worker *w, const struct module *from, const struct module *to,
    void *old, void **made, int rehearsal)
{
	int up = to->state_version > from->state_version;
	const struct steward_handler *by = up ? to->h : from->h;
	struct steward_change c = {
	    .direction = up ? STEWARD_UPGRADE : STEWARD_DOWNGRADE,
	    .old_version = from->state_version,
	    .new_version = to->state_version,
	    .extra = "",
	    .rehearsal = rehearsal};
	*made = old;
	if (to->state_version == from->state_version)
		return 0;
	if (by->code_change == NULL)
		return -1;
	*made = NULL;
	(void)snprintf(w->last, sizeof w->last, "code_change from %u to %u",
	    c.old_version, c.new_version);
	int r = by->code_change(w, &c, old, made);
	w->last[0] = '\0';
	return r == 0 && *made != NULL ? 0 : -1;
}

/* In the forked copy: there and back again.  The exit status is the answer. */
static NORETURN void
rehearse(struct swap *x, int out)
{
	struct steward_worker *w = x->w;
	void *there = NULL, *back = NULL;
	sigset_t none;
	(void)sigemptyset(&none);
	(void)signal(SIGALRM, SIG_DFL); /* whatever the module watches */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	w->rehearsing = 1;
	(void)alarm(REHEARSAL_S); /* one that hangs ends by SIGALRM */
	int ok = change(w, &w->module, &x->next, w->state, &there, 1) == 0 &&
		 change(w, &x->next, &w->module, there, &back, 1) == 0;
	if (ok)
		(void)!write(out, "k", 1);
	_exit(ok ? 0 : 1);
}

static void
drop_next(struct swap *x)
{
	module_unload(&x->next);
	x->stage = SWAP_IDLE;
}

static void
refuse(struct swap *x, const char *text)
{
	drop_next(x);
	link_say(x->w, SWAP_FAILED, x->txn, 0, text);
}

static void
rehearsal_words(int status, char *buf, size_t cap)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		(void)snprintf(buf, cap,
		    "the rehearsal of code_change hangs: no end after %d s",
		    REHEARSAL_S);
	else if (WIFSIGNALED(status))
		(void)snprintf(buf, cap, "the rehearsal of code_change died of SIG%s",
		    sigabbrev_np(WTERMSIG(status)));
	else
		(void)snprintf(buf, cap, "code_change refused in the rehearsal");
}

/* The copy has closed its pipe: it has ended, or is just about to. */
static void
on_rehearsal(struct ev_loop *loop, ev_io *io, int events)
{
	struct swap *x = io->data;
	char text[128], got = '\0';
	int status = 0;
	(void)events;
	ssize_t n = read(io->fd, &got, 1);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	ev_io_stop(loop, io);
	fd_close(&x->rehearsal_fd);
	while (waitpid(x->rehearsal_pid, &status, 0) < 0 && errno == EINTR)
		;
	x->rehearsal_pid = 0;
	if (got == 'k' && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		x->stage = SWAP_READY;
		link_say(x->w, SWAP_DONE, x->txn, 0, "");
		return;
	}
	rehearsal_words(status, text, sizeof text);
	refuse(x, text);
}

static void
rehearsal_start(struct swap *x)
{
	int pipe_fd[2];
	if (pipe2(pipe_fd, O_CLOEXEC) < 0) {
		refuse(x, "no pipe for the rehearsal");
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		rehearse(x, pipe_fd[1]);
	fd_close(&pipe_fd[1]);
	if (pid < 0) {
		fd_close(&pipe_fd[0]);
		refuse(x, "no process for the rehearsal");
		return;
	}
	x->stage = SWAP_TRYING;
	x->rehearsal_pid = pid;
	x->rehearsal_fd = pipe_fd[0];
	ev_io_init(&x->rehearsal_io, on_rehearsal, pipe_fd[0], EV_READ);
	x->rehearsal_io.data = x;
	ev_io_start(x->w->loop, &x->rehearsal_io);
}

void
swap_prepare(struct steward_worker *w, const struct swap_msg *m)
{
	struct swap *x = &w->swap;
	struct err err;
	if (x->stage != SWAP_IDLE)
		swap_undo(w);
	x->w = w;
	x->txn = m->txn;
	(void)snprintf(x->path, sizeof x->path, "%s", m->text);
	if (module_load(&x->next, m->text, &err) < 0) {
		refuse(x, err.msg);
		return;
	}
	const struct steward_handler *by = is_up(x) ? x->next.h : w->module.h;
	int same_state = x->next.state_version == w->module.state_version;
	if (strcmp(x->next.name, w->module.name) != 0) {
		refuse(x, "it is another module, not another version of this one");
	} else if (!same_state && by->code_change == NULL) {
		refuse(x,
		    "the versions of their states differ and the newer module has "
		    "no code_change");
	} else if (!same_state && m->value == 1) {
		rehearsal_start(x);
	} else {
		x->stage = SWAP_READY;
		link_say(w, SWAP_DONE, x->txn, 0, "");
	}
}

void
swap_change(struct steward_worker *w, const struct swap_msg *m)
{
	struct swap *x = &w->swap;
	if (x->stage != SWAP_READY || m->txn != x->txn) {
		link_say(w, SWAP_FAILED, m->txn, 0, "it is not prepared");
		return;
	}
	x->paused_ns = clock_ns(CLOCK_MONOTONIC);
	x->was_suspended = w->suspended;
	w->suspended = 1;
	if (change(w, &w->module, &x->next, w->state, &x->state, 0) < 0) {
		w->suspended = x->was_suspended;
		refuse(x, "code_change refused");
		return;
	}
	x->stage = SWAP_BETWEEN;
	link_say(w, SWAP_DONE, x->txn, 0, "");
}

/* Frees a state by the module that made it. */
static void
discard(const struct module *m, void *state)
{
	if (m->h->discard != NULL)
		m->h->discard(state, m->state_version);
}

static void
go_on(struct steward_worker *w)
{
	struct swap *x = &w->swap;
	x->pause_ns = clock_ns(CLOCK_MONOTONIC) - x->paused_ns;
	run_pause(w, x->was_suspended);
}

/* The old module's end comes after the pause, when all is answered again. */
void
swap_commit(struct steward_worker *w)
{
	struct swap *x = &w->swap;
	if (x->stage != SWAP_BETWEEN)
		return;
	struct module old = w->module;
	void *old_state = w->state;
	w->module = x->next;
	w->state = x->state;
	x->next = (struct module){0};
	x->stage = SWAP_IDLE;
	go_on(w);
	if (old_state != w->state)
		discard(&old, old_state);
	module_unload(&old);
	link_say(w, SWAP_DONE, x->txn, x->pause_ns, "");
}

void
swap_undo(struct steward_worker *w)
{
	struct swap *x = &w->swap;
	int between = x->stage == SWAP_BETWEEN;
	x->pause_ns = 0;
	if (x->stage == SWAP_TRYING) {
		ev_io_stop(w->loop, &x->rehearsal_io);
		fd_close(&x->rehearsal_fd);
		(void)kill(x->rehearsal_pid, SIGKILL);
		while (waitpid(x->rehearsal_pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	x->stage = SWAP_IDLE;
	if (between)
		go_on(w);
	if (between && x->state != w->state)
		discard(&x->next, x->state);
	drop_next(x);
}

/* A new master says which module is in force. */
void
swap_decide(struct steward_worker *w, const char *path)
{
	struct swap *x = &w->swap;
	if (x->stage == SWAP_BETWEEN && strcmp(path, x->path) == 0)
		swap_commit(w);
	else if (x->stage != SWAP_IDLE)
		swap_undo(w);
}
