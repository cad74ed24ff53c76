#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sdnotify.h"
#include "keeper/keeper.h"

enum { SIGN_MS = 500 };

static struct keeper keeper = {
    .lock_fd = -1, .sig_fd = -1, .chan = -1, .proven_fd = -1};

static const char usage_text[] =
    "usage: supervisord [--root DIR] [--config FILE] [--init] [--check]\n"
    "  --root DIR     live under DIR (default: /run, /var/log, /var/lib, as root)\n"
    "  --config FILE  read FILE (default: DIR/supervisord.conf or /etc/steward/...)\n"
    "  --init         be PID 1 of a container: reap everything, end with its status\n"
    "  --check        only say whether the configuration is fine, exit 0 or 78\n"
    "  --version      print the version\n";

static const struct option options[] = {
    {"root", required_argument, NULL, 'r'},
    {"config", required_argument, NULL, 'c'},
    {"init", no_argument, NULL, 'i'},
    {"no-init", no_argument, NULL, 'n'},
    {"check", no_argument, NULL, 't'},
    {"inherit", required_argument, NULL, 'I'},
    {"self-test", no_argument, NULL, 's'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct keeper_options {
	const char *root, *config;
	int init, check, inherit_fd;
};

static void
options_read(int argc, char **argv, struct keeper_options *o)
{
	*o = (struct keeper_options){.inherit_fd = -1, .init = getpid() == 1};
	for (int c; (c = getopt_long(argc, argv, "r:c:ithV", options, NULL)) != -1;)
		switch (c) {
		case 'r':
			o->root = optarg;
			break;
		case 'c':
			o->config = optarg;
			break;
		case 'i':
			o->init = 1;
			break;
		case 'n':
			o->init = 0;
			break;
		case 't':
			o->check = 1;
			break;
		case 'I':
			o->inherit_fd = (int)strtol(optarg, NULL, 10);
			break;
		case 's':
			exit(0);
		case 'V':
			(void)puts("supervisord " VERSION);
			exit(0);
		case 'h':
			(void)fputs(usage_text, stdout);
			exit(0);
		default:
			(void)fputs(usage_text, stderr);
			exit(2);
		}
	if (optind < argc) {
		(void)fprintf(stderr, "supervisord: no argument is taken, got '%s'\n%s",
		    argv[optind], usage_text);
		exit(2);
	}
}

static NORETURN void
check_config(const struct dirs *d)
{
	char path[DIRS_PATH];
	struct err err;
	if (dirs_program("supervisord-load", path, sizeof path, &err) < 0)
		fatal("%s", err.msg);
	execl(path, "supervisord-load", "--check", d->config, (char *)NULL);
	fatal("cannot execute %s: %s", path, strerrordesc_np(errno));
}

/* Without a configuration nothing is made, unless there may be a node to adopt. */
static void
check_first(const struct dirs *d)
{
	char lock[DIRS_PATH + 8];
	(void)snprintf(lock, sizeof lock, "%s/lock", d->run);
	if (access(lock, F_OK) == 0 || access(d->config, F_OK) == 0)
		return;
	(void)fprintf(stderr,
	    "supervisord: cannot read %s: %s; write it (supervisord.conf(5) says how), "
	    "or name another with --config\n",
	    d->config, strerrordesc_np(errno));
	exit(EXIT_CONFIG);
}

/* A live node in this directory: a service manager is told its pid, a person the way. */
static NORETURN void
already_running(const struct keeper *k)
{
	char pid[32] = "", text[96];
	if (pread(k->lock_fd, pid, sizeof pid - 1, 0) <= 0)
		(void)snprintf(pid, sizeof pid, "unknown");
	pid[strcspn(pid, "\n")] = '\0';
	if (getenv("NOTIFY_SOCKET") != NULL) {
		(void)snprintf(
		    text, sizeof text, "MAINPID=%s\nREADY=1\nSTATUS=adopted", pid);
		sdnotify(text);
		exit(0);
	}
	(void)fprintf(stderr,
	    "supervisord: a node runs in %s already (pid %s); talk to it with relctl%s%s\n",
	    k->dirs.run, pid, k->dirs.root[0] != '\0' ? " --root " : "", k->dirs.root);
	exit(75);
}

/* Our pid for those who find the lock taken; a full disk is tried again. */
static void
lock_sign(struct keeper *k)
{
	char pid[32];
	int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	/* in this order no reader finds it empty */
	k->unsigned_lock =
	    pwrite(k->lock_fd, pid, (size_t)n, 0) != n || ftruncate(k->lock_fd, n) < 0;
	if (!k->unsigned_lock)
		return;
	log_warn("cannot write run/lock: %s", strerrordesc_np(errno));
	if (ftruncate(k->lock_fd, 0) < 0) /* no pid rather than a wrong one */
		log_warn("run/lock may name another process");
}

static void
lock_take(struct keeper *k)
{
	char path[DIRS_PATH + 8];
	(void)snprintf(path, sizeof path, "%s/lock", k->dirs.run);
	if (k->lock_fd < 0)
		k->lock_fd =
		    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (k->lock_fd < 0)
		fatal("cannot open %s: %s", path, strerrordesc_np(errno));
	if (flock(k->lock_fd, LOCK_EX | LOCK_NB) < 0)
		already_running(k);
	lock_sign(k);
}

static void
system_prepare(struct keeper *k)
{
	sigset_t all;
	struct rlimit files;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)umask(022);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	sigemptyset(&all);
	static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2,
	    SIGQUIT, SIGPWR, SIGWINCH};
	for (unsigned i = 0; i < COUNT(wanted); i++)
		sigaddset(&all, wanted[i]);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	k->sig_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->sig_fd < 0)
		fatal("no signal descriptor: %s", strerrordesc_np(errno));
}

static void
send_signal(struct keeper *k, int sig)
{
	struct keep_msg m = {.type = KEEP_SIGNAL, .value = (uint64_t)(unsigned)sig};
	if (k->chan >= 0)
		(void)chan_send(k->chan, &m, KEEP_MSG_SIZE(0), NULL, 0);
}

static void
master_serves(struct keeper *k)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/exe", (int)k->master);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		fd_close(&k->proven_fd);
		k->proven_fd = fd;
	}
	k->master_ready = 1;
	if (k->stop_signal != 0)
		send_signal(k, k->stop_signal); /* the one before may not have heard */
	sdnotify("READY=1\nSTATUS=serving");
}

static void reap(struct keeper *k);

static void
message(struct keeper *k, struct keep_msg *m, const int *fds, unsigned nfds)
{
	switch ((enum keep_type)m->type) {
	case KEEP_STORE:
		store_take(m, fds, nfds);
		return;
	case KEEP_DROP:
		store_drop(m);
		return;
	case KEEP_ACK:
		k->acked_n = MIN(MAX(k->acked_n, m->value), k->reaped_n);
		return;
	case KEEP_REEXEC:
		if (k->master != 0) /* it would take a reaped master for a living one */
			keeper_exec(k);
		return;
	case KEEP_SYNC:
		k->go_due = 1;
		reap(k);
		return;
	case KEEP_READY:
		master_serves(k);
		return;
	case KEEP_BYE:
		k->bye = 1;
		k->status = (int)m->value;
		sdnotify("STOPPING=1");
		return;
	case KEEP_MASTER:
		k->master_ready = 0;
		k->started_ms = clock_ms(CLOCK_MONOTONIC);
		master_send_all(k);
		return;
	case KEEP_NONE:
	case KEEP_FDS:
	case KEEP_REAPED:
	case KEEP_SIGNAL:
	case KEEP_GO:
	case KEEP_LOST:
	case KEEP_REEXECED:
	case KEEP_MAX:
		log_error("the master sent a message of type %u: dropped", m->type);
	}
}

static void
channel_read(struct keeper *k)
{
	struct keep_msg m;
	int fds[CHAN_FDS];
	unsigned nfds;
	for (;;) {
		memset(&m, 0, sizeof m);
		ssize_t n = chan_recv(k->chan, &m, sizeof m, fds, &nfds);
		if (n < 0 && errno == EMSGSIZE) {
			log_error("no room for descriptors of the master");
			k->lost_due = 1; /* it will send them again */
			continue;
		}
		if (n == 0)
			fd_close(&k->chan); /* its death is told by SIGCHLD */
		if (n <= 0)
			return;
		if ((size_t)n < KEEP_MSG_SIZE(0) || m.n > KEEP_KEYS ||
		    (size_t)n != KEEP_MSG_SIZE(m.n))
			continue;
		message(k, &m, fds, nfds);
	}
}

static void
reap(struct keeper *k)
{
	int status, of_master = 0;
	pid_t master = 0;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		if (pid == k->master) {
			master = pid;
			of_master = status;
		} else {
			reaped_add(k, pid, status);
		}
	if (master != 0) { /* last: the next one is told of all that died with it */
		k->master = 0;
		if (k->chan >= 0)
			channel_read(k); /* its last words may be in there still */
		master_died(k, of_master);
	}
	reaped_send(k);
}

static void
signals_read(struct keeper *k)
{
	struct signalfd_siginfo si;
	while (read(k->sig_fd, &si, sizeof si) == (ssize_t)sizeof si) {
		int sig = (int)si.ssi_signo;
		if (sig == SIGCHLD) {
			reap(k);
			continue;
		}
		if (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT || sig == SIGPWR)
			k->stop_signal = sig;
		if (k->stop_signal != 0 && k->master == 0) {
			k->bye = 1; /* there is nobody to stop anything in order */
			k->status = 1;
		}
		send_signal(k, sig);
	}
}

static int
poll_timeout(const struct keeper *k)
{
	if (k->retry_ms == 0)
		return k->unsigned_lock ? SIGN_MS : -1;
	uint64_t now = clock_ms(CLOCK_MONOTONIC);
	return k->retry_ms > now ? (int)(k->retry_ms - now) : 0;
}

static void
loop(struct keeper *k)
{
	while (!(k->bye && k->master == 0)) {
		short want = POLLIN;
		if (k->sent_n < k->reaped_n || k->go_due || k->lost_due)
			want |= POLLOUT;
		struct pollfd p[2] = {{.fd = k->sig_fd, .events = POLLIN},
		    {.fd = k->chan, .events = want}};
		int n = poll(p, 2, poll_timeout(k));
		if (n == 0 && k->retry_ms != 0)
			master_start(k);
		if (n == 0 && k->unsigned_lock)
			lock_sign(k);
		if (n <= 0)
			continue;
		if (k->chan >= 0 && (p[1].revents & (POLLIN | POLLHUP)) != 0)
			channel_read(k); /* this first: a last word precedes a death */
		if (p[0].revents != 0)
			signals_read(k);
		reaped_send(k);
	}
}

int
main(int argc, char **argv)
{
	struct keeper_options o;
	struct err err;
	log_open("supervisord", 2, LOG_LEVEL_INFO);
	options_read(argc, argv, &o);
	if (dirs_set(&keeper.dirs, o.root, o.config, &err) < 0) {
		(void)fprintf(stderr, "supervisord: %s\n", err.msg);
		return err_exit_code(&err);
	}
	if (o.check)
		check_config(&keeper.dirs);
	if (o.inherit_fd < 0)
		check_first(&keeper.dirs);
	keeper.argv = argv;
	keeper.init = o.init;
	if (o.inherit_fd >= 0 && inherit_read(&keeper, o.inherit_fd, &err) < 0)
		fatal("%s", err.msg);
	if (dirs_make(&keeper.dirs, &err) < 0) {
		if (o.inherit_fd < 0)
			fatal("%s", err.msg);
		log_error("%s", err.msg); /* all is there since the first start */
	}
	lock_take(&keeper);
	system_prepare(&keeper);
	if (keeper.master == 0) {
		master_start(&keeper);
	} else { /* it has served under the program before this */
		master_serves(&keeper);
		keeper_answer(&keeper, REEXEC_SERVES);
	}
	reap(&keeper);
	loop(&keeper);
	return keeper.status;
}
