/* Any bytes as release.json: what is taken prints to bytes that are taken, and to itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "release/release.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct release r, again;
	struct err err;
	if (release_read((const char *)data, size, &r, &err) < 0)
		return 0;
	for (uint32_t i = 0; i < r.nfiles; i++)
		if (path_check(r.file[i].path, NULL) < 0)
			abort();
	char *one = release_print(&r);
	if (release_read(one, strlen(one), &again, &err) < 0)
		abort();
	char *two = release_print(&again);
	if (strcmp(one, two) != 0)
		abort();
	free(one);
	free(two);
	release_free(&r);
	release_free(&again);
	return 0;
}
