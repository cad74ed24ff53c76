#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void
fd_close(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_nonblock(int fd)
{
	int fl = fcntl(fd, F_GETFL);
	return fl < 0 ? -1 : fcntl(fd, F_SETFL, fl | O_NONBLOCK);
}

int
fd_cloexec(int fd, int on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

int
fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t
fd_read_file(int dirfd, const char *path, char *buf, size_t cap)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	size_t n = 0;
	ssize_t k = 0;
	while (n < cap && (k = read(fd, buf + n, cap - n)) != 0) {
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			break;
		n += (size_t)k;
	}
	fd_close(&fd);
	if (k < 0)
		return -1;
	if (n == cap) {
		errno = EFBIG;
		return -1;
	}
	buf[n] = '\0';
	return (ssize_t)n;
}

static int
unix_address(struct sockaddr_un *sa, int dirfd, const char *name, struct err *err)
{
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	int n = snprintf(
	    sa->sun_path, sizeof sa->sun_path, "/proc/self/fd/%d/%s", dirfd, name);
	if (n < 0 || (size_t)n >= sizeof sa->sun_path)
		return err_set(err, ERR_FAILED, "socket name '%s' is too long", name);
	return 0;
}

int
fd_unix_bind(int dirfd, const char *name, int type, struct err *err)
{
	struct sockaddr_un sa;
	if (unix_address(&sa, dirfd, name, err) < 0)
		return -1;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "cannot make a socket");
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT) {
		err_sys(err, "cannot remove the old socket '%s'", name);
		fd_close(&fd);
		return -1;
	}
	if (bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0) {
		err_sys(err, "cannot bind the socket '%s'", name);
		fd_close(&fd);
		return -1;
	}
	return fd;
}

int
fd_unix_connect(int dirfd, const char *name, int type, struct err *err)
{
	struct sockaddr_un sa;
	if (unix_address(&sa, dirfd, name, err) < 0)
		return -1;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "cannot make a socket");
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) < 0) {
		err_sys(err, "cannot connect to '%s'", name);
		fd_close(&fd);
		return -1;
	}
	return fd;
}

int
fd_mkdirs(const char *path, unsigned mode, struct err *err)
{
	char part[4096];
	struct stat sb;
	size_t len = strlen(path);
	if (len >= sizeof part)
		return err_set(err, ERR_FAILED, "path of %zu bytes is too long", len);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, (mode_t)mode) < 0 && errno != EEXIST)
			return err_sys(err, "cannot make the directory %s", part);
	}
	if (stat(path, &sb) < 0)
		return err_sys(err, "cannot use the directory %s", path);
	if (!S_ISDIR(sb.st_mode))
		return err_set(
		    err, ERR_FAILED, "%s is in the way: it is no directory", path);
	return 0;
}
