#include "master/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * The parent's side of birth: the plan is made in the birth's own memory, then one clone.
 * The master does not wait for the child: it reads {stage, errno}, or the end of file that
 * an exec makes, from the exec pipe in its loop.
 */

/* --- texts of the plan -------------------------------------------------------------- */

struct writer { /* appends strings to a birth's text and pointers */
	struct birth_memory *mem;
	size_t text, ptrs;
	int full;
};

static char *
put_text(struct writer *w, const char *s, uint32_t number)
{
	char *at = w->mem->text + w->text;
	size_t room = sizeof w->mem->text - w->text, n = 0;
	for (; *s != '\0' && n + 12 < room; s++)
		if (*s == 1) /* %n of the configuration */
			n += (size_t)snprintf(at + n, room - n, "%u", number);
		else
			at[n++] = *s;
	if (*s != '\0') {
		w->full = 1;
		return at;
	}
	at[n++] = '\0';
	w->text += n;
	return at;
}

static void
put_ptr(struct writer *w, const char *s)
{
	if (w->ptrs == COUNT(w->mem->ptrs)) {
		w->full = 1;
		return;
	}
	w->mem->ptrs[w->ptrs++] = unconst(s);
}

/* A string of the rows: as it is, or with the instance's number in it. */
static const char *
row_text(struct writer *w, const char *s, uint32_t number)
{
	return strchr(s, 1) == NULL ? s : put_text(w, s, number);
}

static void
put_row_string(struct writer *w, const char *s, uint32_t number)
{
	put_ptr(w, row_text(w, s, number));
}

/* A variable; one of the same name that is there already gives way. */
static void
put_variable(struct writer *w, const char *s)
{
	size_t name = strcspn(s, "=") + 1;
	for (char **e = w->mem->plan.envp; e < w->mem->ptrs + w->ptrs; e++)
		if (strncmp(*e, s, name) == 0) {
			*e = unconst(s);
			return;
		}
	put_ptr(w, s);
}

/* Words of the node to its own parent: not meant for what it starts. */
static int
is_nodes_own(const char *variable)
{
	static const char *const names[] = {"STEWARD_", "NOTIFY_SOCKET=", "WATCHDOG_",
	    "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=", "MAINPID="};
	for (unsigned i = 0; i < COUNT(names); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return 1;
	return 0;
}

static void PRINTF(2, 3) put_format(struct writer *w, const char *fmt, ...)
{
	va_list ap;
	char *at = w->mem->text + w->text;
	size_t room = sizeof w->mem->text - w->text;
	va_start(ap, fmt);
	int n = vsnprintf(at, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		w->full = 1;
		return;
	}
	w->text += (size_t)n + 1;
	put_ptr(w, at);
}

static void
plan_argv(struct node *n, struct writer *w, uint32_t slot, enum spawn_what what)
{
	const struct slot *s = slot_at(n, slot);
	const struct plan *p = &w->mem->plan;
	const struct row_exec *x = p->exec;
	uint32_t list = what == SPAWN_PRE    ? x->pre
			: what == SPAWN_POST ? x->post
					     : x->argv;
	uint32_t count = what == SPAWN_PRE    ? x->npre
			 : what == SPAWN_POST ? x->npost
					      : x->argc;
	w->mem->plan.argv = w->mem->ptrs + w->ptrs;
	for (uint32_t i = 0; i < count; i++)
		put_row_string(w, rows_list_string(p->rows, list, i), s->number);
	if (what == SPAWN_MAIN)
		for (uint32_t at = 0; at < n->st->nargs[slot];
		     at += (uint32_t)strlen(n->st->args[slot] + at) + 1)
			put_ptr(w, n->st->args[slot] + at);
	put_ptr(w, NULL);
	w->mem->plan.program = w->mem->plan.argv[0];
}

/* The application a slot belongs to. */
static uint32_t
app_of(const struct node *n, uint32_t slot)
{
	while (n->st->slot[slot].kind != SLOT_APP && slot != ROOT)
		slot = n->st->slot[slot].parent;
	return slot;
}

/* NAME= and room for digits, which the child writes. */
static char *
put_pid(struct writer *w, const char *name)
{
	put_format(w, "%s%-11s", name, "");
	return w->full ? NULL : w->mem->ptrs[w->ptrs - 1] + strlen(name);
}

static void
plan_env_listen(struct writer *w)
{
	struct plan *p = &w->mem->plan;
	const struct row_exec *x = p->exec;
	char names[1024] = "";
	size_t len = 0;
	if (x->nsocks == 0)
		return;
	for (uint32_t i = 0; i < x->nsocks && len < sizeof names; i++) {
		const struct row_sock *so = &p->rows->sock[p->rows->word[x->socks + i]];
		len += (size_t)snprintf(names + len, sizeof names - len, "%s%s",
		    i > 0 ? ":" : "", rows_string(p->rows, so->name));
	}
	put_format(w, "LISTEN_FDS=%u", x->nsocks);
	put_format(w, "LISTEN_FDNAMES=%s", names);
	p->listen_pid = put_pid(w, "LISTEN_PID=");
}

/* Weakest first: the node's own, the configured, what app.setenv has set since. */
static void
plan_env_given(struct node *n, struct writer *w, uint32_t slot)
{
	const struct plan *p = &w->mem->plan;
	const struct row_exec *x = p->exec;
	uint32_t app = app_of(n, slot), number = slot_at(n, slot)->number;
	int merge = (x->flags & EXECF_MERGE_ENV) != 0;
	for (char **e = environ; merge && *e != NULL; e++)
		if (!is_nodes_own(*e))
			put_ptr(w, *e);
	for (uint32_t i = 0; i < x->nenv; i++) {
		const char *s =
		    row_text(w, rows_list_string(p->rows, x->env, i), number);
		if (merge)
			put_variable(w, s);
		else
			put_ptr(w, s); /* no name stands in the rows twice */
	}
	for (uint32_t i = 0; i < n->st->head.nenvs; i++)
		if (n->st->head.env[i].app == app)
			put_variable(w, n->st->head.env[i].text);
}

static void
plan_env(struct node *n, struct writer *w, uint32_t slot)
{
	struct plan *p = &w->mem->plan;
	const struct slot *s = slot_at(n, slot);
	const struct row *r = &p->rows->row[s->row];
	char id[ROW_ID_MAX];
	slot_id(p->rows, s, id);
	p->envp = w->mem->ptrs + w->ptrs;
	plan_env_given(n, w, slot);
	put_format(w, "STEWARD_ID=%s", id);
	put_format(w, "STEWARD_RUN=%s", n->dirs.run);
	put_format(w, "STEWARD_GENERATION=%u", s->gen);
	if (p->exec->module != 0)
		put_format(
		    w, "STEWARD_MODULE=%s", rows_string(p->rows, p->exec->module));
	if (s->number != 0)
		put_format(w, "STEWARD_INSTANCE=%u", s->number);
	plan_env_listen(w);
	if (n->io[slot].notify >= 0) {
		if (strlen(n->dirs.run) < 80)
			put_format(w, "NOTIFY_SOCKET=%s/notify/%u", n->dirs.run, slot);
		else
			put_format(w, "NOTIFY_SOCKET=@steward/%016llx/%u",
			    (unsigned long long)n->st->head.started_ms, slot);
	}
	if (r->watchdog_ms > 0) {
		put_format(
		    w, "WATCHDOG_USEC=%llu", (unsigned long long)r->watchdog_ms * 1000);
		p->watchdog_pid = put_pid(w, "WATCHDOG_PID=");
	}
	put_ptr(w, NULL);
}

/* --- descriptors of the plan -------------------------------------------------------- */

static void
plan_fd(struct plan *p, unsigned at, int fd)
{
	while (p->nfds <= at)
		p->fd[p->nfds++] = PLAN_GAP;
	p->fd[at] = fd;
}

static int
plan_fds(struct node *n, struct plan *p, uint32_t slot, enum spawn_what what)
{
	const struct row_exec *x = p->exec;
	struct slot_io *io = &n->io[slot];
	int out = x->log_kind == LOG_FILE ? io->log_write : -1;
	plan_fd(p, 0, -1);
	plan_fd(p, 1, x->log_kind == LOG_INHERIT ? 1 : out);
	plan_fd(p, 2, x->log_kind == LOG_INHERIT ? 2 : out);
	if (what != SPAWN_MAIN)
		return -1;
	for (uint32_t i = 0; i < x->nsocks; i++)
		plan_fd(p, 3 + i, n->socks[p->rows->word[x->socks + i]]);
	if (p->rows->row[slot_at(n, slot)->row].ready != READY_FD || x->ready_fd < 3 ||
	    x->ready_fd >= PLAN_FDS)
		return -1;
	int pipe[2];
	if (pipe2(pipe, O_CLOEXEC) < 0)
		return -1;
	(void)fd_nonblock(pipe[0]);
	fd_close(&io->ready_read);
	io->ready_read = pipe[0];
	plan_fd(p, (unsigned)x->ready_fd, pipe[1]);
	return pipe[1]; /* the parent closes it after the clone */
}

/* --- the clone ---------------------------------------------------------------------- */

static struct birth *
birth_take(struct node *n)
{
	for (unsigned i = 0; i < BIRTHS_MAX; i++) {
		struct birth *b = &n->birth[i];
		if (b->pipe >= 0)
			continue;
		if (b->mem == NULL) {
			void *m = mmap(NULL, sizeof *b->mem, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			b->mem = m == MAP_FAILED ? NULL : m;
		}
		if (b->mem != NULL)
			memset(&b->mem->plan, 0, offsetof(struct plan, fd));
		return b->mem != NULL ? b : NULL;
	}
	return NULL;
}

static void
on_exec_pipe(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct birth *b = w->data;
	birth_read(b->node, b);
}

/* NOLINTBEGIN(readability-non-const-parameter): the kernel writes the pid */
static long
do_clone(struct plan *p, struct birth_memory *mem, int32_t *pid_place, int cgroup)
{
#ifdef PLAIN_FORK
	(void)mem;
	p->pid_place = pid_place;
	(void)cgroup;
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(child_main(p));
	return pid < 0 ? -errno : pid;
#else
	struct clone_args a = {
	    .flags = CLONE_VM | CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND,
	    .exit_signal = SIGCHLD,
	    .parent_tid = (uint64_t)(uintptr_t)pid_place,
	    .stack = (uint64_t)(uintptr_t)mem->stack,
	    .stack_size = sizeof mem->stack};
	if (cgroup >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)(unsigned)cgroup;
	}
	return birth_clone(&a, sizeof a, child_main, p);
#endif
}

/* NOLINTEND(readability-non-const-parameter) */

/* One clone by plan.  0 with the birth under way, or -errno. */
static long
birth_begin(struct node *n, struct birth *b, int32_t *pid_place, int cgroup)
{
	int pipe[2];
	sigset_t all, old;
	struct plan *p = &b->mem->plan;
	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	p->report = pipe[1];
	p->cgroup_procs = -1;
#ifdef PLAIN_FORK
	if (cgroup >= 0)
		p->cgroup_procs = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
#endif
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	long pid = do_clone(p, b->mem, pid_place, cgroup);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (p->cgroup_procs >= 0)
		close(p->cgroup_procs);
	fd_close(&pipe[1]);
	if (pid < 0) {
		fd_close(&pipe[0]);
		*pid_place = 0;
		return pid;
	}
	*pid_place = (int32_t)pid;
	b->pipe = pipe[0];
	b->node = n;
	n->births++;
	ev_io_init(&b->io, on_exec_pipe, b->pipe, EV_READ);
	b->io.data = b;
	ev_io_start(n->loop, &b->io);
	return 0;
}

static uint64_t
boot_ticks(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	return (uint64_t)ts.tv_sec * hz + (uint64_t)ts.tv_nsec / (1000000000 / hz);
}

static void
spawn_refused(struct node *n, uint32_t slot, enum spawn_stage stage, int error)
{
	struct reason re = {
	    .type = RE_EXEC_FAILED, .stage = (uint8_t)stage, .code = error};
	feed_reason(n, IN_SPAWN_FAILED, slot, slot_at(n, slot)->gen, re);
}

/* What must be there before the clone. */
static int
spawn_prepare(struct node *n, uint32_t slot, struct reason *why)
{
	*why = (struct reason){.type = RE_EXEC_FAILED, .stage = ST_FDS};
	if (socks_need(n, slot, why) < 0)
		return -1;
	if (pipes_need(n, slot) < 0 || notify_need(n, slot) < 0) {
		why->code = errno;
		return -1;
	}
	keep_flush(n); /* this first: no process may use what nobody else keeps */
	return 0;
}

static struct birth *
spawn_plan(struct node *n, uint32_t slot, enum spawn_what what, int *ready_write)
{
	struct birth *b = birth_take(n);
	if (b == NULL)
		return NULL;
	struct plan *p = &b->mem->plan;
	struct writer w = {.mem = b->mem};
	p->rows = slot_rows(n, slot);
	p->exec = &p->rows->exec[p->rows->row[slot_at(n, slot)->row].exec];
	p->cwd = rows_string(p->rows, p->exec->cwd);
	if (p->cwd[0] == '\0')
		p->cwd = n->dirs.root[0] != '\0' ? n->dirs.root : "/";
	p->sets_uid = n->sets_uid;
	plan_argv(n, &w, slot, what);
	plan_env(n, &w, slot);
	*ready_write = plan_fds(n, p, slot, what);
	b->slot = slot;
	b->gen = slot_at(n, slot)->gen;
	if (w.full) {
		fd_close(ready_write);
		errno = E2BIG;
		return NULL;
	}
	return b;
}

void
spawn_slot(struct node *n, uint32_t slot, enum spawn_what what)
{
	struct reason why;
	struct slot *s = slot_at(n, slot);
	int ready_write = -1;
	if (n->births == BIRTHS_MAX && n->nwaiting < SLOT_MAX) {
		n->waiting[n->nwaiting++] = slot;
		return;
	}
	if (spawn_prepare(n, slot, &why) < 0) {
		feed_reason(n, IN_SPAWN_FAILED, slot, s->gen, why);
		return;
	}
	errno = ENOMEM;
	struct birth *b = spawn_plan(n, slot, what, &ready_write);
	if (b == NULL) {
		spawn_refused(n, slot, ST_EXEC, errno);
		return;
	}
	if (what == SPAWN_MAIN)
		probe_expect(n, slot);
	int cgroup = cgroup_of(n, slot);
	uint64_t before = boot_ticks();
	long ret = birth_begin(n, b, &s->pid, cgroup);
	fd_close(&cgroup);
	fd_close(&ready_write);
	if (ret < 0) {
		spawn_refused(n, slot, ST_CLONE, (int)-ret);
		return;
	}
	s->born = boot_ticks();
	if (s->born - before > 1) /* we slept in between: which tick was it? */
		s->born = process_born(s->pid);
	n->io[slot].session = s->pid;
	pid_learn(n, s->pid, slot);
	if (what == SPAWN_MAIN)
		probe_worker(n, slot);
}

/* Places are free again: those that waited, in their order. */
void
spawn_waiting(struct node *n)
{
	unsigned k = 0;
	while (k < n->nwaiting && n->births < BIRTHS_MAX) {
		uint32_t slot = n->waiting[k++];
		const struct slot *s = slot_at(n, slot);
		if (s->pid != 0 || s->kind != SLOT_WORKER)
			continue;
		if (s->phase == PH_SPAWNING)
			spawn_slot(n, slot, SPAWN_MAIN);
		else if (s->phase == PH_PRE)
			spawn_slot(n, slot, SPAWN_PRE);
		else if (s->phase == PH_POST)
			spawn_slot(n, slot, SPAWN_POST);
		else if (s->phase == PH_STOPPING || s->phase == PH_KILLING)
			feed_reason(n, IN_EXITED, slot, s->gen,
			    (struct reason){.type = RE_SHUTDOWN});
	}
	memmove(n->waiting, n->waiting + k, (n->nwaiting - k) * sizeof *n->waiting);
	n->nwaiting -= k;
}

/* --- what the exec pipe says --------------------------------------------------------- */

void
birth_read(struct node *n, struct birth *b)
{
	struct birth_report r;
	ssize_t k = read(b->pipe, &r, sizeof r);
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	uint32_t slot = b->slot, gen = b->gen;
	ev_io_stop(n->loop, &b->io);
	fd_close(&b->pipe);
	n->births--;
	if (slot == SLOT_NONE) {
		if (k == (ssize_t)sizeof r)
			log_error(
			    "one of our own programs could not be executed: %s (at %s)",
			    strerrordesc_np(r.error),
			    spawn_stage_names[r.stage % STAGE_MAX]);
	} else if (k == (ssize_t)sizeof r) {
		feed_reason(n, IN_SPAWN_FAILED, slot, gen,
		    (struct reason){.type = RE_EXEC_FAILED,
			.stage = (uint8_t)(r.stage % STAGE_MAX),
			.code = r.error});
	} else {
		feed_slot(n, IN_EXECED, slot, gen);
	}
	if (n->nwaiting > 0)
		spawn_waiting(n);
}

/* Reads what the exec pipe of a slot still says, before its exit is told. */
void
births_of(struct node *n, uint32_t slot)
{
	for (unsigned i = 0; n->births > 0 && i < BIRTHS_MAX; i++)
		if (n->birth[i].pipe >= 0 && n->birth[i].slot == slot)
			birth_read(n, &n->birth[i]);
}

/* One of our own programs: fds[0..4] become 0 to 4, -1 is /dev/null, -2 none. */
int
spawn_program(struct node *n, const char *program, char *const argv[], const int fds[5],
    int32_t *pid_place)
{
	struct birth *b = n->births < BIRTHS_MAX ? birth_take(n) : NULL;
	if (b == NULL) {
		errno = EAGAIN;
		return -1;
	}
	struct plan *p = &b->mem->plan;
	struct writer w = {.mem = b->mem};
	p->program = put_text(&w, program, 0);
	p->argv = b->mem->ptrs;
	for (int i = 0; argv[i] != NULL; i++)
		put_ptr(&w, put_text(&w, argv[i], 0));
	put_ptr(&w, NULL);
	p->envp = environ;
	p->cwd = "/";
	for (unsigned i = 0; i < 5; i++)
		if (fds[i] != PLAN_GAP)
			plan_fd(p, i, fds[i]);
	b->slot = SLOT_NONE;
	b->gen = 0;
	long ret = w.full ? -E2BIG : birth_begin(n, b, pid_place, -1);
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}
	return 0;
}

/* This process goes on as another program: its keeper's, or a new master's. */
void
keeper_execute(int exe, char *const argv[])
{
	(void)fexecve(exe, argv, environ);
}

void
program_execute(const char *path, char *const argv[])
{
	(void)execv(path, argv);
}
