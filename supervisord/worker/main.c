/*
 * supervisord-worker: hosts one handler module.  Started by the master for a worker with
 * `handler =`, as that worker's user, with its mailbox among the sockets it is given; see
 * supervisord-worker(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sdnotify.h"
#include "base/str.h"
#include "base/util.h"
#include "worker/worker.h"

enum { CALLERS_MAX = 256, SPIN_NS = 50000 };

struct options {
	const char *module, *callers;
	uint64_t queue;
	int argc; /* what stands behind -- */
	char **argv;
};

static void
usage(void)
{
	(void)fprintf(stderr,
	    "usage: supervisord-worker [--module FILE.so] [--callers UID,... | any]\n"
	    "                          [--queue N] [-- ARG ...]\n"
	    "It is started by supervisord-master for a worker with `handler = FILE.so`.\n");
	exit(2);
}

static void
options_read(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
	    {"module", required_argument, NULL, 'm'},
	    {"callers", required_argument, NULL, 'c'},
	    {"queue", required_argument, NULL, 'q'},
	    {0},
	};
	struct err err;
	*o = (struct options){
	    .module = getenv("STEWARD_MODULE"), .callers = "", .queue = QUEUE_DEFAULT};
	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
		if (c == 'm')
			o->module = optarg;
		else if (c == 'c')
			o->callers = optarg;
		else if (c == 'q' &&
			 str_number(optarg, 1, UINT32_MAX, &o->queue, &err) == 0)
			continue;
		else
			usage();
	if (o->module == NULL)
		usage();
	o->argc = argc - optind;
	o->argv = argv + optind;
}

/* "0,1000" or "any"; the list lives as long as the process. */
static void
callers_read(struct steward_worker *w, const char *text)
{
	static uint32_t uids[CALLERS_MAX];
	w->anybody = strcmp(text, "any") == 0;
	w->uids = uids;
	for (const char *p = text; !w->anybody && *p != '\0'; p += *p == ',') {
		char *end;
		unsigned long uid = strtoul(p, &end, 10);
		if (end == p || (*end != '\0' && *end != ',') ||
		    w->nuids == CALLERS_MAX)
			usage();
		uids[w->nuids++] = (uint32_t)uid;
		p = end;
	}
}

/* What the master says of us in the environment. */
static void
identity_read(struct steward_worker *w)
{
	const char *id = getenv("STEWARD_ID"), *run = getenv("STEWARD_RUN");
	const char *gen = getenv("STEWARD_GENERATION");
	w->id = id != NULL && strlen(id) <= FRAME_NAME_MAX ? id : "?";
	w->gen = gen != NULL ? strtoull(gen, NULL, 10) : 1;
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/mailbox", run != NULL ? run : ".");
	w->mailbox_dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->mailbox_dir < 0 && run != NULL)
		log_warn("cannot open %s: others cannot be called: %s", path,
		    strerrordesc_np(errno));
}

static void
on_term(struct ev_loop *loop, ev_signal *s, int events)
{
	(void)loop;
	(void)events;
	run_end(s->data, "shutdown");
}

/* An unused far-off event keeps libev from waking up every minute. */
static void
on_never(struct ev_loop *loop, ev_periodic *p, int events)
{
	(void)loop;
	(void)p;
	(void)events;
}

/*
 * After a message the next one is often on its way: looking for it a little longer is
 * cheaper than to sleep and be woken, above all between two processors.
 */
static void
loop_run(struct steward_worker *w)
{
	while (!w->ended) {
		int spin =
		    w->busy_ns != 0 && clock_ns(CLOCK_MONOTONIC) - w->busy_ns < SPIN_NS;
		if (!spin)
			w->busy_ns = 0;
		ev_run(w->loop, spin ? EVRUN_NOWAIT : EVRUN_ONCE);
		if (spin && !w->ended)
			(void)sched_yield();
	}
}

static void
start(struct steward_worker *w, const struct options *o)
{
	struct err err;
	struct steward_args args = {
	    .argc = o->argc, .argv = o->argv, .generation = w->gen};
	if (module_load(&w->module, o->module, &err) < 0)
		fatal("%s", err.msg);
	if (run_init(w, &args) != 0)
		fatal(
		    "the init of %s %s has failed", w->module.name, w->module.version);
	int fd = steward_socket(w, "mailbox");
	if (fd >= 0 && serve_start(w, fd, &err) < 0)
		fatal("%s", err.msg);
	if (getenv("STEWARD_RUN") != NULL)
		link_start(w, getenv("STEWARD_RUN"));
	sdnotify("READY=1");
}

static int
finish(struct steward_worker *w)
{
	int clean =
	    strcmp(w->reason, "normal") == 0 || strcmp(w->reason, "shutdown") == 0;
	if (!clean)
		log_error("the worker ends: %s", w->reason);
	swap_undo(w);
	link_stop(w);
	serve_stop(w);
	call_stop(w);
	watch_stop(w);
	room_stop(w);
	ev_signal_stop(w->loop, &w->term);
	ev_loop_destroy(w->loop);
	module_unload(&w->module);
	fd_close(&w->mailbox_dir);
	return clean ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static struct steward_worker worker;
	struct steward_worker *w = &worker;
	struct options o;
	ev_periodic never;
	log_open("supervisord-worker", 2, LOG_LEVEL_INFO);
	options_read(argc, argv, &o);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(w->reason, sizeof w->reason, "normal");
	w->link = w->run_dir = -1;
	w->queue_max = (uint32_t)o.queue;
	callers_read(w, o.callers);
	identity_read(w);
	run_report_crashes(w);
	w->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (w->loop == NULL)
		fatal("no event loop");
	ev_periodic_init(&never, on_never, 4e9, 0, NULL);
	ev_periodic_start(w->loop, &never);
	ev_signal_init(&w->term, on_term, SIGTERM);
	w->term.data = w;
	ev_signal_start(w->loop, &w->term);
	start(w, &o);
	loop_run(w);
	ev_periodic_stop(w->loop, &never);
	return finish(w);
}
