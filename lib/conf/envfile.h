/*
 * envfile - files of variables, read as systemd reads EnvironmentFile=.
 *
 * One NAME=value a line; # and ; begin comment lines; blanks around the value go;
 * 'raw' and "with \" \\ \$ \` escaped" quotes may span lines; outside of quotes a
 * backslash keeps the next character, and at a line's end joins the next line.  Nothing
 * is expanded.  Unlike systemd, a line that is none of this is an error.
 */
#ifndef CONF_ENVFILE_H
#define CONF_ENVFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/diag.h"

/* A name as variables have it: [A-Za-z_][A-Za-z0-9_]*. */
bool envfile_is_name(const char *text, size_t len);
/* Calls `found` with each "NAME=value", which lives in the arena. */
void envfile_parse(struct arena *arena, const struct conf_file *file, const char *text,
    size_t len, void (*found)(void *ctx, struct place at, const char *variable),
    void *ctx, struct diag *diag);

#endif
