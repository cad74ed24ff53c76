/*
 * lines - cuts what a worker wrote into what its file gets.  Pure: no system calls.
 *
 * A file is made of lines.  With `stamp`, each begins with the time the logger read
 * it, "2026-11-21T11:00:00.123456Z ".  A line longer than LINE_MAX_BYTES is cut into
 * pieces; each piece but the last ends in LINE_CUT, and each is a line of its own.
 *
 * The text itself is never copied: lines_batch fills an iovec that points into the
 * chunk, into the stamp, and at constants.
 */
#ifndef LOGGER_LINES_H
#define LOGGER_LINES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { LINE_MAX_BYTES = 64 << 10, STAMP_LEN = 28, STAMP_CAP = STAMP_LEN + 1 };

#define LINE_CUT " [...]\n"

/* Where the end of a file is, and how much may be added to it. */
struct lines {
	const char *stamp; /* STAMP_LEN bytes, borrowed; NULL: no times */
	uint32_t col;	   /* bytes of text in the last line, 0: at its start */
	uint64_t size;	   /* of the file */
	uint64_t max_size; /* a line that would end beyond it waits; 0: no limit */
};

/* One call's worth of output. */
struct batch {
	struct iovec *iov; /* borrowed from the caller */
	int cap, n;
	size_t raw; /* bytes of the chunk that the batch covers */
	int full;   /* the file is full: rotate it, then go on */
};

/* "2026-11-21T11:00:00.123456Z " for a time of the wall clock. */
void lines_stamp(char out[STAMP_CAP], int64_t sec, int32_t nsec);
/* Whether text begins with the n first bytes of some stamp (n <= STAMP_LEN). */
int lines_is_stamp(const char *text, size_t n);
/*
 * Puts as much of buf[0..n) as fits into the batch and moves ln->col and ln->size to
 * behind it.  A file at a line's start that is not empty is never filled beyond its
 * limit; one line alone may be longer than the limit.
 */
void lines_batch(struct lines *ln, const char *buf, size_t n, struct batch *out);
/* How many of the first `written` bytes of the batch are bytes of the chunk. */
size_t lines_raw(const struct batch *b, size_t written, const char *buf, size_t n);
/* Bytes up to and with the last newline, 0 without one. */
size_t lines_whole(const char *buf, size_t n);
uint64_t lines_count(const char *buf, size_t n);
/* What follows text in the first line of buf that begins with it; NULL if none does. */
const char *lines_rest(
    const char *buf, size_t n, const char *text, size_t len, size_t *rest);

#endif
