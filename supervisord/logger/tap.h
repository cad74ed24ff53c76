/*
 * tap - reads a pipe in such a way that a SIGKILL loses nothing.
 *
 * tap_peek copies what is in the pipe with tee(2); the bytes stay in the pipe until
 * tap_take removes them, which is called after they are in the file.  A kill between
 * the two makes the next logger read them again.  The kernel looks for a kill between
 * two calls only, so they go all or not at all.
 */
#ifndef LOGGER_TAP_H
#define LOGGER_TAP_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum { TAP_CHUNK = 64 << 10 };

struct tap {
	int in, out; /* a private pipe, empty between calls */
	char chunk[TAP_CHUNK];
};

int tap_open(struct tap *tap, struct err *err);
void tap_close(struct tap *tap);
/* Copies the front of the pipe to chunk.  Bytes, 0 at its end, -1 (EAGAIN: empty). */
ssize_t tap_peek(struct tap *tap, int fd);
/* Removes n bytes that were peeked; tap->chunk is used for it. */
int tap_take(struct tap *tap, int fd, size_t n);

#endif
