#include "logger/squeeze.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/run.h"

static const char *const zstd_argv[] = {"/usr/bin/zstd", "-q", "-c", NULL};
static const char *const sync_argv[] = {"/bin/sync", "/proc/self/fd/0", NULL};

static int
open_in(const struct squeeze *sq, const char *name, int flags)
{
	return openat(sq->names.dir, name,
	    flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0640);
}

/* The job is over, with or without success. */
static void
finish(struct squeeze *sq)
{
	fd_close(&sq->tmp);
	names_clean(&sq->names);
	names_close(&sq->names);
	sq->stage = SQUEEZE_NONE;
	sq->pid = 0;
}

/* The sink at the head is done with; a later rotation puts it on the list again. */
static void
forget_head(struct squeeze *sq)
{
	struct sink *s = TAILQ_FIRST(&sq->sinks->pack);
	if (s == NULL)
		return;
	TAILQ_REMOVE(&sq->sinks->pack, s, pack);
	s->flags &= ~(unsigned)SINK_PACK;
}

static void
give_up(struct squeeze *sq, const char *why)
{
	struct sink *s = TAILQ_FIRST(&sq->sinks->pack);
	log_warn("worker %s: cannot compress an old log: %s; it stays as it is", sq->id,
	    why);
	if (s != NULL && strcmp(s->id, sq->id) == 0)
		forget_head(sq);
	finish(sq);
}

static int
start(struct squeeze *sq, const char *const argv[], const int fds[3],
    enum squeeze_stage stage)
{
	struct err err;
	if (run_start(argv, fds, &sq->pid, &err) < 0) {
		give_up(sq, err.msg);
		sq->broken = 1;
		return -1;
	}
	(void)setpriority(PRIO_PROCESS, (id_t)sq->pid, 19);
	sq->stage = stage;
	return 0;
}

static void
start_zstd(struct squeeze *sq)
{
	char plain[NAME_CAP], tmp[NAME_CAP];
	names_old(&sq->names, sq->number, 0, plain);
	names_tmp(&sq->names, tmp);
	names_clean(&sq->names);
	int in = open_in(sq, plain, O_RDONLY);
	sq->tmp = open_in(sq, tmp, O_WRONLY | O_CREAT | O_EXCL);
	if (in < 0 || sq->tmp < 0) {
		give_up(sq, strerrordesc_np(errno));
	} else {
		const int fds[3] = {in, sq->tmp, 2};
		(void)start(sq, zstd_argv, fds, SQUEEZE_ZSTD);
	}
	fd_close(&in);
}

static void
start_sync(struct squeeze *sq)
{
	const int fds[3] = {sq->tmp, 2, 2};
	(void)start(sq, sync_argv, fds, SQUEEZE_SYNC);
}

/* The compressed file is whole and on the disk: now its name, then the plain one goes. */
static void
give_name(struct squeeze *sq)
{
	char plain[NAME_CAP], zst[NAME_CAP], tmp[NAME_CAP];
	if (sq->number > sq->keep) { /* it was rotated away meanwhile */
		finish(sq);
		return;
	}
	names_old(&sq->names, sq->number, 0, plain);
	names_old(&sq->names, sq->number, 1, zst);
	names_tmp(&sq->names, tmp);
	if (renameat(sq->names.dir, tmp, sq->names.dir, zst) < 0 ||
	    unlinkat(sq->names.dir, plain, 0) < 0) {
		give_up(sq, strerrordesc_np(errno));
		return;
	}
	finish(sq);
}

static void
on_child(struct ev_loop *loop, ev_signal *w, int events)
{
	struct squeeze *sq = w->data;
	int status;
	(void)loop;
	(void)events;
	if (sq->pid == 0 || waitpid(sq->pid, &status, WNOHANG) != sq->pid)
		return;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		give_up(sq, sq->stage == SQUEEZE_ZSTD ? "zstd failed" : "sync failed");
	else if (sq->stage == SQUEEZE_ZSTD)
		start_sync(sq);
	else
		give_name(sq);
	squeeze_next(sq);
}

/* A rotation moved the plain file on by one. */
static void
on_rotated(void *arg, const struct sink *s)
{
	struct squeeze *sq = arg;
	if (sq->stage != SQUEEZE_NONE && strcmp(sq->id, s->id) == 0)
		sq->number++;
}

void
squeeze_next(struct squeeze *sq)
{
	struct sink *s;
	while (sq->stage == SQUEEZE_NONE && !sq->broken &&
	       (s = TAILQ_FIRST(&sq->sinks->pack)) != NULL) {
		if (names_open(sq->sinks->dir, s->id, &sq->names) < 0) {
			forget_head(sq);
			continue;
		}
		(void)snprintf(sq->id, sizeof sq->id, "%s", s->id);
		sq->keep = s->keep;
		sq->number = names_plain(&sq->names, s->keep);
		if (sq->number > 0) {
			start_zstd(sq);
		} else {
			names_close(&sq->names);
			forget_head(sq);
		}
	}
}

void
squeeze_open(struct squeeze *sq, struct ev_loop *loop, struct sinks *sinks)
{
	*sq = (struct squeeze){.loop = loop, .sinks = sinks, .tmp = -1};
	sq->names.dir = -1;
	sinks->rotated = on_rotated;
	sinks->arg = sq;
	ev_signal_init(&sq->child, on_child, SIGCHLD);
	sq->child.data = sq;
	ev_signal_start(loop, &sq->child);
}

void
squeeze_close(struct squeeze *sq)
{
	ev_signal_stop(sq->loop, &sq->child);
	sq->sinks->rotated = NULL;
	if (sq->stage != SQUEEZE_NONE)
		finish(sq);
}
