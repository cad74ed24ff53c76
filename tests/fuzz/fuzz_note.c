/* Any bytes as a shared object: read to the last byte at most, whatever its numbers say. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "elf/module.h"
#include "elf/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
breach(void *ctx, const char *sentence)
{
	unsigned *n = ctx;
	if (sentence[0] == '\0')
		abort();
	++*n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned n = 0;
	const struct elf_module_sink sink = {breach, &n};
	struct elf_note note;
	struct err err;
	int rc = elf_note_read(data, size, &note, &err);
	if (rc == 0 && (strlen(note.name) >= ELF_NOTE_NAME || note.name[0] == '\0' ||
			   !text_is_version(note.version)))
		abort();
	if (elf_module_check(data, size, &sink) != n || (rc < 0 && n == 0))
		abort();
	return 0;
}
