/*
 * supervisord-load - reads a configuration and hands it to the master as sealed rows.
 *
 * As a role (--role) it answers on its channel with one MSG_LOADED and ends.  For people
 * it checks (--check) and prints the papers that come from the table of keys (--print).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "confine/sandbox.h"
#include "confine/user.h"
#include "load/paper.h"
#include "proto/proto.h"

enum mode { MODE_NONE, MODE_ROLE, MODE_CHECK };

struct arguments {
	enum mode mode;
	bool json;
	const char *confine;
	const char *config;
	struct conf_options conf;
};

static const char usage[] =
    "usage: supervisord-load --check [--json] [--root DIR] CONFIG\n"
    "       supervisord-load --print man|conf|keys\n"
    "       supervisord-load --role [--root DIR] [--disabled FILE] [--init]\n"
    "                        [--confine USER] CONFIG\n"
    "\n"
    "Checks a configuration (exit 0 or 78), prints papers made from the table of keys, or\n"
    "loads a configuration for supervisord-master, which starts it with --role.\n";

/* A memfd that nobody can change any more, also not who made it. */
static int
sealed(const char *name, const void *data, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		fatal("cannot make a memfd: %s", strerrordesc_np(errno));
	if (fd_write_all(fd, data, size) < 0)
		fatal("cannot fill a memfd of %zu bytes: %s", size,
		    strerrordesc_np(errno));
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		fatal("cannot seal a memfd: %s", strerrordesc_np(errno));
	return fd;
}

static int
sealed_messages(struct conf *conf)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (out == NULL)
		fatal("out of memory");
	diag_print(&conf->diag, out);
	if (fclose(out) != 0)
		fatal("out of memory");
	int fd = sealed("messages", text, len);
	free(text);
	return fd;
}

/* The channel may be non-blocking; one small packet always fits a fresh one. */
static int
run_role(const struct arguments *args)
{
	struct conf conf;
	struct msg_loaded msg = {.m = {.type = MSG_LOADED}};
	int fds[2];
	unsigned n = 0;
	if (conf_load(args->config, &args->conf, &conf) == 0)
		fds[n++] = sealed("rows", conf.block, conf.size);
	msg.m.value = conf.diag.errors;
	fds[n++] = sealed_messages(&conf);
	if (chan_send(ROLE_CHANNEL_FD, &msg, sizeof msg, fds, n) < 0)
		fatal("cannot answer the master: %s", strerrordesc_np(errno));
	while (n > 0)
		fd_close(&fds[--n]);
	conf_free(&conf);
	return 0;
}

static void
print_json(struct conf *conf, const char *path)
{
	char text[PATH_MAX * 6];
	if (str_json(path, text, sizeof text) < 0)
		text[0] = '\0';
	printf("{\"file\":\"%s\",\"ok\":%s,\"errors\":%u,\"warnings\":%u,"
	       "\"applications\":%u,\"supervisors\":%u,\"workers\":%u,\"sockets\":%u,"
	       "\"messages\":",
	    text, conf->diag.errors == 0 ? "true" : "false", conf->diag.errors,
	    conf->diag.warnings, conf->applications, conf->supervisors, conf->workers,
	    conf->sockets);
	diag_print_json(&conf->diag, stdout);
	printf("}\n");
}

static int
run_check(const struct arguments *args)
{
	struct conf conf;
	char shown[PATH_MAX];
	int rc = conf_load(args->config, &args->conf, &conf);
	if (args->json)
		print_json(&conf, args->config);
	else
		diag_print(&conf.diag, stderr);
	str_printable(args->config, shown, sizeof shown);
	if (!args->json && rc == 0)
		printf("%s: %u application%s, %u worker%s, fine\n", shown,
		    conf.applications, conf.applications == 1 ? "" : "s", conf.workers,
		    conf.workers == 1 ? "" : "s");
	else if (!args->json)
		(void)fprintf(stderr, "%s: %u error%s\n", shown, conf.diag.errors,
		    conf.diag.errors == 1 ? "" : "s");
	conf_free(&conf);
	return rc == 0 ? 0 : EXIT_CONFIG;
}

static NORETURN void
bad_usage(void)
{
	(void)fputs(usage, stderr);
	exit(2);
}

/* Relative paths of the configuration begin there, so it must not be relative itself. */
static const char *
absolute(const char *dir)
{
	static char path[PATH_MAX];
	if (dir[0] == '\0')
		return "";
	if (realpath(dir, path) == NULL)
		fatal("the root %s: %s", dir, strerrordesc_np(errno));
	return path;
}

static NORETURN void
print_paper(const char *which)
{
	if (paper_print(which, stdout) < 0)
		bad_usage();
	exit(fflush(stdout) == 0 ? 0 : 1);
}

enum {
	ROLE = 1,
	CHECK,
	JSON,
	ROOT,
	DISABLED,
	INIT,
	CONFINE,
	PRINT,
	HELP,
	SHOW_VERSION
};

static void
parse(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
	    {"role", no_argument, NULL, ROLE},
	    {"check", no_argument, NULL, CHECK},
	    {"json", no_argument, NULL, JSON},
	    {"root", required_argument, NULL, ROOT},
	    {"disabled", required_argument, NULL, DISABLED},
	    {"init", no_argument, NULL, INIT},
	    {"confine", required_argument, NULL, CONFINE},
	    {"print", required_argument, NULL, PRINT},
	    {"help", no_argument, NULL, HELP},
	    {"version", no_argument, NULL, SHOW_VERSION},
	    {0},
	};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (c) {
		case ROLE:
		case CHECK:
			args->mode = c == ROLE ? MODE_ROLE : MODE_CHECK;
			break;
		case JSON:
			args->json = true;
			break;
		case ROOT:
			args->conf.root = absolute(optarg);
			break;
		case DISABLED:
			args->conf.disabled = optarg;
			break;
		case INIT:
			args->conf.init = true;
			break;
		case CONFINE:
			args->confine = optarg;
			break;
		case PRINT:
			print_paper(optarg);
		case HELP:
			exit(fputs(usage, stdout) >= 0 ? 0 : 1);
		case SHOW_VERSION:
			exit(printf("supervisord-load %s\n", VERSION) > 0 ? 0 : 1);
		default:
			bad_usage();
		}
	if (args->mode == MODE_NONE || optind != argc - 1)
		bad_usage();
	args->config = argv[optind];
}

int
main(int argc, char **argv)
{
	struct arguments args = {
	    .conf = {.root = "", .uid = geteuid(), .gid = getegid()}};
	struct err err;
	log_open("supervisord-load", 2, LOG_LEVEL_INFO);
	parse(argc, argv, &args);
	int role = args.mode == MODE_ROLE;
	if ((role || args.confine != NULL) && confine_user(args.confine, &err) < 0)
		fatal("%s", err.msg);
	/* A check has the rights of who typed it, and not the master's ear. */
	if (role && sandbox_enter(ROLE_LOAD, -1, &err) < 0)
		fatal("%s", err.msg);
	return role ? run_role(&args) : run_check(&args);
}
