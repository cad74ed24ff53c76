#include "master/node.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/util.h"

/*
 * Log pipes of slots that are no more, while there is no logger: what lies in them is
 * read by the next one.
 */

enum { LEFT_MAX = 256 };

static struct left {
	int fd; /* owned */
	struct msg_log_add add;
} left[LEFT_MAX];

static unsigned nleft;

/* Takes the read end if something lies in it; *fd is -1 then. */
void
pipe_leave(struct node *n, uint32_t slot, const char *id, int *fd)
{
	const struct row_node *rn = &n->rows.head->node;
	struct stat sb;
	int bytes = 0;
	if (nleft == LEFT_MAX || fstat(*fd, &sb) < 0 ||
	    ioctl(*fd, FIONREAD, &bytes) < 0 || bytes == 0)
		return;
	struct left *l = &left[nleft++];
	*l = (struct left){.fd = *fd,
	    .add = {.m = {.type = MSG_LOG_ADD, .slot = slot},
		.ino = sb.st_ino,
		.max_bytes = rn->log_max_bytes,
		.max_age_ms = rn->log_max_age_ms,
		.keep = rn->log_keep,
		.flags = 1 | (rn->log_zstd ? 2U : 0U)}};
	(void)snprintf(l->add.id, sizeof l->add.id, "%s", id);
	*fd = -1;
}

/* To a logger that is up; 0, or -1 if its channel has no room yet. */
int
pipes_left_tell(struct node *n)
{
	for (; nleft > 0; nleft--) {
		struct left *l = &left[nleft - 1];
		struct msg drop = {.type = MSG_LOG_DROP, .slot = l->add.m.slot};
		if (role_send(n, ROLE_LOGGER, &l->add, sizeof l->add, &l->fd, 1) < 0 ||
		    role_send(n, ROLE_LOGGER, &drop, sizeof drop, NULL, 0) < 0)
			return -1;
		fd_close(&l->fd);
	}
	return 0;
}
