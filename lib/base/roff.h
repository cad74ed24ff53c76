/*
 * roff - the little of roff(7) that manual pages printed from tables need.
 *
 * A page is prose, written as roff by whoever prints it, around lines made here: their
 * text comes from tables and is escaped.
 */
#ifndef BASE_ROFF_H
#define BASE_ROFF_H

#include <stdio.h>

/* The first lines: which command made the page, and its title with release and version. */
void roff_head(FILE *out, const char *command, const char *title, int section);
/* Text with what roff would take for its own escaped; roff_line with a newline behind. */
void roff_text(FILE *out, const char *text);
void roff_line(FILE *out, const char *text);
/* ".SS" with a text. */
void roff_subsection(FILE *out, const char *text);

#endif
