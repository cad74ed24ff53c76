/*
 * slurp - a whole text file into an arena, with a NUL behind it.
 *
 * Never waits for a pipe or device that a hostile path may name: what is not a regular
 * file is read only when `pipe` says that the operator named it himself.
 */
#ifndef CONF_SLURP_H
#define CONF_SLURP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { SLURP_MAX = 16 << 20 };

/* The text, or null: ERR_SYS with errno as code, or ERR_CONFIG. */
char *slurp(
    struct arena *arena, const char *path, bool pipe, size_t *len, struct err *err);

#endif
