/*
 * supervisord-logger: the lines of all workers into their files.  A role of the master,
 * never started by hand; see supervisord-logger(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "confine/sandbox.h"
#include "confine/user.h"
#include "logger/logger.h"

struct options {
	const char *log, *run, *user;
	int tee;
};

static const struct option long_options[] = {
    {"log", required_argument, NULL, 'l'},
    {"run", required_argument, NULL, 'r'},
    {"confine", required_argument, NULL, 'c'},
    {"tee-fd", required_argument, NULL, 't'},
    {NULL, 0, NULL, 0},
};

static int
parse_fd(const char *text)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text || n < 0 || n > 1 << 20)
		fatal("--tee-fd wants the number of a descriptor, not '%s'", text);
	return (int)n;
}

static void
parse_options(int argc, char **argv, struct options *opt)
{
	int c;
	*opt = (struct options){.tee = -1};
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		switch (c) {
		case 'l':
			opt->log = optarg;
			break;
		case 'r':
			opt->run = optarg;
			break;
		case 'c':
			opt->user = optarg;
			break;
		case 't':
			opt->tee = parse_fd(optarg);
			break;
		default:
			exit(2);
		}
	if (opt->log != NULL && opt->run != NULL && optind == argc)
		return;
	(void)fprintf(stderr,
	    "usage: supervisord-logger --log DIR --run DIR [--confine USER] "
	    "[--tee-fd N]\n"
	    "It is started by supervisord-master, with its channel as descriptor 3.\n");
	exit(2);
}

/*
 * Descriptor 2 is mostly the node's own log pipe, which this process reads: a write
 * that waits would wait for ever.  Opened anew, O_NONBLOCK is ours alone.
 */
static void
open_own_log(void)
{
	struct stat st;
	int fd = 2;
	if (fstat(2, &st) == 0 && S_ISFIFO(st.st_mode))
		fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	log_open("supervisord-logger", fd >= 0 ? fd : 2, LOG_LEVEL_INFO);
}

/* As many descriptors as allowed; how many files of them may be open at once. */
static unsigned
raise_nofile(void)
{
	struct rlimit rl;
	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return 64;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
		log_warn("cannot raise the limit of descriptors: %s",
		    strerrordesc_np(errno));
	return (unsigned)MIN(MAX(rl.rlim_cur / 8, (rlim_t)16), (rlim_t)4096);
}

/* The directory belongs to whom we are going to be. */
static int
open_log_dir(const struct options *opt)
{
	struct err err;
	if (fd_mkdirs(opt->log, 0750, &err) < 0)
		fatal("%s", err.msg);
	int dir = open(opt->log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		fatal("cannot open the log directory %s: %s", opt->log,
		    strerrordesc_np(errno));
	if (opt->user == NULL || geteuid() != 0)
		return dir;
	const struct passwd *pw = getpwnam(opt->user);
	if (pw != NULL && fchown(dir, pw->pw_uid, pw->pw_gid) < 0)
		fatal("cannot give the log directory %s to %s: %s", opt->log, opt->user,
		    strerrordesc_np(errno));
	return dir;
}

static int
open_at(int dir, const char *name, int flags, const char *what)
{
	int fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		fatal("cannot open %s: %s", what, strerrordesc_np(errno));
	return fd;
}

int
main(int argc, char **argv)
{
	struct options opt;
	struct err err;
	open_own_log();
	parse_options(argc, argv, &opt);
	(void)umask(027);
	(void)signal(SIGPIPE, SIG_IGN);
	/* The terminal's signals are for the node, which ends us when it has ended. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	unsigned max_open = raise_nofile();
	struct logger_fds fds = {.chan = ROLE_CHANNEL_FD};
	if (fcntl(fds.chan, F_SETFD, FD_CLOEXEC) < 0)
		fatal("no channel on descriptor %d; supervisord-master starts this "
		      "program",
		    fds.chan);
	fds.dir = open_log_dir(&opt);
	fds.run = open_at(AT_FDCWD, opt.run, O_PATH | O_DIRECTORY, opt.run);
	if (confine_user(opt.user, &err) < 0)
		fatal("%s", err.msg);
	fds.lock = open_at(fds.dir, ".lock", O_RDWR | O_CREAT | O_NOCTTY,
	    "the lock of the log directory");
	term_open(&fds.term, opt.tee);
	if (sandbox_enter(ROLE_LOGGER, fds.dir, &err) < 0)
		fatal("%s", err.msg);
	if (logger_run(&fds, max_open, &err) < 0)
		fatal("%s", err.msg);
	return 0;
}
