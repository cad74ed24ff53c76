#include "logger/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"

int
tap_open(struct tap *tap, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, "cannot make the logger's own pipe");
	tap->out = ends[0];
	tap->in = ends[1];
	return 0;
}

void
tap_close(struct tap *tap)
{
	fd_close(&tap->in);
	fd_close(&tap->out);
}

ssize_t
tap_peek(struct tap *tap, int fd)
{
	size_t got = 0;
	ssize_t n;
	do
		n = tee(fd, tap->in, TAP_CHUNK, SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);
	while (n > 0 && got < (size_t)n) {
		ssize_t k = read(tap->out, tap->chunk + got, TAP_CHUNK - got);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		got += (size_t)k;
	}
	return n;
}

/* By read: splice(2) to /dev/null stops at a kill between two pages, within a line. */
int
tap_take(struct tap *tap, int fd, size_t n)
{
	while (n > 0) {
		ssize_t k = read(fd, tap->chunk, MIN(n, (size_t)TAP_CHUNK));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		n -= (size_t)k;
	}
	return 0;
}
