/*
 * diag - all that is wrong with a configuration, said at once.
 *
 * Collects errors and warnings with their place, up to DIAG_MAX, and prints them in the
 * order of the files as compilers do: "FILE:LINE: error: TEXT".  Who reads a part of the
 * configuration adds to it and goes on; who asked for the whole looks at `errors`.
 */
#ifndef CONF_DIAG_H
#define CONF_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

enum { DIAG_MAX = 200 };

/* A file that was read, in the order of reading. */
struct conf_file {
	const char *path;
	uint32_t number;
};

/* Where something stands; file null: it came from nowhere, line 0: the file as such. */
struct place {
	const struct conf_file *file; /* borrowed */
	uint32_t line;
};

struct diag_item;

struct diag { /* all zero: empty */
	struct arena arena;
	struct diag_item *item;
	uint32_t n, cap;
	uint32_t errors, warnings, hidden;
};

void diag_free(struct diag *d);
void diag_error(struct diag *d, struct place at, const char *fmt, ...) PRINTF(3, 4);
void diag_warn(struct diag *d, struct place at, const char *fmt, ...) PRINTF(3, 4);
/* Prints all, sorted by place. */
void diag_print(struct diag *d, FILE *out);
/* The same as a JSON array of {file, line, level, message}. */
void diag_print_json(struct diag *d, FILE *out);

#endif
