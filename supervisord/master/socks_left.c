#include "master/node.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/util.h"

/*
 * Log pipes of slots that are no more, until a logger has read them empty: one that is
 * killed may not have heard of them, or not have come to them.
 */

enum { LEFT_MAX = 256, SWEEP_MS = 200 };

static struct left {
	int fd; /* owned */
	int told;
	struct msg_log_add add;
} left[LEFT_MAX];

static unsigned nleft;
static ev_timer sweep;

static int
bytes_in(int fd)
{
	int bytes = 0;
	return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : 0;
}

static void
forget_empty(void)
{
	for (unsigned i = nleft; i-- > 0;)
		if (bytes_in(left[i].fd) == 0) {
			fd_close(&left[i].fd);
			left[i] = left[--nleft];
		}
}

static void
on_sweep(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	forget_empty();
	if (nleft == 0)
		return;
	ev_timer_set(w, SWEEP_MS / 1000.0, 0.);
	ev_timer_start(loop, w);
}

/* Takes the read end if something lies in it, *fd is -1 then; `told`: the logger has
 * the pipe and knows that it is the end. */
void
pipe_leave(struct node *n, uint32_t slot, const char *id, int *fd, int told)
{
	const struct row_node *rn = &n->rows.head->node;
	struct stat sb;
	forget_empty();
	if (nleft == LEFT_MAX || fstat(*fd, &sb) < 0 || bytes_in(*fd) == 0)
		return;
	struct left *l = &left[nleft++];
	*l = (struct left){.fd = *fd,
	    .told = told,
	    .add = {.m = {.type = MSG_LOG_ADD, .slot = slot},
		.ino = sb.st_ino,
		.max_bytes = rn->log_max_bytes,
		.max_age_ms = rn->log_max_age_ms,
		.keep = rn->log_keep,
		.flags = 1 | (rn->log_zstd ? 2U : 0U)}};
	(void)snprintf(l->add.id, sizeof l->add.id, "%s", id);
	*fd = -1;
	if (ev_is_active(&sweep))
		return;
	ev_timer_init(&sweep, on_sweep, SWEEP_MS / 1000.0, 0.);
	ev_timer_start(n->loop, &sweep);
}

/* To a logger that is up; 0, or -1 if its channel has no room yet. */
int
pipes_left_tell(struct node *n)
{
	for (unsigned i = 0; i < nleft; i++) {
		struct left *l = &left[i];
		struct msg drop = {.type = MSG_LOG_DROP, .slot = l->add.m.slot};
		if (l->told)
			continue;
		if (role_send(n, ROLE_LOGGER, &l->add, sizeof l->add, &l->fd, 1) < 0 ||
		    role_send(n, ROLE_LOGGER, &drop, sizeof drop, NULL, 0) < 0)
			return -1;
		l->told = 1;
	}
	return 0;
}

/* The logger died: what it has not read is for the next. */
void
pipes_left_untold(void)
{
	for (unsigned i = 0; i < nleft; i++)
		left[i].told = 0;
}

/* Whether any pipe of the node holds lines. */
int
pipes_hold_lines(const struct node *n)
{
	forget_empty();
	for (uint32_t i = 0; i < n->st->head.core.slots_used; i++)
		if (n->io[i].log_read >= 0 && bytes_in(n->io[i].log_read) > 0)
			return 1;
	return nleft > 0;
}
