#include "logger/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"

enum { BATCH = 1024 };

_Static_assert(BATCH <= IOV_MAX, "one writev a batch");

void
sinks_init(struct sinks *all, int dir, unsigned max_open)
{
	memset(all, 0, sizeof *all);
	all->dir = dir;
	all->max_open = max_open;
	TAILQ_INIT(&all->open);
	TAILQ_INIT(&all->lost);
	TAILQ_INIT(&all->pack);
}

void
sinks_now(struct sinks *all)
{
	struct timespec steady;
	(void)clock_gettime(CLOCK_REALTIME, &all->wall);
	(void)clock_gettime(CLOCK_MONOTONIC, &steady);
	all->steady_ms = (int64_t)steady.tv_sec * 1000 + steady.tv_nsec / 1000000;
	lines_stamp(all->stamp, all->wall.tv_sec, (int32_t)all->wall.tv_nsec);
}

static int64_t
wall_ms(const struct sinks *all)
{
	return (int64_t)all->wall.tv_sec * 1000 + all->wall.tv_nsec / 1000000;
}

void
sink_init(struct sink *s, const char *id)
{
	memset(s, 0, sizeof *s);
	s->id = id;
	s->fd = -1;
}

static void
shut(struct sinks *all, struct sink *s)
{
	if ((s->flags & SINK_OPEN) != 0) {
		TAILQ_REMOVE(&all->open, s, open);
		all->nopen--;
	}
	s->flags &= ~(unsigned)SINK_OPEN;
	fd_close(&s->fd);
}

void
sinks_reopen(struct sinks *all)
{
	struct sink *s;
	while ((s = TAILQ_FIRST(&all->open)) != NULL) {
		shut(all, s);
		s->flags &= ~(unsigned)SINK_KNOWN;
	}
}

static void
used(struct sinks *all, struct sink *s)
{
	if ((s->flags & SINK_OPEN) != 0)
		TAILQ_REMOVE(&all->open, s, open);
	else
		all->nopen++;
	s->flags |= SINK_OPEN;
	TAILQ_INSERT_TAIL(&all->open, s, open);
}

/* One file open, at the price of the one that was used longest ago if need be. */
static int
open_file(struct sinks *all, const char *id, int *ret)
{
	struct names names;
	struct stat st;
	if (names_open(all->dir, id, &names) < 0)
		return -1;
	int flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY |
		    O_NONBLOCK;
	int fd = openat(names.dir, names.base, flags, 0640);
	names_close(&names);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	*ret = fd;
	return 0;
}

static int
open_some(struct sinks *all, struct sink *s)
{
	while (all->nopen >= all->max_open)
		shut(all, TAILQ_FIRST(&all->open));
	while (open_file(all, s->id, &s->fd) < 0) {
		if ((errno != EMFILE && errno != ENFILE) || TAILQ_EMPTY(&all->open))
			return -1;
		shut(all, TAILQ_FIRST(&all->open));
	}
	used(all, s);
	return 0;
}

/*
 * When the file's first byte was written: the file's birth where the file system knows
 * it, else the time before its first line, else now.
 */
static int64_t
find_born(struct sinks *all, const struct sink *s)
{
	struct statx sx;
	struct tm tm = {0};
	char first[STAMP_LEN];
	if (s->size == 0)
		return wall_ms(all);
	if (statx(s->fd, "", AT_EMPTY_PATH, STATX_BTIME, &sx) == 0 &&
	    (sx.stx_mask & STATX_BTIME) != 0)
		return (int64_t)sx.stx_btime.tv_sec * 1000;
	if (pread(s->fd, first, sizeof first, 0) == STAMP_LEN &&
	    lines_is_stamp(first, sizeof first)) {
		first[STAMP_LEN - 1] = '\0';
		if (strptime(first, "%Y-%m-%dT%H:%M:%S", &tm) != NULL)
			return (int64_t)timegm(&tm) * 1000;
	}
	return wall_ms(all);
}

/* How the file ends: a piece of a line behind the last newline. */
struct end {
	size_t stamp, text; /* bytes of each; the text is in all->tail */
};

static struct end
read_end(struct sinks *all, const struct sink *s)
{
	struct end end = {0, 0};
	size_t want = (size_t)MIN(s->size, (uint64_t)sizeof all->tail);
	ssize_t n = pread(s->fd, all->tail, want, (off_t)(s->size - want));
	if (n <= 0)
		return end;
	size_t start = lines_whole(all->tail, (size_t)n);
	size_t len = (size_t)n - start;
	if ((s->flags & SINK_STAMP) != 0 &&
	    lines_is_stamp(all->tail + start, MIN(len, STAMP_LEN)))
		end.stamp = MIN(len, STAMP_LEN);
	end.text = len - end.stamp;
	memmove(all->tail, all->tail + start + end.stamp, end.text);
	return end;
}

/* The rest of a line of which the file has `len` bytes, and its end. */
static int
finish_line(struct sink *s, size_t len, const char *rest, size_t n)
{
	char nl = '\n';
	size_t room = LINE_MAX_BYTES - MIN(len, (size_t)LINE_MAX_BYTES);
	struct iovec iov[] = {
	    {.iov_base = unconst(rest), .iov_len = MIN(n, room)},
	    {.iov_base = &nl, .iov_len = 1},
	};
	ssize_t all = (ssize_t)(iov[0].iov_len + 1);
	ssize_t done = writev(s->fd, iov, 2);
	if (done != all) {
		errno = done < 0 ? errno : ENOSPC;
		return -1;
	}
	s->size += (uint64_t)done;
	return 0;
}

/*
 * The file ends within a line: what an earlier logger wrote on purpose, for it waited
 * long enough, or what a kill left of a chunk that comes once more.  A torn time goes; a
 * torn line gets its rest, since what looks torn may have been written on purpose.
 */
static int
mend(struct sinks *all, struct sink *s, const char *peek, size_t npeek)
{
	struct end end = read_end(all, s);
	const char *rest = NULL;
	size_t n = 0;
	if (end.text == 0 && end.stamp > 0) {
		s->size -= end.stamp;
		return ftruncate(s->fd, (off_t)s->size);
	}
	if ((s->flags & SINK_SEEN) == 0)
		rest = lines_rest(peek, npeek, all->tail, end.text, &n);
	if (rest != NULL)
		return finish_line(s, end.text, rest, n);
	s->col = (uint32_t)MIN(end.text, LINE_MAX_BYTES);
	return 0;
}

/* What the descriptor just opened holds; the first time, mends what a crash left. */
static int
learn(struct sinks *all, struct sink *s, const char *peek, size_t npeek)
{
	struct stat st;
	char last;
	if (fstat(s->fd, &st) < 0)
		return -1;
	s->size = (uint64_t)st.st_size;
	if ((s->flags & SINK_KNOWN) != 0 && s->size > 0)
		return 0;
	s->born_ms = find_born(all, s);
	s->col = 0;
	if (s->size > 0 && pread(s->fd, &last, 1, (off_t)s->size - 1) == 1 &&
	    last != '\n' && mend(all, s, peek, npeek) < 0)
		return -1;
	s->flags |= SINK_KNOWN | (npeek > 0 ? SINK_SEEN : 0);
	return 0;
}

/* Writes all of the batch, or says how far it came. */
static int
write_batch(struct sink *s, struct batch *b, size_t *written)
{
	struct iovec *iov = b->iov;
	int left = b->n;
	*written = 0;
	while (left > 0) {
		ssize_t n = writev(s->fd, iov, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			return -1;
		}
		*written += (size_t)n;
		while (left > 0 && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			left--;
		}
		if (left > 0) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* Writing does not work: count, tell once, try again after a while. */
static void
lose(struct sink *s, const char *buf, size_t n)
{
	s->lost_bytes += n;
	s->lost_lines += (uint32_t)MIN(lines_count(buf, n), UINT32_MAX - s->lost_lines);
}

static void
fail(struct sinks *all, struct sink *s, int code)
{
	s->lost_errno = code;
	s->retry_ms = all->steady_ms + SINK_RETRY_MS;
	shut(all, s);
	if ((s->flags & SINK_LOST) != 0)
		return;
	s->flags |= SINK_LOST;
	TAILQ_INSERT_TAIL(&all->lost, s, lost);
	log_warn("worker %s: cannot write its log: %s; its lines are dropped and "
		 "counted until that works",
	    s->id, strerrordesc_np(code));
}

/* The line in the file that tells what is missing in it. */
static int
write_note(struct sinks *all, struct sink *s)
{
	char note[256];
	int n = snprintf(note, sizeof note,
	    "%s%s-- %" PRIu32 " lines (%" PRIu64 " bytes) dropped: %s --\n",
	    s->col != 0 ? "\n" : "", (s->flags & SINK_STAMP) != 0 ? all->stamp : "",
	    s->lost_lines, s->lost_bytes, strerrordesc_np(s->lost_errno));
	ssize_t done = write(s->fd, note, (size_t)n);
	if (done > 0) {
		s->size += (uint64_t)done;
		s->col = note[done - 1] != '\n';
	}
	if (done == n)
		return 0;
	if (done >= 0)
		errno = ENOSPC;
	return -1;
}

/* The file open and its end known, with its losses told; -1: not now. */
static int
make_ready(struct sinks *all, struct sink *s, const char *peek, size_t npeek)
{
	int lost = (s->flags & SINK_LOST) != 0;
	if (lost && all->steady_ms < s->retry_ms)
		return -1;
	if (s->fd < 0 && (open_some(all, s) < 0 || learn(all, s, peek, npeek) < 0)) {
		fail(all, s, errno);
		return -1;
	}
	if (lost && s->lost_bytes > 0 && write_note(all, s) < 0) {
		fail(all, s, errno);
		return -1;
	}
	if (lost) {
		TAILQ_REMOVE(&all->lost, s, lost);
		s->flags &= ~(unsigned)SINK_LOST;
		s->lost_bytes = s->lost_lines = 0;
	}
	used(all, s);
	return 0;
}

void
sinks_retry(struct sinks *all)
{
	struct sink *next;
	for (struct sink *s = TAILQ_FIRST(&all->lost); s != NULL; s = next) {
		next = TAILQ_NEXT(s, lost);
		(void)make_ready(all, s, "", 0);
	}
}

void
sink_pack(struct sinks *all, struct sink *s)
{
	if ((s->flags & SINK_ZSTD) == 0 || (s->flags & SINK_PACK) != 0)
		return;
	s->flags |= SINK_PACK;
	TAILQ_INSERT_TAIL(&all->pack, s, pack);
}

/* Moves the files on.  The open descriptor stays valid until the names are new. */
static int
shift(struct sinks *all, struct sink *s)
{
	struct names names;
	if (names_open(all->dir, s->id, &names) < 0)
		return -1;
	int rc = names_shift(&names, s->keep);
	int code = errno;
	names_close(&names);
	s->flags &= ~(unsigned)SINK_ROTATE;
	if (rc < 0) {
		if ((s->flags & SINK_STUCK) == 0)
			log_warn("worker %s: cannot rotate its log: %s; it goes on in "
				 "the old file",
			    s->id, strerrordesc_np(code));
		s->flags |= SINK_STUCK;
		s->retry_ms = all->steady_ms + SINK_RETRY_MS;
		return -1;
	}
	s->flags &= ~(unsigned)(SINK_STUCK | SINK_KNOWN);
	shut(all, s);
	if (all->rotated != NULL)
		all->rotated(all->arg, s);
	sink_pack(all, s);
	return 0;
}

static int
file_exists(const struct sinks *all, const struct sink *s)
{
	struct names names;
	struct stat st;
	if (names_open(all->dir, s->id, &names) < 0)
		return 0;
	int rc = fstatat(names.dir, names.base, &st, AT_SYMLINK_NOFOLLOW);
	names_close(&names);
	return rc == 0;
}

void
sink_rotate(struct sinks *all, struct sink *s)
{
	if (s->fd < 0 && !file_exists(all, s))
		return;
	if ((s->flags & SINK_LOST) == 0 && s->fd < 0)
		(void)make_ready(all, s, "", 0);
	if (s->fd < 0 || s->col != 0)
		s->flags |= SINK_ROTATE;
	else if (s->size > 0)
		(void)shift(all, s);
	if ((s->flags & SINK_SEEN) == 0) {
		/* Its first chunk has to be compared with the file's end yet. */
		shut(all, s);
		s->flags &= ~(unsigned)SINK_KNOWN;
	}
}

static int
is_stuck(const struct sinks *all, const struct sink *s)
{
	return (s->flags & SINK_STUCK) != 0 && all->steady_ms < s->retry_ms;
}

static int
rotation_is_due(const struct sinks *all, const struct sink *s)
{
	if (s->col != 0 || s->size == 0 || is_stuck(all, s))
		return 0;
	if ((s->flags & SINK_ROTATE) != 0)
		return 1;
	int64_t age_ms = wall_ms(all) - s->born_ms;
	return s->max_age_ms != 0 && age_ms > 0 && (uint64_t)age_ms >= s->max_age_ms;
}

/* One batch of buf into the file: bytes of buf that are done with, -1 on failure. */
static ssize_t
write_some(struct sinks *all, struct sink *s, const char *buf, size_t n, int *full)
{
	struct iovec iov[BATCH];
	struct lines ln = {.stamp = (s->flags & SINK_STAMP) != 0 ? all->stamp : NULL,
	    .col = s->col,
	    .size = s->size,
	    .max_size = is_stuck(all, s) ? 0 : s->max_bytes};
	struct batch b = {.iov = iov, .cap = BATCH};
	size_t written;
	lines_batch(&ln, buf, n, &b);
	*full = b.full;
	if (write_batch(s, &b, &written) == 0) {
		s->col = ln.col;
		s->size = ln.size;
		return (ssize_t)b.raw;
	}
	int code = errno;
	struct batch again = {.iov = iov, .cap = BATCH};
	ln.col = s->col;
	ln.size = s->size;
	lines_batch(&ln, buf, n, &again);
	size_t raw = lines_raw(&again, written, buf, n);
	s->size += written;
	if (written > 0)
		s->col = raw == 0 || buf[raw - 1] != '\n';
	lose(s, buf + raw, n - raw);
	fail(all, s, code);
	return -1;
}

void
sink_write(struct sinks *all, struct sink *s, const char *buf, size_t n, size_t peeked)
{
	size_t done = 0;
	int full = 0;
	while (done < n) {
		if ((s->fd < 0 || (s->flags & SINK_LOST) != 0) &&
		    make_ready(all, s, buf + done, peeked - done) < 0) {
			lose(s, buf + done, n - done);
			return;
		}
		if ((full || rotation_is_due(all, s)) && shift(all, s) == 0) {
			full = 0;
			continue;
		}
		used(all, s);
		ssize_t k = write_some(all, s, buf + done, n - done, &full);
		if (k < 0)
			return;
		done += (size_t)k;
	}
}

void
sink_close(struct sinks *all, struct sink *s)
{
	if ((s->flags & SINK_LOST) != 0) {
		s->retry_ms = 0;
		(void)make_ready(all, s, "", 0);
	}
	if ((s->flags & SINK_LOST) != 0) {
		log_warn("worker %s: %" PRIu32 " lines (%" PRIu64
			 " bytes) of its log were dropped: %s",
		    s->id, s->lost_lines, s->lost_bytes,
		    strerrordesc_np(s->lost_errno));
		TAILQ_REMOVE(&all->lost, s, lost);
	}
	if ((s->flags & SINK_PACK) != 0)
		TAILQ_REMOVE(&all->pack, s, pack);
	s->flags &= ~(unsigned)(SINK_LOST | SINK_PACK);
	shut(all, s);
}
