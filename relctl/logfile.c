#include "logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/run.h"
#include "base/util.h"

enum { ROTATED_MAX = 1000, CHUNK = 64 * 1024, LINE_MAX_BYTES = 1 << 20 };

struct logfile {
	char *id, *path; /* owned */
	int fd;
	ino_t ino;
	char *part; /* owned: a line that has no end yet */
	size_t part_len, part_cap;
};

/* A whole file in memory, mapped. */
struct text {
	char *bytes;
	size_t len;
};

uint64_t
logfile_time_ms(const char *text, size_t len)
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

static int
log_name(char *buf, size_t cap, const char *log_dir, const char *id)
{
	int n = snprintf(buf, cap, "%s/%s.log", log_dir, id);
	return n > 0 && (size_t)n < cap ? 0 : -1;
}

static struct logfile *
make(const char *id, const char *path, int fd, ino_t ino)
{
	struct logfile *f = calloc(1, sizeof *f);
	must(f != NULL);
	*f = (struct logfile){.fd = fd, .ino = ino};
	f->id = strdup(id);
	f->path = strdup(path);
	must(f->id != NULL && f->path != NULL);
	return f;
}

struct logfile *
logfile_open(const char *log_dir, const char *id, struct err *err)
{
	char path[1024];
	struct stat sb;
	/* An id, never a way out of the directory. */
	if (strstr(id, "..") != NULL || id[0] == '/' ||
	    log_name(path, sizeof path, log_dir, id) < 0) {
		err_set(err, ERR_USAGE, "'%s' is no id of a worker", id);
		return NULL;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT) {
		err_set(err, ERR_UNKNOWN_NAME,
		    "there is no log %s; nothing was written yet, or `log =` sends it "
		    "elsewhere",
		    path);
		return NULL;
	}
	if (fd < 0 || fstat(fd, &sb) < 0) {
		err_sys(err, "cannot read %s", path);
		fd_close(&fd);
		return NULL;
	}
	return make(id, path, fd, sb.st_ino);
}

struct logfile *
logfile_await(const char *log_dir, const char *id)
{
	char path[1024];
	if (log_name(path, sizeof path, log_dir, id) < 0)
		return NULL;
	return make(id, path, -1, 0);
}

void
logfile_close(struct logfile **file)
{
	struct logfile *f = *file;
	if (f == NULL)
		return;
	fd_close(&f->fd);
	free(f->id);
	free(f->path);
	free(f->part);
	free(f);
	*file = NULL;
}

const char *
logfile_path(const struct logfile *f)
{
	return f->path;
}

/* --- the last lines -------------------------------------------------------------- */

static int
map_text(int fd, struct text *t)
{
	struct stat sb;
	*t = (struct text){NULL, 0};
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

static void
unmap_text(struct text *t)
{
	if (t->bytes != NULL)
		munmap(t->bytes, t->len);
	*t = (struct text){NULL, 0};
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

/* The k-th rotated file (1: the newest), -1 if there is none. */
static int
open_rotated(const struct logfile *f, unsigned k)
{
	char path[1100];
	(void)snprintf(path, sizeof path, "%s.%u", f->path, k);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	(void)snprintf(path, sizeof path, "%s.%u.zst", f->path, k);
	int packed = open(path, O_RDONLY | O_CLOEXEC);
	if (packed < 0)
		return -1;
	fd = unpacked(packed);
	fd_close(&packed);
	return fd;
}

/* Where the last *lines lines of the text begin; *lines is left with what is missing. */
static size_t
tail_start(const struct text *t, size_t *lines)
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

static void
keep_part(struct logfile *f, const char *text, size_t len)
{
	if (f->part_len + len > f->part_cap) {
		f->part_cap = (f->part_len + len) * 2;
		f->part = realloc(f->part, f->part_cap);
		must(f->part != NULL);
	}
	memcpy(f->part + f->part_len, text, len);
	f->part_len += len;
}

/* Gives whole lines on; what has no end yet is kept. */
static void
give(struct logfile *f, const char *text, size_t len, const struct logfile_sink *sink)
{
	while (len > 0) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl != NULL ? (size_t)(nl - text) : len;
		if (nl == NULL && f->part_len + n < LINE_MAX_BYTES) {
			keep_part(f, text, n);
			return;
		}
		if (f->part_len > 0) {
			keep_part(f, text, n);
			sink->line(sink->arg, f->id, f->part, f->part_len);
			f->part_len = 0;
		} else {
			sink->line(sink->arg, f->id, text, n);
		}
		n += nl != NULL;
		text += n;
		len -= n;
	}
}

/* Skips the lines at the beginning that are too old. */
static size_t
since_start(const struct text *t, size_t at, uint64_t since_ms)
{
	while (since_ms > 0 && at < t->len) {
		const char *nl = memchr(t->bytes + at, '\n', t->len - at);
		size_t n = nl != NULL ? (size_t)(nl - (t->bytes + at)) : t->len - at;
		if (logfile_time_ms(t->bytes + at, n) >= since_ms)
			break;
		at += n + (nl != NULL);
	}
	return at;
}

/* Is everything in this file older than since_ms? */
static int
all_older(const struct text *t, uint64_t since_ms)
{
	return since_ms > 0 && since_start(t, 0, since_ms) > 0;
}

int
logfile_last(struct logfile *f, size_t lines, uint64_t since_ms,
    const struct logfile_sink *sink, struct err *err)
{
	struct text texts[ROTATED_MAX];
	size_t starts[ROTATED_MAX];
	unsigned n = 0;
	int fd = f->fd;
	/* From the newest back, until there is enough. */
	while (n < ROTATED_MAX && fd >= 0) {
		int ret = map_text(fd, &texts[n]);
		if (fd != f->fd)
			fd_close(&fd);
		if (ret < 0)
			break;
		starts[n] = tail_start(&texts[n], &lines);
		n++;
		if (lines == 0 || all_older(&texts[n - 1], since_ms))
			break;
		fd = open_rotated(f, n);
	}
	if (f->fd < 0)
		return 0; /* not there yet */
	if (n == 0)
		return err_sys(err, "cannot read %s", f->path);
	(void)lseek(f->fd, (off_t)texts[0].len, SEEK_SET);
	for (unsigned i = n; i-- > 0;) {
		size_t at = since_start(&texts[i], starts[i], since_ms);
		if (at < texts[i].len)
			since_ms = 0; /* from here on all are new enough */
		give(f, texts[i].bytes + at, texts[i].len - at, sink);
		unmap_text(&texts[i]);
	}
	return 0;
}

void
logfile_rest(struct logfile *f, const struct logfile_sink *sink)
{
	if (f->part_len > 0)
		sink->line(sink->arg, f->id, f->part, f->part_len);
	f->part_len = 0;
}

/* --- following ------------------------------------------------------------------- */

static int
drain(struct logfile *f, const struct logfile_sink *sink, struct err *err)
{
	char buf[CHUNK];
	ssize_t n;
	while (f->fd >= 0 && (n = read(f->fd, buf, sizeof buf)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "cannot read %s", f->path);
		give(f, buf, (size_t)n, sink);
	}
	return 0;
}

int
logfile_more(struct logfile *f, const struct logfile_sink *sink, struct err *err)
{
	struct stat sb;
	if (drain(f, sink, err) < 0)
		return -1;
	if (stat(f->path, &sb) < 0)
		return 0; /* between two names; it comes back */
	if (sb.st_ino == f->ino) {
		/* Cut by somebody: begin again. */
		if (sb.st_size < lseek(f->fd, 0, SEEK_CUR))
			(void)lseek(f->fd, 0, SEEK_SET);
		return drain(f, sink, err);
	}
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return 0;
	/* What came between the last look and the rotation. */
	if (drain(f, sink, err) < 0) {
		fd_close(&fd);
		return -1;
	}
	fd_close(&f->fd);
	f->fd = fd;
	if (fstat(fd, &sb) == 0)
		f->ino = sb.st_ino;
	return drain(f, sink, err);
}
