#include "logger/term.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

void
term_open(struct term *term, int fd)
{
	struct stat st;
	char path[64];
	*term = (struct term){.fd = fd};
	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0) {
		term->fd = -1;
		return;
	}
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	term->is_socket = S_ISSOCK(st.st_mode);
	if (term->is_socket)
		return;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int own = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	term->is_shared = own < 0;
	if (own >= 0)
		term->fd = own;
}

/* As much as goes without waiting. */
static ssize_t
put(const struct term *term, const char *buf, size_t n)
{
	struct pollfd p = {.fd = term->fd, .events = POLLOUT};
	if (term->is_socket)
		return send(term->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!term->is_shared)
		return write(term->fd, buf, n);
	/* A pipe that polls writable takes PIPE_BUF bytes at once. */
	if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
		return -1;
	return write(term->fd, buf, MIN(n, (size_t)PIPE_BUF));
}

void
term_write(struct term *term, const char *buf, size_t n)
{
	if (term->fd < 0 || n == 0)
		return;
	if (term->cut && put(term, "\n", 1) != 1)
		return;
	term->cut = 0;
	while (n > 0) {
		ssize_t k = put(term, buf, n);
		if (k <= 0)
			return;
		buf += k;
		n -= (size_t)k;
		/* If the rest cannot go, the next text begins on a line of its own. */
		term->cut = n > 0 && buf[-1] != '\n';
	}
	term->cut = 0;
}
