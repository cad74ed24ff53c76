#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "master/node.h"
#include "master/raw.h"
#include "master/state_sane.h"

static struct node node;

static void *
zeroed(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		fatal("no memory for the node");
	return p;
}

/* All the memory there will ever be: the restart path allocates nothing. */
static void
node_memory(struct node *n)
{
	n->io = zeroed(SLOT_MAX * sizeof *n->io);
	n->timer = zeroed(SLOT_MAX * sizeof *n->timer);
	n->pidfd_io = zeroed(SLOT_MAX * sizeof *n->pidfd_io);
	n->link_io = zeroed(SLOT_MAX * sizeof *n->link_io);
	n->inq = zeroed(SLOT_MAX * sizeof *n->inq);
	n->waiting = zeroed(SLOT_MAX * sizeof *n->waiting);
	n->sweeping = zeroed(SLOT_MAX * sizeof *n->sweeping);
	n->slot_of_row = zeroed(ROWS_MAX * sizeof *n->slot_of_row);
	n->tree.act = zeroed(ACTIONS_CAP * sizeof *n->tree.act);
	n->tree.slot_of_row = n->slot_of_row;
	for (uint32_t i = 0; i < SLOT_MAX; i++) {
		struct slot_io *io = &n->io[i];
		io->log_read = io->log_write = io->notify = io->ready_read = -1;
		io->pidfd = io->link = io->cgroup = -1;
	}
	for (unsigned i = 0; i < BIRTHS_MAX; i++)
		n->birth[i].pipe = -1;
	for (unsigned i = 0; i < SOCKS_MAX; i++)
		n->socks[i] = -1;
	n->rows_fd = n->old_rows_fd = n->tee_fd = n->cgroup_root = -1;
	n->state_fd = n->keeper_exe = n->attach_fd = -1;
}

static void
node_directories(struct node *n)
{
	char path[DIRS_PATH + 32];
	n->run_dir = open(n->dirs.run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(path, sizeof path, "%s/notify", n->dirs.run);
	(void)mkdir(path, 0755);
	n->notify_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(
	    n->disabled_path, sizeof n->disabled_path, "%s/disabled", n->dirs.lib);
	if (n->run_dir < 0 || n->notify_dir < 0)
		fatal("cannot open %s: %s", path, strerrordesc_np(errno));
}

/* Dispositions that children inherit are the default ones, but for SIGPIPE. */
static void
node_process(void)
{
	struct rlimit files;
	sigset_t none;

	const struct {
		unsigned long handler, flags, restorer, mask;
	} dfl = {0};

	/* raw, since libc hides the two real-time signals it uses itself */
	for (int s = 1; s <= 64; s++)
		if (s != SIGKILL && s != SIGSTOP)
			(void)raw(SYS_rt_sigaction, s, &dfl, 0, 8);
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void
node_loop(struct node *n)
{
	n->loop = ev_loop_new(EVFLAG_AUTO);
	if (n->loop == NULL)
		fatal("no event loop");
	ev_set_io_collect_interval(n->loop, 0.);
	clock_init(n);
	roles_init(n);
	sweep_init(n);
	reap_init(n);
}

/* What every life of the node has, once there are rows and a tree. */
static void
node_serve(struct node *n)
{
	struct state_head *h = &n->st->head;
	h->master_pid = getpid();
	h->keeper_pid = n->keeper;
	h->masters++;
	h->master_started_ms = n->tree.real_ms;
	cgroup_init(n);
	socks_adopt(n);
	node_log_open(n);
	roles_begin(n);
}

/* The first rows are there: a new tree. */
void
node_boot(struct node *n, int rows_fd)
{
	struct err err;
	uint64_t seed = 0;
	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
		seed = n->tree.real_ms;
	if (rows_begin(n, rows_fd, &err) < 0) {
		log_error("%s", err.msg);
		keep_say(n, KEEP_BYE, 1);
		_exit(1);
	}
	n->booting = 0;
	n->performing++;
	tree_init(&n->tree, seed);
	n->st->head.magic = STATE_MAGIC; /* whole: from here on it can be followed */
	node_serve(n);
	if (n->strays)
		kill_strays(n);
	n->performing--;
	perform(n);
	feed(n, &(struct input){.type = IN_NODE_START});
}

/* 0 if the state of a life before can be followed. */
static int
node_can_adopt(struct node *n)
{
	struct err err;
	const char *why;
	if (rows_open_kept(n, &err) < 0) {
		if (err_is_passing(&err)) /* the keeper tries again */
			fatal("%s", err.msg);
		log_error("run/state cannot be followed: %s", err.msg);
		return -1;
	}
	tree_roll_back(&n->tree);
	why = state_fault(
	    n->st, &n->rows, n->old_rows_fd >= 0 ? &n->old_rows : (struct rows *)NULL);
	if (why != NULL) {
		log_error("run/state is not used: %s", why);
		return -1;
	}
	return 0;
}

static void
node_adopt(struct node *n)
{
	n->performing++;
	n->logged_n = n->st->head.event_n; /* the master before logged those */
	node_serve(n);
	n->performing--;
	adopt(n);
	if (n->st->head.core.node_up)
		keep_say(n, KEEP_READY, 0);
	if (n->st->head.core.stopping && n->st->slot[ROOT].phase == PH_DOWN)
		n->ended = 1;
}

/* run/state of the running node, read by the program that is to follow: 0 or 1. */
static int
check_state(struct node *n)
{
	struct err err;
	n->run_dir = open(n->dirs.run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	n->state_fd = openat(n->run_dir, "state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat sb;
	if (n->state_fd < 0 || fstat(n->state_fd, &sb) < 0 ||
	    sb.st_size != (off_t)sizeof(struct state))
		return 1;
	void *m =
	    mmap(NULL, sizeof(struct state), PROT_READ, MAP_SHARED, n->state_fd, 0);
	if (m == MAP_FAILED)
		return 1;
	n->st = m;
	const struct state_head *h = &n->st->head;
	if (h->magic != STATE_MAGIC || h->version != STATE_VERSION ||
	    h->slot_size != sizeof(struct slot) || h->size != sizeof(struct state))
		return 1;
	return rows_open_kept(n, &err) < 0;
}

static int
node_end(struct node *n)
{
	if (n->st != NULL && !n->booting) {
		for (uint32_t i = 1; i < n->st->head.core.slots_used; i++)
			if (n->st->slot[i].kind == SLOT_WORKER) {
				char name[32];
				(void)snprintf(name, sizeof name, "%u", i);
				(void)unlinkat(n->notify_dir, name, 0);
			}
		log_info("the node ends with status %d", n->status);
		roles_stop(n);
		socks_end(n);
		cgroup_end(n);
	}
	(void)unlinkat(n->run_dir, "state", 0);
	(void)unlinkat(n->run_dir, "attach.sock", 0);
	(void)unlinkat(n->run_dir, "control.sock", 0);
	rows_remove_all(n);
	keep_say(n, KEEP_BYE, (uint64_t)(unsigned)n->status);
	return n->status;
}

int
main(int argc, char **argv)
{
	struct node *n = &node;
	struct err err;
	log_open("supervisord-master", 2, LOG_LEVEL_INFO);
	int check = 0;
	(void)argc;
	if (dirs_master_read(&n->dirs, argv, &n->init, &check, &err) < 0)
		fatal("%s", err.msg);
	n->sets_uid = geteuid() == 0;
	node_memory(n);
	clock_read(n);
	if (check)
		return check_state(n);
	node_process();
	node_directories(n);
	if (keep_wait_go(n, &err) < 0)
		fatal("%s", err.msg);
	int old = state_open(n, &err);
	if (old < 0)
		fatal("%s", err.msg);
	n->tree.st = n->st;
	node_loop(n);
	keep_init(n, &err);
	if (old && node_can_adopt(n) == 0) {
		node_adopt(n);
	} else {
		if (old && state_renew(n, &err) < 0)
			fatal("%s", err.msg);
		n->tree.st = n->st;
		n->booting = 1;
		load_start(n);
	}
	if (!n->ended)
		ev_run(n->loop, 0);
	return node_end(n);
}
