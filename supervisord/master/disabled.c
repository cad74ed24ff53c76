#include "master/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* lib/disabled: what is not started at boot, an id a line. */

#define DISABLED_AGAIN_S 0.5

static int
disabled_write(struct node *n, int fd)
{
	char text[4096], id[ROW_ID_MAX];
	size_t len = 0;
	for (uint32_t i = 1; i < n->st->head.core.slots_used; i++) {
		const struct slot *s = slot_at(n, i);
		if (s->kind == SLOT_FREE || (s->flags & SF_DISABLED) == 0 ||
		    (s->flags & SF_OLD_ROW) != 0)
			continue;
		if (len + sizeof id + 1 > sizeof text) {
			if (fd_write_all(fd, text, len) < 0)
				return -1;
			len = 0;
		}
		slot_id(&n->rows, s, id);
		len += (size_t)snprintf(text + len, sizeof text - len, "%s\n", id);
	}
	return fd_write_all(fd, text, len) < 0 || fsync(fd) < 0 ? -1 : 0;
}

static void
on_disabled(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	disabled_save(w->data);
}

/* The whole list or the one before; what cannot be written is tried again. */
void
disabled_save(struct node *n)
{
	char temp[DIRS_PATH + 32];
	(void)snprintf(temp, sizeof temp, "%s.new", n->disabled_path);
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc = fd < 0 ? -1 : disabled_write(n, fd);
	fd_close(&fd);
	if (rc == 0 && rename(temp, n->disabled_path) == 0)
		return;
	log_error("cannot write %s: %s; tried again", n->disabled_path,
	    strerrordesc_np(errno));
	(void)unlink(temp);
	if (n->loop == NULL || ev_is_active(&n->disabled_again))
		return;
	ev_timer_init(&n->disabled_again, on_disabled, DISABLED_AGAIN_S, 0.);
	n->disabled_again.data = n;
	ev_timer_start(n->loop, &n->disabled_again);
}
