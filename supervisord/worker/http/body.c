/* What clients send behind the head, within its limits; see http.h. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "worker/http/http.h"

enum { BODY_FIRST = 1024 };

void
body_free(struct link *k)
{
	k->server->http->bodies -= k->body_cap;
	free(k->body);
	k->body = NULL;
	k->body_len = k->body_cap = 0;
}

/* Room for what has come, not for what the client says will come. */
static int
body_room(struct link *k, size_t want)
{
	struct http *h = k->server->http;
	size_t cap = MAX(k->body_cap * 2, (size_t)BODY_FIRST);
	if (want < k->body_cap)
		return 0;
	while (cap <= want)
		cap *= 2;
	cap = MIN(cap, (size_t)STEWARD_HTTP_BODY_MAX + 1);
	if (h->bodies + cap - k->body_cap > BODIES_MAX)
		return -1;
	char *bytes = realloc(k->body, cap);
	if (bytes == NULL)
		return -1;
	h->bodies += cap - k->body_cap;
	k->body = bytes;
	k->body_cap = cap;
	return 0;
}

enum MHD_Result
body_take(struct link *k, const char *data, size_t len)
{
	if (k->refused == 0 && k->body_len + len > STEWARD_HTTP_BODY_MAX)
		k->refused = MHD_HTTP_CONTENT_TOO_LARGE;
	else if (k->refused == 0 && body_room(k, k->body_len + len) < 0)
		k->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
	if (k->refused != 0) {
		body_free(k); /* others may need the room */
		k->drained += len;
		return k->drained <= DRAINED_MAX ? MHD_YES : MHD_NO;
	}
	memcpy(k->body + k->body_len, data, len);
	k->body_len += len;
	k->body[k->body_len] = '\0';
	return MHD_YES;
}
