/* What stands between method and version: a path and a query; see http.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "worker/http/http.h"

/* Of "http://host/path" only the path counts; the host stands in its header again. */
static const char *
skip_authority(const char *uri)
{
	static const char *const schemes[] = {"http://", "https://"};
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t len = strlen(schemes[i]);
		if (strncasecmp(uri, schemes[i], len) == 0)
			return uri + len + strcspn(uri + len, "/?");
	}
	return uri;
}

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
	return at != NULL && (c >= 'A' || c <= '9') ? (int)(at - digits) : -1;
}

/* %XX to bytes.  -1: what stands behind % is no number, or it is a NUL. */
static int
decode(const char *from, size_t len, char *to)
{
	for (const char *end = from + len; from < end; from++, to++) {
		*to = *from;
		if (*from != '%')
			continue;
		int high = end - from > 2 ? hex(from[1]) : -1;
		int low = high >= 0 ? hex(from[2]) : -1;
		if (low < 0 || high + low == 0)
			return -1;
		*to = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return 0;
}

unsigned
target_split(const char *uri, char **path, const char **query)
{
	const char *from = skip_authority(uri);
	size_t len = strcspn(from, "?"), query_len = strlen(from + len);
	int empty = len == 0 && from != uri; /* "http://host" is its root */
	if (!empty && from[0] != '/' && strcmp(from, "*") != 0)
		return MHD_HTTP_BAD_REQUEST;
	char *text = malloc(len + query_len + 3);
	if (text == NULL)
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	if (decode(empty ? "/" : from, empty ? 1 : len, text) < 0) {
		free(text);
		return MHD_HTTP_BAD_REQUEST;
	}
	char *behind = text + strlen(text) + 1;
	memcpy(
	    behind, query_len > 0 ? from + len + 1 : "", query_len > 0 ? query_len : 1);
	*path = text;
	*query = behind;
	return 0;
}
