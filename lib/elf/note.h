/*
 * note - what a handler module says of itself before anything of it runs.
 *
 * Every module carries an ELF note: section .note.steward, owner "steward", type 1, whose
 * bytes are
 *
 *     u32 note_version (1), u32 abi, u32 state_version,
 *     the module's name and its version, each ended by NUL, at most 32 bytes long,
 *     padded with NULs to four bytes.
 *
 * `relctl pack` reads it, and a worker does before dlopen: a module with another ABI must
 * not get as far as its constructors.  Pure; the bytes may be hostile.
 */
#ifndef ELF_NOTE_H
#define ELF_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	ELF_NOTE_TYPE = 1,
	ELF_NOTE_VERSION = 1,
	ELF_NOTE_NAME = 33, /* with its NUL */
	ELF_NOTE_BUILD_ID = 65
};

#define ELF_NOTE_SECTION ".note.steward"
#define ELF_NOTE_OWNER	 "steward"

struct elf_note {
	uint32_t abi, state_version;
	char name[ELF_NOTE_NAME];    /* [a-z0-9_-]{1,32} */
	char version[ELF_NOTE_NAME]; /* [0-9A-Za-z][0-9A-Za-z.+~-]{0,31} */
	char
	    build_id[ELF_NOTE_BUILD_ID]; /* hexadecimal; "" when the linker made none */
};

/* Of a whole file in memory.  0, or ERR_REFUSED: what is missing or wrong. */
int elf_note_read(const void *data, size_t len, struct elf_note *ret, struct err *err);

#endif
