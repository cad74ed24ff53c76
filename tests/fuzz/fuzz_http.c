/*
 * fuzz_http - any request target: split into a path and a query, or refused.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = NULL, *uri = malloc(size + 1);
	const char *query = NULL;
	if (uri == NULL)
		return 0;
	if (size > 0)
		memcpy(uri, data, size);
	uri[size] = '\0';
	unsigned refused = target_split(uri, &path, &query);
	if (refused != 0 && (refused != MHD_HTTP_BAD_REQUEST || path != NULL))
		abort();
	if (refused == 0) {
		/* decoding never makes it longer, and nothing of the query is lost */
		size_t len = strlen(query);
		if ((path[0] != '/' && strcmp(path, "*") != 0) ||
		    strlen(path) + len > size + 1 || len > size ||
		    strcmp(uri + strlen(uri) - len, query) != 0)
			abort();
	}
	free(path);
	free(uri);
	return 0;
}
