/*
 * module - handler modules for tests, compiled by gcc from a few lines.
 *
 * A module has the note of lib/elf/note.h and the one export; what else it holds is the
 * test's.  Includes nothing of the project, so that it may stand for a foreign one.
 */
#ifndef TESTS_MODULE_H
#define TESTS_MODULE_H

#include <stdio.h>
#include <stdlib.h>

#define MODULE_NOTE(name, version, abi, state)                                           \
	"typedef unsigned u32;"                                                          \
	"static const struct { u32 n, d, t; char o[8]; u32 v, abi, st; char text[64]; }" \
	"note __attribute__((used, section(\".note.steward\"), aligned(4))) ="           \
	"{8, 12 + 64, 1, \"steward\", 1, " #abi ", " #state ", \"" name                  \
	"\\0\" \"" version "\"};"
#define MODULE_EXPORT \
	"__attribute__((visibility(\"default\"))) const int steward_handler = 1;"
#define MODULE_FLAGS "-shared -fPIC -fvisibility=hidden -Wl,-z,now"

/* Compiles `source` to `out`; 0 when gcc was content. */
static inline int
module_build(const char *out, const char *flags, const char *source)
{
	char command[512];
	(void)snprintf(command, sizeof command, "gcc -w -x c %s -o '%s' -", flags, out);
	FILE *gcc = popen(command, "w");
	if (gcc == NULL)
		return -1;
	(void)fputs(source, gcc);
	return pclose(gcc);
}

#endif
