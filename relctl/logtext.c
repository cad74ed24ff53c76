#include "logtext.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/run.h"

uint64_t
logtext_time_ms(const char *text, size_t len)
{
	char buf[32];
	struct tm tm = {.tm_isdst = 0};
	unsigned us = 0;
	int used = 0;
	if (len < 27 || text[10] != 'T' || text[26] != 'Z')
		return 0;
	memcpy(buf, text, 27);
	buf[27] = '\0';
	/* the widths keep each number small: NOLINTNEXTLINE(cert-err34-c) */
	if (sscanf(buf, "%4d-%2d-%2dT%2d:%2d:%2d.%6uZ%n", &tm.tm_year, &tm.tm_mon,
		&tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &us, &used) != 7 ||
	    used != 27)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time_t t = timegm(&tm);
	return t <= 0 ? 0 : (uint64_t)t * 1000 + us / 1000;
}

int
logtext_map(int fd, struct logtext *t)
{
	struct stat sb;
	*t = (struct logtext){NULL, 0, 0};
	if (fstat(fd, &sb) < 0)
		return -1;
	if (sb.st_size == 0)
		return 0;
	void *p = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	t->bytes = p;
	t->len = (size_t)sb.st_size;
	return 0;
}

void
logtext_unmap(struct logtext *t)
{
	if (t->bytes != NULL)
		munmap(t->bytes, t->len);
	*t = (struct logtext){NULL, 0, 0};
}

/* A compressed file, unpacked into memory by zstd(1). */
static int
unpacked(int packed)
{
	static const char *const argv[] = {"/usr/bin/zstd", "-dcq", NULL};
	int fd = memfd_create("log", MFD_CLOEXEC), status = 0;
	pid_t pid = 0;
	const int fds[3] = {packed, fd, -1};
	if (fd < 0 || run_start(argv, fds, &pid, NULL) < 0) {
		fd_close(&fd);
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fd_close(&fd);
	return fd;
}

int
logtext_rotated(const char *log_path, unsigned k)
{
	char path[1100];
	(void)snprintf(path, sizeof path, "%s.%u", log_path, k);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	(void)snprintf(path, sizeof path, "%s.%u.zst", log_path, k);
	int packed = open(path, O_RDONLY | O_CLOEXEC);
	if (packed < 0)
		return -1;
	fd = unpacked(packed);
	fd_close(&packed);
	return fd;
}

size_t
logtext_tail(const struct logtext *t, size_t *lines)
{
	size_t at = t->len;
	if (*lines == SIZE_MAX)
		return 0;
	while (at > 0 && *lines > 0) {
		const char *nl = at > 1 ? memrchr(t->bytes, '\n', at - 1) : NULL;
		at = nl != NULL ? (size_t)(nl - t->bytes) + 1 : 0;
		--*lines;
	}
	return at;
}

size_t
logtext_since(const struct logtext *t, size_t at, uint64_t since_ms)
{
	while (since_ms > 0 && at < t->len) {
		const char *nl = memchr(t->bytes + at, '\n', t->len - at);
		size_t n = nl != NULL ? (size_t)(nl - (t->bytes + at)) : t->len - at;
		if (logtext_time_ms(t->bytes + at, n) >= since_ms)
			break;
		at += n + (nl != NULL);
	}
	return at;
}
