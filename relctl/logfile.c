#include "logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "logtext.h"

enum { ROTATED_MAX = 1000, CHUNK = 64 * 1024, LINE_MAX_BYTES = 1 << 20 };

struct logfile {
	char *id, *path; /* owned */
	int fd;
	ino_t ino;
	char *part; /* owned: a line that has no end yet */
	size_t part_len, part_cap;
	int part_given;	       /* as a line: it is over */
	struct logtext *texts; /* owned: what is still to be given, the newest first */
	unsigned ntexts;
	char stamp[LOGFILE_STAMP + 1]; /* time of the last line that had one */
};

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
	while (f->ntexts > 0)
		logtext_unmap(&f->texts[--f->ntexts]);
	free(f->texts);
	free(f);
	*file = NULL;
}

const char *
logfile_path(const struct logfile *f)
{
	return f->path;
}

/* --- the last lines -------------------------------------------------------------- */

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

/* From the newest file back, until there is enough.  -1: not even one can be read. */
static int
take_texts(struct logfile *f, size_t lines, uint64_t since_ms)
{
	int fd = f->fd;
	f->texts = calloc(ROTATED_MAX, sizeof *f->texts);
	must(f->texts != NULL);
	while (f->ntexts < ROTATED_MAX && fd >= 0) {
		struct logtext *t = &f->texts[f->ntexts];
		int ret = logtext_map(fd, t);
		if (fd != f->fd)
			fd_close(&fd);
		if (ret < 0)
			break;
		t->at = logtext_tail(t, &lines);
		f->ntexts++;
		if (lines == 0 || (since_ms > 0 && logtext_since(t, 0, since_ms) > 0))
			break;
		fd = logtext_rotated(f->path, f->ntexts);
	}
	return f->ntexts > 0 ? 0 : -1;
}

int
logfile_last(struct logfile *f, size_t lines, uint64_t since_ms, struct err *err)
{
	if (f->fd < 0)
		return 0; /* not there yet */
	if (take_texts(f, lines, since_ms) < 0)
		return err_sys(err, "cannot read %s", f->path);
	(void)lseek(f->fd, (off_t)f->texts[0].len, SEEK_SET);
	for (unsigned i = f->ntexts; i-- > 0 && since_ms > 0;) {
		struct logtext *t = &f->texts[i];
		t->at = logtext_since(t, t->at, since_ms);
		if (t->at < t->len)
			since_ms = 0; /* from here on all are new enough */
	}
	return 0;
}

static void
note_stamp(struct logfile *f, const struct logfile_line *line)
{
	if (logtext_time_ms(line->text, line->len) == 0)
		return;
	memcpy(f->stamp, line->text, LOGFILE_STAMP);
	f->stamp[LOGFILE_STAMP] = '\0';
}

int
logfile_line(struct logfile *f, struct logfile_line *line)
{
	if (f->part_given)
		f->part_len = 0;
	f->part_given = 0;
	while (f->ntexts > 0) {
		struct logtext *t = &f->texts[f->ntexts - 1];
		const char *from = t->bytes + t->at;
		size_t left = t->len - t->at;
		const char *nl = left > 0 ? memchr(from, '\n', left) : NULL;
		size_t n = nl != NULL ? (size_t)(nl - from) : left;
		t->at += n + (nl != NULL);
		if (nl != NULL && f->part_len == 0) {
			*line = (struct logfile_line){f->id, from, n, f->stamp};
			note_stamp(f, line);
			return 1;
		}
		if (left > 0)
			keep_part(f, from, n);
		if (nl != NULL) {
			*line = (struct logfile_line){
			    f->id, f->part, f->part_len, f->stamp};
			f->part_given = 1;
			note_stamp(f, line);
			return 1;
		}
		logtext_unmap(t);
		f->ntexts--;
	}
	return 0;
}

void
logfile_give(struct logfile *const *files, size_t n, const struct logfile_sink *sink)
{
	struct logfile_line *head = calloc(n + 1, sizeof *head);
	must(head != NULL);
	for (size_t i = 0; i < n; i++)
		(void)logfile_line(files[i], &head[i]);
	for (;;) {
		size_t first = n;
		for (size_t i = 0; i < n; i++)
			if (head[i].text != NULL &&
			    (first == n ||
				strcmp(head[i].stamp, head[first].stamp) < 0))
				first = i;
		if (first == n)
			break;
		sink->line(
		    sink->arg, head[first].id, head[first].text, head[first].len);
		head[first].text = NULL;
		(void)logfile_line(files[first], &head[first]);
	}
	free(head);
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
