/*
 * module - may this shared object be a handler module?
 *
 * A worker loads a new module beside the old one and unloads the old one later, so a module
 * must leave nothing behind and run nothing by itself: one export, all symbols bound at
 * once, no libraries but libc, libm and libcjson, no constructors, no destructors,
 * nothing that would pin it in memory.  `relctl pack` asks here, and names every breach.
 *
 * Pure: it looks at a file's bytes.  It serves the release's author; it does not judge
 * what the code does when it is called.
 */
#ifndef ELF_MODULE_H
#define ELF_MODULE_H

#include <stddef.h>

#include "base/err.h"

#define ELF_MODULE_EXPORT "steward_handler"

struct elf_module_sink {
	void (*breach)(void *ctx, const char *sentence);
	void *ctx;
};

/* How many rules the file breaks; each was given to the sink. */
unsigned elf_module_check(
    const void *data, size_t len, const struct elf_module_sink *sink);

#endif
