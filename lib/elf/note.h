/*
 * note - what a handler module says of itself, read without loading it.
 *
 * Pure: bounds-checked reads over the bytes of a file that nobody has checked.  The note is
 * made by STEWARD_HANDLER of <steward/handler.h>; supervisord-worker reads it before
 * dlopen(3), since a module of another contract must not run a single instruction.
 */
#ifndef ELF_NOTE_H
#define ELF_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { ELF_NOTE_TEXT = 32, ELF_BUILD_ID_MAX = 20 };

struct elf_note {
	uint32_t abi, state_version;
	char name[ELF_NOTE_TEXT], version[ELF_NOTE_TEXT];
	uint8_t build_id[ELF_BUILD_ID_MAX];
	uint32_t build_id_len;
};

/* -1 with a sentence: no ELF object of this machine, truncated, or without the note. */
int elf_note_read(
    const void *file, size_t size, struct elf_note *note, struct err *err);

#endif
