#include "master/node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/fd.h"
#include "master/birth.h"

/*
 * The roles: built-in children with a typed channel each.  One that dies or says anything
 * it must not say is started anew; the workers notice nothing.  The logger alone outlives
 * a master, since it holds the pipes: it comes back over run/attach.sock.
 */

enum {
	AGAIN_MIN_MS = 20,
	AGAIN_MAX_MS = 1000,
	QUICK_MS = 1000,
	ATTACH_MS = 3000,
	ABSENT_MS = 100, /* between two looks at one that has no channel */
	LOAD_MS = 30000, /* what load may take */
	STRAY_MS = 150,
	ARGS = 16
};

struct role_row {
	const char *program;
	const char *user; /* whose rights it takes when the node is root's */
	int outlives_master;
};

static const struct role_row role_rows[] = {
    [ROLE_MASTER] = {NULL, NULL, 0},
    [ROLE_CONTROL] = {"supervisord-control", "steward-control", 0},
    [ROLE_LOGGER] = {"supervisord-logger", "steward-log", 1},
    [ROLE_PROBE] = {"supervisord-probe", "steward-probe", 0},
    [ROLE_LOAD] = {"supervisord-load", "steward-load", 0},
};
_Static_assert(COUNT(role_rows) == ROLE_MAX, "one row a role");

void
event_role(struct node *n, enum event_type type, enum role role, struct reason re)
{
	uint64_t k = n->st->head.event_n + 1;
	struct event *ev = &n->st->event[k % EVENT_RING];
	struct reason none = {0};
	*ev = (struct event){.n = k,
	    .real_ms = n->tree.real_ms,
	    .now_ms = n->tree.now_ms,
	    .slot = ROOT,
	    .type = (uint8_t)type,
	    .pid = n->role[role].pid,
	    .value = (uint64_t)(unsigned)re.code,
	    .reason = type == EV_NODE_ADOPTED ? none : re};
	size_t len = strlen(role_names[role]);
	memcpy(ev->id, role_names[role], MIN(len, sizeof ev->id - 1));
	n->st->head.event_n = k;
}

/* --- messages ------------------------------------------------------------------------ */

static void
take_log_have(struct node *n, const struct msg_log_have *m, int *fd)
{
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++) {
		const struct slot *s = slot_at(n, i);
		struct slot_io *io = &n->io[i];
		if (s->kind == SLOT_FREE || s->log_ino != m->ino || io->log_read >= 0)
			continue;
		char path[64];
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
		io->log_read = *fd;
		io->log_write = open(path, O_RDWR | O_CLOEXEC);
		*fd = -1;
		keep_store(n, KEEP_LOG_READ, i, io->log_read);
		if (io->log_write >= 0)
			keep_store(n, KEEP_LOG_WRITE, i, io->log_write);
		return;
	}
}

static void
role_hello(struct node *n, enum role role)
{
	n->role[role].up = 1;
	if (role == ROLE_CONTROL)
		control_hello(n);
	else if (role == ROLE_PROBE)
		probe_all(n);
	else if (role == ROLE_LOGGER)
		log_add_all(n);
}

static void
role_message(struct node *n, enum role role, const void *buf, int *fds, unsigned nfds)
{
	const struct msg *m = buf;
	clock_read(n);
	switch ((enum msg_type)m->type) {
	case MSG_HELLO:
		role_hello(n, role);
		return;
	case MSG_REQUEST:
		control_request(n, buf);
		return;
	case MSG_SUBSCRIBE:
		n->subscribed = m->value != 0;
		n->woken_n = 0;
		wake_control(n);
		return;
	case MSG_LOG_HAVE:
		take_log_have(n, buf, &fds[0]);
		return;
	case MSG_FACT:
		probe_fact(n, buf);
		return;
	case MSG_LOADED:
		load_done(n, buf, fds, nfds);
		return;
	case MSG_NONE:
	case MSG_REPLY:
	case MSG_WAKE:
	case MSG_MAPS:
	case MSG_LOG_ADD:
	case MSG_LOG_DROP:
	case MSG_LOG_REOPEN:
	case MSG_LOG_ROTATE:
	case MSG_PROBE_NOTIFY:
	case MSG_PROBE_TCP:
	case MSG_PROBE_FD:
	case MSG_PROBE_DROP:
	case MSG_PROBE_HEARD:
	case MSG_MAX:
		return; /* proto_check lets none of these through */
	}
}

static void
again_in(struct node *n, struct role_io *r, unsigned ms)
{
	ev_timer_stop(n->loop, &r->again);
	ev_now_update(n->loop);
	ev_timer_set(&r->again, ms / 1000.0, 0.);
	ev_timer_start(n->loop, &r->again);
}

static void
role_hang_up(struct node *n, struct role_io *r, int nonsense)
{
	ev_io_stop(n->loop, &r->io);
	fd_close(&r->chan);
	r->up = 0;
	if (r->role == ROLE_CONTROL)
		n->subscribed = 0;
	if (r->pid > 0 && (r->role != ROLE_LOAD || nonsense))
		kill_role(n, r->pid, SIGKILL); /* its death starts the next */
	if (r->role == ROLE_LOGGER && r->pid > 0)
		again_in(n, r, ABSENT_MS);
}

static void
on_role(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	struct role_io *r = w->data;
	struct node *n = r->node;
	_Alignas(16) char buf[CHAN_MSG_MAX];
	int fds[CHAN_FDS];
	unsigned nfds;
	struct err err;
	if ((revents & EV_WRITE) != 0) {
		ev_io_stop(n->loop, w);
		ev_io_set(w, r->chan, EV_READ);
		ev_io_start(n->loop, w);
		if (r->role == ROLE_LOGGER)
			log_add_all(n);
		else if (r->role == ROLE_PROBE)
			probe_all(n);
	}
	for (int turn = 0; turn < 64 && r->chan >= 0; turn++) {
		ssize_t len = chan_recv(r->chan, buf, sizeof buf, fds, &nfds);
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (len > 0 && proto_check(buf, (size_t)len, nfds, r->role, ROLE_MASTER,
				   &err) < 0) {
			log_error("%s said nonsense: %s", role_names[r->role], err.msg);
			len = -1;
		}
		if (len > 0)
			role_message(n, r->role, buf, fds, nfds);
		for (unsigned i = 0; i < nfds; i++)
			fd_close(&fds[i]);
		if (len <= 0) {
			role_hang_up(n, r, len < 0);
			return;
		}
	}
}

int
role_send(struct node *n, enum role role, const void *msg, size_t len, const int *fds,
    unsigned nfds)
{
	struct role_io *r = &n->role[role];
	if (r->chan < 0 || !r->up) {
		errno = ENOTCONN;
		return -1;
	}
	if (chan_send(r->chan, msg, len, fds, nfds) == 0)
		return 0;
	if (errno == EAGAIN && ev_is_active(&r->io)) { /* go on when there is room */
		ev_io_stop(n->loop, &r->io);
		ev_io_set(&r->io, r->chan, EV_READ | EV_WRITE);
		ev_io_start(n->loop, &r->io);
	}
	return -1;
}

void
role_attach(struct node *n, enum role role, int chan, pid_t pid)
{
	struct role_io *r = &n->role[role];
	r->chan = chan;
	r->pid = pid;
	r->up = 0;
	r->started_ms = n->tree.now_ms;
	ev_io_init(&r->io, on_role, chan, EV_READ);
	r->io.data = r;
	ev_io_start(n->loop, &r->io);
}

/* --- processes ----------------------------------------------------------------------- */

/* An argument that nobody writes to. */
static char *
fixed(const char *text)
{
	return unconst(text);
}

static void
role_argv(struct node *n, enum role role, char *argv[ARGS])
{
	unsigned k = 0;
	argv[k++] = fixed(role_rows[role].program);
	if (role == ROLE_LOAD) {
		argv[k++] = fixed("--role");
		argv[k++] = fixed("--disabled");
		argv[k++] = n->disabled_path;
		argv[k++] = fixed("--root");
		argv[k++] = n->dirs.root;
		if (n->init)
			argv[k++] = fixed("--init");
	} else {
		argv[k++] = fixed("--run");
		argv[k++] = n->dirs.run;
	}
	if (role == ROLE_CONTROL || role == ROLE_LOGGER) {
		argv[k++] = fixed("--log");
		argv[k++] = n->dirs.log;
	}
	if (role == ROLE_LOGGER && n->tee_fd >= 0) {
		argv[k++] = fixed("--tee-fd");
		argv[k++] = fixed("4");
	}
	if (!n->dirs.user_mode) {
		argv[k++] = fixed("--confine");
		argv[k++] = fixed(role_rows[role].user);
	}
	if (role == ROLE_LOAD)
		argv[k++] = n->dirs.config;
	argv[k] = NULL;
}

static void
role_later(struct node *n, struct role_io *r)
{
	unsigned ms = (unsigned)AGAIN_MIN_MS << MIN(r->quick_deaths, 6U);
	ms = MIN(ms, (unsigned)AGAIN_MAX_MS);
	r->quick_deaths++;
	again_in(n, r, ms);
}

void
role_start(struct node *n, enum role role)
{
	struct role_io *r = &n->role[role];
	char path[DIRS_PATH], *argv[ARGS];
	struct err err;
	int pair[2];
	ev_timer_stop(n->loop, &r->again);
	if (n->ended)
		return;
	role_argv(n, role, argv);
	if (dirs_program(role_rows[role].program, path, sizeof path, &err) < 0 ||
	    chan_pair(pair, &err) < 0) {
		log_error("%s cannot be started: %s", role_names[role], err.msg);
		role_later(n, r);
		return;
	}
	const int fds[5] = {-1, 2, 2, pair[1],
	    role == ROLE_LOGGER && n->tee_fd >= 0 ? n->tee_fd : PLAN_GAP};
	int32_t *place = &n->st->head.role[role].pid;
	*place = 0;
	int ret = spawn_program(n, path, argv, fds, place);
	fd_close(&pair[1]);
	if (ret < 0) {
		log_error("%s cannot be started: %s", role_names[role],
		    strerrordesc_np(errno));
		fd_close(&pair[0]);
		role_later(n, r);
		return;
	}
	n->st->head.role[role].born = process_born(*place);
	role_attach(n, role, pair[0], *place);
	if (role == ROLE_LOAD)
		again_in(n, r, LOAD_MS);
	event_role(n, EV_ROLE_STARTED, role, (struct reason){0});
}

int
role_of_pid(const struct node *n, pid_t pid)
{
	for (int role = ROLE_MASTER; role < ROLE_MAX; role++)
		if (n->role[role].pid == pid && pid > 0)
			return role;
	return -1;
}

void
role_exited(struct node *n, enum role role, int status)
{
	struct role_io *r = &n->role[role];
	if (role == ROLE_MASTER) {
		r->pid = 0;
		reexec_checked(n, status);
		return;
	}
	if (role == ROLE_LOAD)
		on_role(n->loop, &r->io, 0); /* its last word may still lie there */
	if (r->chan >= 0) {
		ev_io_stop(n->loop, &r->io);
		fd_close(&r->chan);
	}
	r->pid = 0;
	r->up = 0;
	n->st->head.role[role].pid = 0;
	if (role == ROLE_LOAD) {
		ev_timer_stop(n->loop, &r->again);
		load_died(n);
		return;
	}
	if (role == ROLE_CONTROL)
		n->subscribed = 0;
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++) {
		if (role == ROLE_LOGGER)
			n->io[i].log_told = 0;
		else if (role == ROLE_PROBE)
			n->io[i].probe_knows = 0;
	}
	if (role == ROLE_LOGGER)
		pipes_left_untold();
	event_role(n, EV_ROLE_DIED, role, reason_of_status(status));
	n->st->head.role[role].restarts++;
	if (n->ended)
		return;
	log_warn("%s died, it is started again", role_names[role]);
	if (n->tree.now_ms - r->started_ms >= QUICK_MS)
		r->quick_deaths = 0;
	if (r->quick_deaths == 0) {
		r->quick_deaths = 1;
		role_start(n, role);
	} else {
		role_later(n, r);
	}
}

/* A logger that lives on may be nobody's child any more: nobody tells of its end. */
static void
role_absent(struct node *n, struct role_io *r)
{
	uint64_t born = process_born(r->pid);
	if (born == 0 || born != n->st->head.role[r->role].born) {
		role_exited(n, r->role, -1);
		return;
	}
	if (n->tree.now_ms - r->started_ms >= ATTACH_MS)
		kill_role(n, r->pid, SIGKILL); /* it did not come back */
	again_in(n, r, ABSENT_MS);
}

static void
on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct role_io *r = w->data;
	clock_read(r->node);
	if (r->pid == 0)
		role_start(r->node, r->role);
	else if (r->role == ROLE_LOAD)
		kill_role(r->node, r->pid, SIGKILL);
	else if (r->chan < 0)
		role_absent(r->node, r);
}

void
roles_init(struct node *n)
{
	for (int i = 0; i < ROLE_MAX; i++) {
		struct role_io *r = &n->role[i];
		*r = (struct role_io){.node = n, .role = (enum role)i, .chan = -1};
		ev_init(&r->again, on_again);
		r->again.data = r;
	}
}

/* Those of a life before: the logger is waited for, the others end by themselves. */
void
roles_begin(struct node *n)
{
	struct state_role *old = &n->st->head.role[ROLE_LOGGER];
	int lives =
	    old->pid > 0 && process_born(old->pid) == old->born && old->born != 0;
	role_listen(n);
	if (lives) {
		n->role[ROLE_LOGGER].pid = old->pid;
		n->role[ROLE_LOGGER].started_ms = n->tree.now_ms;
		again_in(n, &n->role[ROLE_LOGGER], ABSENT_MS);
	} else {
		role_start(n, ROLE_LOGGER);
	}
	role_start(n, ROLE_CONTROL);
	role_start(n, ROLE_PROBE);
}

static int
role_lives(struct node *n, enum role role)
{
	pid_t pid = n->role[role].pid;
	if (pid <= 0)
		return 0;
	(void)waitpid(pid, NULL, WNOHANG);
	return process_born(pid) != 0;
}

/* The logger's channel for the last words; one that has not come back yet is waited for,
 * or it would never hear that it is the end. */
static int
logger_to_the_end(struct node *n)
{
	struct role_io *r = &n->role[ROLE_LOGGER];
	struct timeval patience = {.tv_sec = 2};
	int absent = !r->up && r->pid > 0;
	for (int left = ATTACH_MS; !r->up && r->pid > 0 && left > 0;) {
		struct pollfd p = {
		    .fd = r->chan < 0 ? n->attach_fd : r->chan, .events = POLLIN};
		int ready = poll(&p, 1, ABSENT_MS);
		if (ready <= 0) /* it may be dead, and nobody tells */
			left -= process_born(r->pid) == 0 ? left : ABSENT_MS;
		if (ready > 0 && r->chan < 0)
			attach_one(n);
		else if (ready > 0)
			on_role(n->loop, &r->io, EV_READ);
	}
	if (r->chan < 0)
		return -1;
	(void)fcntl(r->chan, F_SETFL, fcntl(r->chan, F_GETFL) & ~O_NONBLOCK);
	(void)setsockopt(r->chan, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (absent)
		log_add_all(n); /* what its channel had no room for */
	return r->chan;
}

/* Hangs up and waits; who does not end by itself is ended. */
static void
roles_wait_end(struct node *n, int first, int last)
{
	struct timespec pause = {.tv_nsec = 1000000};
	for (int i = first; i <= last; i++) {
		if (n->role[i].chan >= 0)
			ev_io_stop(n->loop, &n->role[i].io);
		fd_close(&n->role[i].chan);
	}
	for (int k = 0; k < 3000; k++) {
		int left = 0;
		for (int i = first; i <= last; i++)
			left += role_lives(n, (enum role)i);
		if (left == 0)
			return;
		(void)nanosleep(&pause, NULL);
	}
	for (int i = first; i <= last; i++)
		kill_role(n, n->role[i].pid, SIGKILL);
}

/* The logger was killed before it had read everything: one more. */
static void
logger_once_more(struct node *n)
{
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++)
		n->io[i].log_told = 0;
	pipes_left_untold();
	n->role[ROLE_LOGGER].pid = 0;
	n->role[ROLE_LOGGER].up = 0;
	n->ended = 0;
	role_start(n, ROLE_LOGGER);
	n->ended = 1;
}

/* The last words to the logger, which then ends. */
static void
logger_end(struct node *n)
{
	int logger = logger_to_the_end(n);
	for (uint32_t i = n->st->head.core.slots_used; i-- > 0;) {
		struct msg m = {.type = MSG_LOG_DROP, .slot = i};
		if (n->io[i].log_told)
			(void)chan_send(logger, &m, sizeof m, NULL, 0);
	}
	roles_wait_end(n, ROLE_LOGGER, ROLE_LOGGER);
}

/* A logger of a lost state, which tries to come back, hears of the end, too. */
static void
strays_hear(struct node *n)
{
	struct pollfd p = {.fd = n->attach_fd, .events = POLLIN};
	while (n->strays && n->attach_fd >= 0 && poll(&p, 1, STRAY_MS) > 0)
		attach_one(n);
}

/* At the end: the logger reads its pipes empty. */
void
roles_stop(struct node *n)
{
	roles_wait_end(n, ROLE_CONTROL, ROLE_CONTROL); /* their last words first */
	roles_wait_end(n, ROLE_PROBE, ROLE_LOAD);
	strays_hear(n);
	logger_end(n);
	for (int tries = 0; tries < 2 && pipes_hold_lines(n); tries++) {
		logger_once_more(n);
		logger_end(n);
	}
}
