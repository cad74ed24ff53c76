/*
 * paper - the papers that come from the table of keys.
 *
 * paper_print writes one of them: "man" (supervisord.conf.5), "conf" (the commented
 * supervisord.conf) or "keys" (one line a key, for completion and editors: section, key,
 * type, default, whether a release may set it).
 */
#ifndef LOAD_PAPER_H
#define LOAD_PAPER_H

#include <stdio.h>

/* 0, or -1 when there is no such paper. */
int paper_print(const char *name, FILE *out);
void paper_man(FILE *out);

#endif
