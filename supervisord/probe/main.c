/*
 * supervisord-probe: hears what workers say of themselves (sd_notify) and looks whether
 * they answer.  A role of the master, never started by hand; see supervisord-probe(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "confine/sandbox.h"
#include "confine/user.h"
#include "probe/probe.h"

static const struct option long_options[] = {
    {"run", required_argument, NULL, 'r'},
    {"confine", required_argument, NULL, 'c'},
    {NULL, 0, NULL, 0},
};

static void
parse_options(int argc, char **argv, const char **run, const char **user)
{
	int c;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		switch (c) {
		case 'r':
			*run = optarg;
			break;
		case 'c':
			*user = optarg;
			break;
		default:
			exit(2);
		}
	if (*run != NULL && optind == argc)
		return;
	(void)fprintf(stderr,
	    "usage: supervisord-probe --run DIR [--confine USER]\n"
	    "It is started by supervisord-master, with its channel as descriptor 3.\n");
	exit(2);
}

/* One descriptor a worker and one a check. */
static void
raise_nofile(void)
{
	struct rlimit rl;
	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
		log_warn("cannot raise the limit of descriptors: %s",
		    strerrordesc_np(errno));
}

int
main(int argc, char **argv)
{
	const char *run = NULL, *user = NULL;
	struct err err;
	log_open("supervisord-probe", 2, LOG_LEVEL_INFO);
	parse_options(argc, argv, &run, &user);
	(void)signal(SIGPIPE, SIG_IGN);
	/* The terminal's signals are for the node, which ends us when it has ended. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	raise_nofile();
	if (fcntl(ROLE_CHANNEL_FD, F_SETFD, FD_CLOEXEC) < 0)
		fatal("no channel on descriptor %d; supervisord-master starts this "
		      "program",
		    (int)ROLE_CHANNEL_FD);
	/* Nothing in it is needed; to stand there keeps no other file system busy. */
	if (chdir(run) < 0)
		fatal("cannot enter %s: %s", run, strerrordesc_np(errno));
	if (confine_user(user, &err) < 0 || sandbox_enter(ROLE_PROBE, -1, &err) < 0)
		fatal("%s", err.msg);
	if (probe_run(ROLE_CHANNEL_FD, &err) < 0)
		fatal("%s", err.msg);
	return 0;
}
