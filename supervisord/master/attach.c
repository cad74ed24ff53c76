#include "master/node.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/chan.h"
#include "base/fd.h"
#include "base/log.h"

/*
 * run/attach.sock: over it a logger that outlived its master comes back, and handler
 * workers come (links.c).  Who somebody is says the kernel, by his pid.
 */

void
attach_one(struct node *n)
{
	struct ucred peer = {0};
	socklen_t len = sizeof peer;
	int fd = accept4(n->attach_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	clock_read(n);
	int known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0;
	if (known && peer.pid != n->role[ROLE_LOGGER].pid &&
	    link_attach(n, fd, peer.pid) == 0)
		return;
	if (!known || peer.pid != n->role[ROLE_LOGGER].pid ||
	    n->role[ROLE_LOGGER].chan >= 0) {
		struct msg end = {.type = MSG_LOG_DROP, .slot = ROOT};
		if (peer.pid != n->role[ROLE_LOGGER].pid) /* of a state that was lost */
			(void)chan_send(fd, &end, sizeof end, NULL, 0);
		fd_close(&fd);
		return;
	}
	ev_timer_stop(n->loop, &n->role[ROLE_LOGGER].again);
	role_attach(n, ROLE_LOGGER, fd, peer.pid);
	log_info("the logger came back (pid %d)", (int)peer.pid);
}

static void
on_attach(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	attach_one(w->data);
}

void
role_listen(struct node *n)
{
	struct err err;
	n->attach_fd = fd_unix_bind(
	    n->run_dir, "attach.sock", SOCK_SEQPACKET | SOCK_NONBLOCK, &err);
	if (n->attach_fd < 0 || listen(n->attach_fd, 1024) < 0) {
		log_error("a logger could not come back: %s", err.msg);
		return;
	}
	if (fchmodat(n->run_dir, "attach.sock", n->dirs.user_mode ? 0600 : 0666, 0) < 0)
		log_warn("attach.sock keeps its mode: %s", strerrordesc_np(errno));
	ev_io_init(&n->attach_io, on_attach, n->attach_fd, EV_READ);
	n->attach_io.data = n;
	ev_io_start(n->loop, &n->attach_io);
}
