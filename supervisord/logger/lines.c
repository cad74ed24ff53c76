#include "logger/lines.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

/* An iovec wants a plain pointer; writev only reads through it. */
static void
add(struct batch *out, struct lines *ln, const void *data, size_t len)
{
	out->iov[out->n].iov_base = unconst(data);
	out->iov[out->n].iov_len = len;
	out->n++;
	ln->size += len;
}

void
lines_stamp(char out[STAMP_CAP], int64_t sec, int32_t nsec)
{
	struct tm tm;
	time_t t = (time_t)sec;
	char text[64];
	if (gmtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof tm);
	size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(
	    text + n, sizeof text - n, ".%06uZ ", (unsigned)(nsec / 1000) % 1000000u);
	memcpy(out, text, STAMP_LEN);
	out[STAMP_LEN] = '\0';
}

int
lines_is_stamp(const char *text, size_t n)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.ddddddZ ";
	_Static_assert(sizeof shape == STAMP_CAP, "the shape of a stamp");
	for (size_t i = 0; i < n; i++) {
		int digit = text[i] >= '0' && text[i] <= '9';
		if (shape[i] == 'd' ? !digit : text[i] != shape[i])
			return 0;
	}
	return 1;
}

/* The next piece of the current line, and whether a cut has to follow it. */
static size_t
next_piece(const struct lines *ln, const char *buf, size_t n, int *cut)
{
	size_t room = LINE_MAX_BYTES - ln->col;
	const char *nl = memchr(buf, '\n', MIN(n, room + 1));
	*cut = 0;
	if (nl != NULL)
		return (size_t)(nl - buf) + 1;
	*cut = n > room;
	return MIN(n, room);
}

static int
would_overflow(const struct lines *ln, size_t piece)
{
	size_t len = piece + (ln->stamp != NULL ? STAMP_LEN : 0);
	return ln->max_size != 0 && ln->size != 0 && ln->col == 0 &&
	       ln->size + len > ln->max_size;
}

void
lines_batch(struct lines *ln, const char *buf, size_t n, struct batch *out)
{
	out->n = 0;
	out->raw = 0;
	out->full = 0;
	while (out->raw < n && out->n + 3 <= out->cap) {
		int cut;
		const char *at = buf + out->raw;
		size_t piece = next_piece(ln, at, n - out->raw, &cut);
		if (would_overflow(ln, piece)) {
			out->full = 1;
			return;
		}
		if (ln->col == 0 && ln->stamp != NULL)
			add(out, ln, ln->stamp, STAMP_LEN);
		if (piece > 0)
			add(out, ln, at, piece);
		ln->col += (uint32_t)piece;
		if (cut)
			add(out, ln, LINE_CUT, sizeof LINE_CUT - 1);
		if (cut || at[piece - 1] == '\n')
			ln->col = 0;
		out->raw += piece;
	}
}

size_t
lines_raw(const struct batch *b, size_t written, const char *buf, size_t n)
{
	size_t raw = 0;
	for (int i = 0; i < b->n && written > 0; i++) {
		size_t len = MIN(written, b->iov[i].iov_len);
		const char *base = b->iov[i].iov_base;
		if (base >= buf && base < buf + n)
			raw += len;
		written -= len;
	}
	return raw;
}

size_t
lines_whole(const char *buf, size_t n)
{
	const char *nl = n > 0 ? memrchr(buf, '\n', n) : NULL;
	return nl != NULL ? (size_t)(nl - buf) + 1 : 0;
}

uint64_t
lines_count(const char *buf, size_t n)
{
	uint64_t count = 0;
	const char *end = buf + n;
	while (buf < end && (buf = memchr(buf, '\n', (size_t)(end - buf))) != NULL) {
		count++;
		buf++;
	}
	return count;
}

const char *
lines_rest(const char *buf, size_t n, const char *text, size_t len, size_t *rest)
{
	const char *end = buf + n;
	while (buf < end) {
		const char *nl = memchr(buf, '\n', (size_t)(end - buf));
		const char *stop = nl != NULL ? nl : end;
		if ((size_t)(stop - buf) >= len && memcmp(buf, text, len) == 0) {
			*rest = (size_t)(stop - buf) - len;
			return buf + len;
		}
		buf = stop + 1;
	}
	return NULL;
}
