/*
 * supervisord-control - answers JSON-RPC on DIR/control.sock.
 *
 * Started by supervisord-master with the channel as descriptor 3 and the log as 2.  It
 * binds its socket, enters its sandbox, says hello, and listens when the master has
 * sent the maps.  Ends with the channel; the master starts it anew.
 */
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "confine/sandbox.h"
#include "confine/user.h"
#include "control/call.h"
#include "control/client.h"
#include "control/man.h"
#include "control/master.h"
#include "proto/proto.h"

/* Farther than any process lives; libev wakes every minute without a periodic. */
#define FAR_FUTURE_S 4e9

struct options {
	const char *run, *log, *confine;
};

static void
usage(FILE *out)
{
	(void)fputs(
	    "usage: supervisord-control --run DIR [--log DIR] [--confine USER]\n"
	    "       supervisord-control --print man\n"
	    "Started by supervisord-master; steward-control(7) describes what it "
	    "speaks.\n",
	    out);
}

/* Options that print something and end the program. */
static void
print_and_exit(const char *option, const char *value)
{
	if (strcmp(option, "--help") == 0)
		usage(stdout);
	else if (strcmp(option, "--version") == 0)
		puts("supervisord-control " VERSION);
	else if (strcmp(option, "--print") == 0 && value != NULL &&
		 strcmp(value, "man") == 0)
		man_print(stdout);
	else
		return;
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static const char **
option_place(struct options *o, const char *option)
{
	if (strcmp(option, "--run") == 0)
		return &o->run;
	if (strcmp(option, "--log") == 0)
		return &o->log;
	return strcmp(option, "--confine") == 0 ? &o->confine : NULL;
}

static int
parse(char **argv, struct options *o)
{
	for (; *argv != NULL; argv += 2) {
		print_and_exit(argv[0], argv[1]);
		const char **place = option_place(o, argv[0]);
		if (place == NULL || argv[1] == NULL) {
			(void)fprintf(stderr,
			    "supervisord-control: %s '%s'; see --help\n",
			    place == NULL ? "unknown argument"
					  : "a value is missing behind",
			    argv[0]);
			return -1;
		}
		*place = argv[1];
	}
	if (o->run == NULL)
		(void)fputs("supervisord-control: --run DIR is missing\n", stderr);
	return o->run == NULL ? -1 : 0;
}

/*
 * The socket belongs to the user we become, so that its mode can follow the
 * configuration later (clients_allow).
 */
static int
bind_socket(struct control *c, const char *user)
{
	struct err err;
	const struct passwd *pw = user != NULL ? getpwnam(user) : NULL;
	mode_t mask = umask(0177);
	int sock = fd_unix_bind(c->run_fd, "control.sock", SOCK_STREAM, &err);
	(void)umask(mask);
	if (sock < 0)
		fatal("%s", err.msg);
	if (pw != NULL &&
	    fchownat(c->run_fd, "control.sock", pw->pw_uid, pw->pw_gid, 0) < 0)
		log_warn("control.sock cannot be given to %s: %s", user,
		    strerrordesc_np(errno));
	return sock;
}

static void
run(struct control *c, int sock)
{
	ev_periodic far;
	c->calls = calls_new();
	c->clients = clients_new(c, sock);
	c->master = master_new(c, ROLE_CHANNEL_FD);
	ev_periodic_init(&far, NULL, FAR_FUTURE_S, 0., NULL);
	ev_periodic_start(c->loop, &far);
	ev_run(c->loop, 0);
	clients_free(&c->clients);
	calls_free(c);
	master_free(&c->master);
	view_clear(&c->view);
	ev_periodic_stop(c->loop, &far);
	ev_loop_destroy(c->loop);
}

int
main(int argc, char **argv)
{
	struct options o = {NULL, NULL, NULL};
	struct err err;
	if (argc < 1 || parse(argv + 1, &o) < 0)
		return 2;
	log_open("control", STDERR_FILENO, LOG_LEVEL_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	struct control c = {.view = {.rows_fd = -1, .old_fd = -1},
	    .node_uid = getuid(),
	    .run_dir = o.run,
	    .log_dir = o.log,
	    .sock_mode = o.confine != NULL ? 0660 : 0600};
	c.run_fd = open(o.run, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c.run_fd < 0)
		fatal("cannot open %s: %s", o.run, strerrordesc_np(errno));
	if (fcntl(ROLE_CHANNEL_FD, F_GETFD) < 0)
		fatal(
		    "there is no channel on descriptor 3; supervisord starts this program");
	if (fd_cloexec(ROLE_CHANNEL_FD, 1) < 0 || fd_nonblock(ROLE_CHANNEL_FD) < 0)
		fatal("descriptor 3 is no channel");
	struct pollfd p = {.fd = ROLE_CHANNEL_FD};
	if (poll(&p, 1, 0) == 1) /* its master was killed: another control serves */
		return 0;
	int sock = bind_socket(&c, o.confine);
	if (confine_user(o.confine, &err) < 0 ||
	    sandbox_enter(ROLE_CONTROL, -1, &err) < 0)
		fatal("%s", err.msg);
	c.loop = ev_loop_new(EVFLAG_AUTO);
	if (c.loop == NULL)
		fatal("cannot make an event loop");
	run(&c, sock);
	fd_close(&c.run_fd);
	return 0;
}
