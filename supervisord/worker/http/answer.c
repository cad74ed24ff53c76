/* Responses: the module's, and the room's own; see http.h. */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/util.h"
#include "worker/http/http.h"

enum { STATUS_MIN = 200, STATUS_MAX = 599 };

static const char *const types[] = {
    [STEWARD_JSON] = "application/json",
    [STEWARD_BYTES] = "application/octet-stream",
    [STEWARD_TEXT] = "text/plain; charset=utf-8",
};

/* From now on the request has an answer, which libmicrohttpd fetches when it runs. */
static void
give(struct link *k, unsigned status, struct MHD_Response *response)
{
	k->response = response;
	k->status = status;
	k->phase = LINK_ANSWERED;
	if (!k->suspended)
		return;
	k->suspended = 0;
	MHD_resume_connection(k->mhd);
	http_soon(k->server->http);
}

static struct MHD_Response *
response_of(const void *bytes, size_t len)
{
	return MHD_create_response_from_buffer(
	    len, unconst(len > 0 ? bytes : "") /* only read */, MHD_RESPMEM_MUST_COPY);
}

void
answer_by_room(struct link *k, unsigned status)
{
	char text[128];
	int n = snprintf(
	    text, sizeof text, "%u %s\n", status, MHD_get_reason_phrase_for(status));
	struct MHD_Response *r = response_of(text, (size_t)n);
	if (r != NULL)
		(void)MHD_add_response_header(
		    r, MHD_HTTP_HEADER_CONTENT_TYPE, types[STEWARD_TEXT]);
	if (r != NULL && status == MHD_HTTP_BAD_REQUEST)
		(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	give(k, status, r); /* without memory: the connection is closed */
}

enum MHD_Result
answer_queue(struct link *k)
{
	struct MHD_Response *r = k->response;
	if (r == NULL)
		return MHD_NO;
	k->response = NULL;
	enum MHD_Result done = MHD_queue_response(k->mhd, k->status, r);
	MHD_destroy_response(r);
	return done;
}

/* What frames the message is libmicrohttpd's to say. */
static int
is_framing(const char *name)
{
	return strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
	       strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
}

/* "Name: value".  -1: it is none, or would make two of one. */
static int
add_header(struct MHD_Response *r, const char *line)
{
	static const char token[] =
	    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char name[64];
	size_t len = strspn(line, token);
	const char *value = line + len + 1;
	if (len == 0 || len >= sizeof name || line[len] != ':')
		return -1;
	memcpy(name, line, len);
	name[len] = '\0';
	value += strspn(value, " \t");
	for (const char *p = value; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p) && *p != '\t')
			return -1;
	if (is_framing(name) || *value == '\0')
		return -1;
	return MHD_add_response_header(r, name, value) == MHD_YES ? 0 : -1;
}

static struct MHD_Response *
response_new(const char *const *headers, const struct steward_data *body)
{
	static const struct steward_data nothing = {"", 0, STEWARD_BYTES};
	const struct steward_data *data = body != NULL ? body : &nothing;
	struct MHD_Response *r = response_of(data->bytes, data->len);
	errno = ENOMEM;
	if (r == NULL)
		return NULL;
	for (; headers != NULL && *headers != NULL; headers++)
		if (add_header(r, *headers) < 0) {
			MHD_destroy_response(r);
			errno = EINVAL;
			return NULL;
		}
	if (data->len > 0 && data->type < COUNT(types) &&
	    MHD_get_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE) == NULL)
		(void)MHD_add_response_header(
		    r, MHD_HTTP_HEADER_CONTENT_TYPE, types[data->type]);
	return r;
}

/* Nobody reads what would be written: the connection was reset.  (One that was only shut
 * down in the other direction still reads.) */
static int
is_reset(const struct link *k)
{
	struct pollfd p = {.fd = k->fd};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

int
answer_by_module(struct http *h, uint64_t id, unsigned status,
    const char *const *headers, const struct steward_data *body)
{
	struct link *k = link_find(h, id);
	if (k == NULL || (k->suspended && is_reset(k))) {
		if (k != NULL)
			answer_by_room(k, MHD_HTTP_SERVICE_UNAVAILABLE);
		errno = ENOENT;
		return -1;
	}
	errno = status < STATUS_MIN || status > STATUS_MAX ? EINVAL : EMSGSIZE;
	if (errno == EINVAL || (body != NULL && body->len > STEWARD_DATA_MAX))
		return -1;
	struct MHD_Response *r = response_new(headers, body);
	if (r == NULL)
		return -1;
	give(k, status, r);
	return 0;
}
