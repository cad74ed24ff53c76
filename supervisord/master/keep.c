#include "master/node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "proto/inherit.h"

/*
 * The channel to the keeper.  What must outlive this process is gathered and sent before
 * the first process that uses it is born.
 */

enum { CHANNEL_FD = 3, LOCK_FD = 4, PATIENCE_MS = 2000, AGAIN_MS = 250 };

static void
keep_send(struct node *n, const struct keep_msg *m, const int *fds, unsigned nfds)
{
	while (
	    n->keep >= 0 && chan_send(n->keep, m, KEEP_MSG_SIZE(m->n), fds, nfds) < 0) {
		struct pollfd p = {.fd = n->keep, .events = POLLOUT};
		if (errno != EAGAIN || poll(&p, 1, PATIENCE_MS) <= 0) {
			log_error(
			    "the keeper does not listen: %s", strerrordesc_np(errno));
			return;
		}
	}
}

void
keep_flush(struct node *n)
{
	if (n->keep_out.n == 0)
		return;
	n->keep_out.type = KEEP_STORE;
	keep_send(n, &n->keep_out, n->keep_fds, n->keep_out.n);
	n->keep_out.n = 0;
}

void
keep_store(struct node *n, uint32_t kind, uint64_t number, int fd)
{
	struct keep_msg *m = &n->keep_out;
	m->key[m->n] = (struct keep_key){.kind = kind, .number = number};
	n->keep_fds[m->n++] = fd;
	if (m->n == KEEP_KEYS)
		keep_flush(n);
}

void
keep_drop(struct node *n, uint32_t kind, uint64_t number)
{
	struct keep_msg m = {.type = KEEP_DROP, .n = 1};
	keep_flush(n);
	m.key[0] = (struct keep_key){.kind = kind, .number = number};
	keep_send(n, &m, NULL, 0);
}

void
keep_say(struct node *n, enum keep_type type, uint64_t value)
{
	struct keep_msg m = {.type = (uint32_t)type, .value = value};
	keep_flush(n);
	keep_send(n, &m, NULL, 0);
}

/* A descriptor that the keeper held comes home. */
static void
take_back(struct node *n, const struct keep_key *k, int fd)
{
	if (k->kind == KEEP_SOCK) {
		if (n->nkept_socks < SOCKS_MAX) {
			n->kept_sock[n->nkept_socks] = *k;
			n->kept_sock_fd[n->nkept_socks++] = fd;
		} else {
			fd_close(&fd);
		}
		return;
	}
	int *place = NULL;
	if (k->number < SLOT_MAX && k->kind == KEEP_LOG_READ)
		place = &n->io[k->number].log_read;
	else if (k->number < SLOT_MAX && k->kind == KEEP_LOG_WRITE)
		place = &n->io[k->number].log_write;
	else if (k->number < SLOT_MAX && k->kind == KEEP_NOTIFY)
		place = &n->io[k->number].notify;
	if (place == NULL) {
		fd_close(&fd);
		return;
	}
	fd_close(place);
	*place = fd;
}

static void
signal_told(struct node *n, int sig)
{
	if (sig == SIGHUP) {
		load_start(n);
	} else if (sig == SIGUSR1) {
		struct msg m = {.type = MSG_LOG_REOPEN, .slot = SLOT_NONE};
		(void)role_send(n, ROLE_LOGGER, &m, sizeof m, NULL, 0);
	} else if (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT || sig == SIGPWR) {
		if (n->booting) {
			n->ended = 1;
			ev_break(n->loop, EVBREAK_ALL);
			return;
		}
		feed(n, &(struct input){.type = IN_NODE_STOP});
	}
}

static void
again_later(struct node *n)
{
	ev_timer_stop(n->loop, &n->keep_again);
	ev_now_update(n->loop);
	ev_timer_set(&n->keep_again, AGAIN_MS / 1000.0, 0.);
	ev_timer_start(n->loop, &n->keep_again);
}

/* All that the keeper is to hold. */
static void
store_all(struct node *n)
{
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++) {
		const struct slot_io *io = &n->io[i];
		if (io->log_read >= 0)
			keep_store(n, KEEP_LOG_READ, i, io->log_read);
		if (io->log_write >= 0)
			keep_store(n, KEEP_LOG_WRITE, i, io->log_write);
		if (io->notify >= 0)
			keep_store(n, KEEP_NOTIFY, i, io->notify);
	}
	for (uint32_t k = 0; k < n->rows.head->nsocks; k++)
		if (n->socks[k] >= 0)
			keep_store(n, KEEP_SOCK, n->rows.sock[k].hash, n->socks[k]);
	keep_flush(n);
}

static void
on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct node *n = w->data;
	clock_read(n);
	n->keep_lost = 0;
	if (n->keep < 0)
		become_keeper(n);
	else if (n->rows.head != NULL)
		store_all(n);
}

static void
keep_message(struct node *n, const struct keep_msg *m, const int *fds, unsigned nfds)
{
	if (m->type == KEEP_FDS) {
		for (unsigned i = 0; i < nfds; i++)
			take_back(n, &m->key[i], fds[i]);
	} else if (m->type == KEEP_REAPED) {
		for (unsigned i = 0; i < m->n; i++)
			adopt_status(n, &m->key[i]);
	} else if (m->type == KEEP_SIGNAL) {
		signal_told(n, (int)m->value);
	} else if (m->type == KEEP_GO) {
		n->keeper = (pid_t)m->value;
	} else if (m->type == KEEP_REEXECED) {
		reexec_keeper_said(n, m->value);
	} else if (m->type == KEEP_LOST) {
		n->keep_lost = 1;
		if (n->loop != NULL)
			again_later(n);
	}
}

/* One packet.  1, 0 when there is none, -1 at the end of the channel, -2 if descriptors
 * that came with it found no room. */
static int
keep_read(struct node *n, struct keep_msg *m)
{
	int fds[CHAN_FDS];
	unsigned nfds;
	memset(m, 0, sizeof *m);
	ssize_t len = chan_recv(n->keep, m, sizeof *m, fds, &nfds);
	if (len == 0)
		return -1;
	if (len < 0)
		return errno == EAGAIN ? 0 : errno == EMSGSIZE ? -2 : -1;
	if ((size_t)len < KEEP_MSG_SIZE(0) || m->n > KEEP_KEYS ||
	    (size_t)len != KEEP_MSG_SIZE(m->n) || nfds > m->n) {
		for (unsigned i = 0; i < nfds; i++)
			close(fds[i]);
		return 1;
	}
	keep_message(n, m, fds, nfds);
	return 1;
}

/* At the start: everything the keeper holds, up to its KEEP_GO.  Statuses that come now
 * are kept back (adopt.c) until there is a tree. */
int
keep_wait_go(struct node *n, struct err *err)
{
	struct keep_msg m;
	n->keep = CHANNEL_FD;
	n->lock_fd = LOCK_FD;
	if (fd_cloexec(n->keep, 1) < 0 || fd_nonblock(n->keep) < 0)
		return err_set(
		    err, ERR_USAGE, "this program is started by supervisord");
	(void)fd_cloexec(n->lock_fd, 1);
	for (;;) {
		struct pollfd p = {.fd = n->keep, .events = POLLIN};
		int got = keep_read(n, &m);
		if (got == -2)
			return err_set(err, ERR_FAILED,
			    "no room for the descriptors that the keeper holds");
		if (got < 0)
			return err_set(err, ERR_FAILED, "the keeper is gone");
		if (got > 0 && m.type == KEEP_GO)
			return 0;
		if (got == 0 && poll(&p, 1, 10000) <= 0)
			return err_set(err, ERR_FAILED, "the keeper says nothing");
	}
}

/* Takes the statuses of all that has died by now, for who must know before the loop
 * runs: the keeper may have reaped it and not told yet. */
void
keep_sync(struct node *n)
{
	struct keep_msg m;
	struct pollfd p = {.fd = n->keep, .events = POLLIN};
	keep_say(n, KEEP_SYNC, 0);
	for (;;) {
		int got = keep_read(n, &m);
		if (got == -1 || (got > 0 && m.type == KEEP_GO))
			return; /* the loop will see the end of the channel, too */
		if (got == 0 && poll(&p, 1, PATIENCE_MS) <= 0)
			return;
	}
}

static void
on_keeper(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct node *n = w->data;
	struct keep_msg m;
	int got;
	clock_read(n);
	while ((got = keep_read(n, &m)) > 0 || got == -2)
		;
	if (got < 0)
		become_keeper(n);
}

void
keep_init(struct node *n, struct err *err)
{
	char path[64];
	(void)err;
	(void)snprintf(path, sizeof path, "/proc/%d/exe", (int)n->keeper);
	n->keeper_exe = open(path, O_RDONLY | O_CLOEXEC);
	ev_io_init(&n->keep_io, on_keeper, n->keep, EV_READ);
	n->keep_io.data = n;
	ev_io_start(n->loop, &n->keep_io);
	ev_init(&n->keep_again, on_again);
	n->keep_again.data = n;
	if (n->keep_lost)
		again_later(n);
}

/* --- the keeper was killed ------------------------------------------------------------ */

static int
inherit_one(int out, struct inherit_head *h, uint32_t kind, uint64_t number, int fd)
{
	struct inherit_fd f = {.kind = kind, .number = number, .fd = fd};
	if (fd < 0)
		return 0;
	(void)fd_cloexec(fd, 0);
	h->n++;
	return fd_write_all(out, &f, sizeof f);
}

static int
inherit_write_to(int out, struct node *n)
{
	struct inherit_head h = {
	    .magic = INHERIT_MAGIC, .chan = -1, .lock_fd = n->lock_fd};
	int rc = fd_write_all(out, &h, sizeof h);
	for (uint32_t i = 0; rc == 0 && i < n->st->head.core.slots_used; i++) {
		const struct slot_io *io = &n->io[i];
		if (inherit_one(out, &h, KEEP_LOG_READ, i, io->log_read) < 0 ||
		    inherit_one(out, &h, KEEP_LOG_WRITE, i, io->log_write) < 0 ||
		    inherit_one(out, &h, KEEP_NOTIFY, i, io->notify) < 0)
			rc = -1;
	}
	uint32_t nsocks = n->rows.head != NULL ? n->rows.head->nsocks : 0;
	for (uint32_t k = 0; rc == 0 && k < nsocks; k++)
		rc = inherit_one(out, &h, KEEP_SOCK, n->rows.sock[k].hash, n->socks[k]);
	return rc == 0 && pwrite(out, &h, sizeof h, 0) == (ssize_t)sizeof h ? 0 : -1;
}

static int
inherit_all(struct node *n)
{
	int out = memfd_create("inherit", 0);
	if (out >= 0 && inherit_write_to(out, n) < 0)
		fd_close(&out);
	(void)fd_cloexec(n->lock_fd, 0);
	return out;
}

/*
 * This process, parent of the workers, takes the keeper's program and place; the master
 * that it starts adopts everything.  The workers keep their parent and their pipes.
 */
void
become_keeper(struct node *n)
{
	char fd_text[16], *argv[DIRS_ARGS];
	ev_io_stop(n->loop, &n->keep_io);
	fd_close(&n->keep); /* room for one descriptor */
	if (n->ended)
		return;
	log_warn("the keeper is gone: process %d takes its place", (int)getpid());
	adopted_look(n);
	int fd = inherit_all(n);
	if (n->keeper_exe < 0)
		fatal(
		    "no way to take the keeper's place; the next start adopts the workers");
	if (fd < 0) {
		log_error("no room for what the keeper held: tried again");
		again_later(n);
		return;
	}
	(void)snprintf(fd_text, sizeof fd_text, "%d", fd);
	dirs_keeper_args(&n->dirs, n->init, fd_text, argv);
	if (n->tee_fd >= 0)
		(void)dup2(n->tee_fd, 2);
	keeper_execute(n->keeper_exe, argv);
	log_error("cannot execute the keeper: %s; tried again", strerrordesc_np(errno));
	fd_close(&fd);
	again_later(n);
}
