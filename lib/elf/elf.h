/*
 * elf - a bounds-checked reader of ELF64 shared objects that lie in memory.
 *
 * For who must know a file before anything of it runs.  Every number comes from the file
 * and is not believed: offsets and sizes are checked before use, nothing is read
 * outside of the bytes given, every loop ends with them.  Pure: no file is opened, nothing
 * is allocated.  Only this machine's class and byte order are read.
 */
#ifndef ELF_ELF_H
#define ELF_ELF_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct elf {
	const unsigned char *data; /* borrowed */
	size_t len;
	Elf64_Ehdr head;
};

struct elf_bytes {
	const unsigned char *data; /* null: there are none */
	size_t len;
};

/* 0, or ERR_REFUSED: what the file is instead of a whole 64-bit shared object of this
 * machine. */
int elf_open(const void *data, size_t len, struct elf *ret, struct err *err);
/* The i-th program or section header: 1, or 0 when there is none. */
int elf_segment(const struct elf *elf, unsigned i, Elf64_Phdr *ret);
int elf_section(const struct elf *elf, unsigned i, Elf64_Shdr *ret);
/* The first segment or section of a type: 1 or 0. */
int elf_segment_of(const struct elf *elf, uint32_t type, Elf64_Phdr *ret);
int elf_section_of(const struct elf *elf, uint32_t type, Elf64_Shdr *ret);
/* The section of a name: 1 or 0. */
int elf_section_named(const struct elf *elf, const char *name, Elf64_Shdr *ret);
/* What is at [offset, offset + len) of the file; null when that is not inside. */
struct elf_bytes elf_at(const struct elf *elf, uint64_t offset, uint64_t len);
/* A text that ends within the table at its `offset`; null otherwise. */
const char *elf_text(struct elf_bytes table, uint64_t offset);
/* The text table of a symbol section. */
struct elf_bytes elf_linked_texts(const struct elf *elf, const Elf64_Shdr *section);
/* The i-th entry of the dynamic section: 1, or 0 behind its end. */
int elf_dynamic(const struct elf *elf, unsigned i, Elf64_Dyn *ret);
/* The value of the first entry with a tag: 1 or 0. */
int elf_dynamic_of(const struct elf *elf, int64_t tag, uint64_t *value);
/* A place in memory as a place in the file: 1, or 0 when no segment has it. */
int elf_offset_of(const struct elf *elf, uint64_t address, uint64_t *offset);

#endif
