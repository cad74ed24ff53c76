/*
 * ini - one INI file, line by line, by inih.  The only room that includes <ini.h>.
 *
 * Debian's inih cuts lines at 200 bytes, section names at 50 and values at " ;", tells no
 * line numbers and keeps only the first error.  So inih is handed short stand-ins made by
 * a line reader of ours, which knows the lines, joins continuations and keeps the real
 * texts; the texts are never cut.
 *
 * Syntax: "[section]", "key = value", comments are whole lines that begin with # or ;
 * (blanks may stand before), an indented line continues the value above it and is joined
 * by one blank.  UTF-8; a BOM and CR LF are accepted; other control characters but tab
 * are refused.  What is wrong goes to the diag, and reading goes on.
 */
#ifndef CONF_INI_H
#define CONF_INI_H

#include <stddef.h>

#include "conf/diag.h"

/* Called in the order of the file.  Texts live in the arena. */
struct ini_sink {
	void *ctx;
	void (*section)(void *ctx, struct place at, const char *name);
	void (*entry)(void *ctx, struct place at, const char *key, const char *value);
};

/* The text is changed while it is read. */
void ini_read(struct arena *arena, const struct conf_file *file, char *text, size_t len,
    const struct ini_sink *sink, struct diag *diag);

#endif
