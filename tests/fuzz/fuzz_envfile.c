/* Any bytes as a file of variables: each that is found is NAME=value without controls. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/envfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
found(void *ctx, struct place at, const char *variable)
{
	size_t name = strcspn(variable, "=");
	(void)ctx;
	if (at.line == 0 || variable[name] != '=' || !envfile_is_name(variable, name))
		abort();
	for (; *variable != '\0'; variable++)
		if ((unsigned char)*variable < ' ' && *variable != '\t' &&
		    *variable != '\n')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conf_file file = {"env", 1};
	struct arena arena = {0};
	struct diag diag = {0};
	char *text = arena_copy(&arena, data, size);
	envfile_parse(&arena, &file, text, size, found, NULL, &diag);
	diag_free(&diag);
	arena_free(&arena);
	return 0;
}
