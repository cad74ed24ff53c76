/*
 * lines - the lines of a key or signature file; a carriage return at the end is dropped.
 */
#ifndef SIGN_LINES_H
#define SIGN_LINES_H

#include <stddef.h>

struct lines {
	const char *text; /* borrowed; what is left */
	size_t len;
};

struct line {
	const char *text; /* borrowed; not ended by NUL */
	size_t len;
};

/* The next line; an empty one behind the last. */
struct line lines_next(struct lines *lines);
int line_begins(struct line line, const char *prefix);

#endif
