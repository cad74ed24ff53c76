/*
 * logtext - one file of a log, rotated and packed ones too, as text in memory.
 */
#ifndef RELCTL_LOGTEXT_H
#define RELCTL_LOGTEXT_H

#include <stddef.h>
#include <stdint.h>

struct logtext {
	char *bytes; /* mapped */
	size_t len;
	size_t at; /* the caller's: where it reads */
};

/* The file as it is now; -1 if it cannot be read. */
int logtext_map(int fd, struct logtext *t);
void logtext_unmap(struct logtext *t);
/* A descriptor of the k-th file before log_path (1: the newest), -1 if there is none. */
int logtext_rotated(const char *log_path, unsigned k);
/* Where the last *lines lines begin; *lines is left with what is missing. */
size_t logtext_tail(const struct logtext *t, size_t *lines);
/* The first line from `at` on that is not older than since_ms. */
size_t logtext_since(const struct logtext *t, size_t at, uint64_t since_ms);
/* The time at the beginning of a line in ms since 1970; 0 if there is none. */
uint64_t logtext_time_ms(const char *text, size_t len);

#endif
