/* Any bytes as what a mailbox's connection brings: frames that are whole, or the end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The optimiser must not drop the reads. */
static volatile size_t sink;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;
	size_t at = 0, n;
	uint8_t *copy = malloc(size + (size == 0));
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	while (frame_parse(copy + at, size - at, &f, &n) == 1) {
		sink += strlen(f.name) + strlen(f.data) + frame_senders(f.kind);
		if (n != frame_size(&f) || n == 0)
			abort();
		at += n;
	}
	free(copy);
	return 0;
}
