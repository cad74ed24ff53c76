/*
 * term - the second place of the node's own lines: a terminal or the journal.
 *
 * Never waits: what it cannot take at once is dropped.  A terminal or pipe is opened
 * anew, so that O_NONBLOCK is set for us alone and not for the shell that shares it.
 */
#ifndef LOGGER_TERM_H
#define LOGGER_TERM_H

#include <stddef.h>

struct term {
	int fd; /* -1: none */
	int is_socket;
	int is_shared; /* could not be opened anew: asked with poll before */
	int cut;       /* the last line was not written whole */
};

/* fd: borrowed, -1 for none */
void term_open(struct term *term, int fd);
void term_write(struct term *term, const char *buf, size_t n);

#endif
